/**
 * What stands for credentials in a run: where it belongs the credential takes its place, and anywhere else
 * it is noticed.
 *
 * @module
 */
import type { Grant } from "../policy/index.ts";
import type { Credentialed } from "./credential.ts";
import type { RawHeaders } from "./http-headers.ts";
import type { GatewayRun, Verdict } from "./ports.ts";

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
    ...placeholders.find(`${target}\n${headers.join("\n")}`),
    ...(body === undefined ? [] : placeholders.find(body)),
  ];
  return [...new Set(found.map(({ credential }) => credential))].filter((name) => name !== own);
}
