/**
 * What a grant of its kind needs and what has no place in it, and published ports that clash. Read off
 * the data as written, so that a slip elsewhere hides none of it.
 *
 * @module
 */
import type { Finding } from "./task-checks.ts";
import { parsePublish } from "./publish.ts";

const GRANTS_MAX = 100; // As in task-schema.ts, which reports what is longer.

/** Every finding about the kinds of `grants`, which is what stands under that key, however broken. */
export function checkKinds(grants: unknown): readonly Finding[] {
  if (!Array.isArray(grants)) return [];
  return grants.slice(0, GRANTS_MAX).flatMap((grant: unknown, at) => {
    if (typeof grant !== "object" || grant === null) return [];
    const has = (key: string) => Object.hasOwn(grant, key);
    const is = (key: string, value: unknown) => Reflect.get(grant, key) === value;
    const dial: unknown = Reflect.get(grant, "dial");
    const isUnix = typeof dial === "string" && dial.startsWith("unix:");
    const found = is("system", "tcp") ? ofTcp(has, is) : is("system", "http") ? ofHttp(has) : [];
    const both = isUnix && has("upstream_proxy") ? [PROXY_TO_PATH] : [];
    return [...found, ...both].map(({ key, ...rest }) => ({
      ...rest,
      path: ["grants", at, ...(key === undefined ? [] : [key])],
    }));
  });
}

interface KindFinding {
  readonly key?: string;
  readonly message: string;
  readonly hint: string;
}
type Has = (key: string) => boolean;
type Is = (key: string, value: unknown) => boolean;

const PROXY_TO_PATH: KindFinding = {
  key: "upstream_proxy",
  message: "cannot lead to a socket of this machine",
  hint: "remove it, or the unix: path under dial",
};

function ofHttp(has: Has): readonly KindFinding[] {
  const found: KindFinding[] = [];
  if (!has("allow")) {
    found.push({
      message: 'has no "allow", which says what may be asked of these hosts',
      hint: 'a rule that lets everything be read: allow: [{ methods: [GET, HEAD], paths: ["/**"] }]',
    });
  }
  for (const key of ["splice", "opaque", "protocols"]) {
    if (!has(key)) continue;
    found.push({
      key,
      message: "has no place in a grant of system http, of which every request is judged",
      hint: "write system: tcp, and leave out allow: nobody sees what such a connection carries",
    });
  }
  return found;
}

function ofTcp(has: Has, is: Is): readonly KindFinding[] {
  const found: KindFinding[] = [];
  if (has("splice") === has("opaque")) {
    found.push({
      message: "says not how its connections are carried",
      hint: "write one of splice: true (TLS to this name, not looked into) and opaque: true (any protocol)",
    });
  }
  if (has("allow")) {
    found.push({
      key: "allow",
      message: "can never match: nobody sees what is asked in such a connection",
      hint: "remove it, or write system: http without splice and opaque",
    });
  }
  if (has("ca") || has("upstream_proxy") || has("tls")) {
    const key = ["ca", "upstream_proxy", "tls"].find(has) ?? "tls";
    found.push({
      key,
      message: "is never used here: the gateway itself speaks no TLS in such a connection",
      hint: "remove it",
    });
  }
  if (has("protocols") && !is("opaque", true)) {
    found.push({
      key: "protocols",
      message: "belongs to an opaque grant: a spliced connection is TLS and nothing else",
      hint: "remove it, or write opaque: true",
    });
  }
  return found;
}

/** Two entries for one port of this machine, in whatever form. */
export function checkPublish(publish: unknown): readonly Finding[] {
  if (!Array.isArray(publish)) return [];
  const seen = new Set<number>();
  return publish.slice(0, GRANTS_MAX).flatMap((source: unknown, at) => {
    if (typeof source !== "string" && typeof source !== "number") return [];
    const parsed = parsePublish(source);
    if ("problem" in parsed) return [];
    const twice = seen.has(parsed.host) && !publish.slice(0, at).includes(source);
    seen.add(parsed.host);
    return twice
      ? [
          {
            path: ["publish", at],
            message: `takes port ${parsed.host} of this machine a second time`,
            hint: `choose another: ${parsed.host + 1}:${parsed.run}`,
          },
        ]
      : [];
  });
}
