/**
 * What stands for credentials in a run: where it belongs the credential takes its place, and anywhere else
 * it is noticed.
 *
 * @module
 */
import { MODEL_SYSTEMS, type Seen } from "../detect/index.ts";
import type { Grant } from "../policy/index.ts";
import type { Credentialed } from "./credential.ts";
import type { RawHeaders } from "./http-headers.ts";
import type { GatewayRun, Verdict } from "./ports.ts";

/** Stands for the canary among the names of credentials; no credential can be called so. */
export const CANARY_NAME = "(canary)";

/** What the planted credential, used, is called. */
export const CANARY_USED = "a planted credential, which is good for nothing, is used";

export function isCanary({ credential }: { readonly credential: string }): boolean {
  return credential === CANARY_NAME;
}

/** Whether a run may say it to `system` all the same: its model is told what it read. */
export function mayTellCanary(system: string): boolean {
  return MODEL_SYSTEMS.has(system);
}

/** The credential of an allowed request; `undefined` where its grant has none. Where `bare`, it is not sent. */
export function credentialOf(
  { placeholders }: Pick<GatewayRun, "placeholders">,
  grant: Grant,
  { lease }: Verdict,
  bare = false,
): Credentialed | undefined {
  if (lease === undefined) return undefined;
  const given = placeholders.given.find(({ credential }) => credential === grant.credential);
  return { lease, placeholder: given?.text ?? "", ...(bare && { bare }) };
}

/** Of a longer body the pieces are not put together. */
const JOINED_BYTES_MAX = 64 << 10;

/** What stands in a query or a form in pieces, one behind the other: a secret cut over several fields. */
function joinedValues(text: string): string {
  return text
    .slice(text.indexOf("?") + 1)
    .split("&")
    .map((pair) => pair.slice(pair.indexOf("=") + 1))
    .join("");
}

/** Names of credentials whose placeholders stand in a text. */
export function namesIn(
  { placeholders }: Pick<GatewayRun, "placeholders">,
  text: string,
): readonly string[] {
  if (placeholders.given.length === 0) return [];
  return placeholders.find(text).map(({ credential }) => credential);
}

/** Those that stand in a request wrapped or in pieces, where none takes the place of a credential; less `own`. */
export function strayIn(
  seen: Seen | undefined,
  own: readonly (string | undefined)[],
): readonly string[] {
  return (seen?.known ?? []).filter((name) => !own.includes(name));
}

/** A request as it would be sent, as far as placeholders are looked for in it. */
export interface Looked {
  readonly target: string;
  readonly headers: RawHeaders;
  readonly body?: Buffer | undefined;
}

/** Names of credentials whose placeholders stand in `request`, less that of `own`. */
export function strayPlaceholders(
  { placeholders }: Pick<GatewayRun, "placeholders">,
  { target, headers, body }: Looked,
  own?: string,
): readonly string[] {
  if (placeholders.given.length === 0) return [];
  const found = [
    ...placeholders.find(`${target}\n${headers.join("\n")}\n${joinedValues(target)}`),
    ...(body === undefined ? [] : placeholders.find(body)),
    ...(body === undefined || body.length > JOINED_BYTES_MAX || !body.includes("&")
      ? []
      : placeholders.find(joinedValues(`?${body.toString("latin1")}`))),
  ];
  return [...new Set(found.map(({ credential }) => credential))].filter((name) => name !== own);
}
