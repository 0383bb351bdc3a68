/**
 * What is shown of a request, and kept for ever: its place, its content and what look-ups found, without
 * what is a secret by its name.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { Json } from "../action/index.ts";
import { GIT_FACT } from "../git/index.ts";
import type { Content } from "./content.ts";
import type { Entry, Route } from "./entry.ts";
import type { HttpRequest } from "./http.ts";
import { hideInPath, hideSecrets, isSecret } from "./secrets.ts";
import type { Sources } from "./values.ts";

const SHOWN_BYTES_MAX = 65_536; // Of a body; a longer one is known by its hash.

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** The URL, without its query and without a credential in its path. */
export function targetOf({ credential }: Entry, { scheme, host, port, path }: HttpRequest): string {
  const authority = DEFAULT_PORTS[scheme] === port ? host : `${host}:${port}`;
  return `${scheme}://${authority}${hideInPath(path, credential)}`;
}

/** What it is sent to. */
export function placeOf(
  { credential }: Entry,
  { method, scheme, host, port, path, query }: HttpRequest,
): Record<string, Json> {
  const shown = hideInPath(path, credential);
  return { method, scheme, host, port, path: shown, query: hideSecrets(query) };
}

/** All that a person sees of `request`, without secrets. */
export function fieldsOf(
  entry: Entry,
  request: HttpRequest,
  route: Route,
  { content, facts }: Sources,
): Record<string, Json> {
  const body = shownBody(content);
  const show = route.show === "json" ? {} : { show: route.show };
  // Objects of a repository are shown as what they say of the push, not as they are.
  const { [GIT_FACT]: _objects, ...current } = facts;
  return {
    ...placeOf(entry, request),
    ...show,
    ...(body === undefined ? {} : { body }),
    ...(Object.keys(current).length === 0 ? {} : { current: withoutSecrets(current) }),
  };
}

function shownBody({ json, pairs, parts, bytes, form }: Content): Json | undefined {
  if (bytes === undefined) return undefined;
  if (form === "raw" || bytes.length > SHOWN_BYTES_MAX) return hashed(bytes);
  if (json !== undefined) return withoutSecrets(json);
  const files = (parts ?? []).filter(({ filename }) => filename !== undefined);
  return {
    ...grouped(pairs ?? []),
    ...Object.fromEntries(
      files.map(({ name, filename = "", contentType = "", bytes: file }) => [
        name,
        { filename, contentType, ...hashed(file) },
      ]),
    ),
  };
}

/** What stands for bytes that are not shown. */
export function hashed(bytes: Uint8Array): { bytes: number; sha256: string } {
  return { bytes: bytes.length, sha256: hash("sha256", bytes) };
}

function grouped(pairs: readonly (readonly [string, string])[]): Record<string, Json> {
  const lists = new Map<string, string[]>();
  for (const [name, value] of pairs)
    lists.set(name, [...(lists.get(name) ?? []), isSecret(name) ? "[hidden]" : value]);
  return Object.fromEntries(
    [...lists].map(([name, list]) => [name, list.length === 1 ? (list[0] ?? "") : list]),
  );
}

/** What is a secret by its name keeps the name only: an entry is for ever. */
export function withoutSecrets(value: Json): Json {
  return hasSecret(value) ? hidden(value) : value; // Most hold none, and need no copy.
}

function hasSecret(value: Json): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return (value as readonly Json[]).some(hasSecret);
  return Object.entries(value).some(([name, item]) =>
    typeof item === "string" ? isSecret(name) : hasSecret(item as Json),
  );
}

function hidden(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(hidden);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      typeof item === "string" && isSecret(name) ? "[hidden]" : hidden(item as Json),
    ]),
  );
}
