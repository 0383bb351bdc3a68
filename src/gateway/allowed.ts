/**
 * What was allowed on a connection of a session protocol, kept after its outcome: a subscription, a cursor, a
 * prepared statement, an open file or a terminal's environment goes on when the operation that made it is over, and
 * which of them do is not told apart. Where a narrower policy would not allow all of it any more, the connection
 * ends (docs/decisions/0310).
 *
 * @module
 */
import type { Action } from "../action/index.ts";
import type { Policy } from "../policy/index.ts";
import type { GatewayRun } from "./ports.ts";

/** Of one connection, in characters of what decides. */
export const ALLOWED_CHARS_MAX = 256 << 10;

export class Allowed {
  /** What differs in anything that a policy looks at, without the rest. */
  readonly #actions = new Map<string, Action>();
  #chars = 0;
  /** Of what there was no room for: the grant as it was, by its name. It stands while that is the same. */
  readonly #grants = new Map<string, string>();

  add(action: Action, policy: Policy): void {
    const { system, verb, effects, parts, fields } = action;
    const { host = "", port = 0 } = fields;
    const key = JSON.stringify([system, host, port, verb, effects, parts]);
    if (this.#actions.has(key) || this.#grants.has(system)) return;
    this.#chars += key.length;
    if (this.#chars > ALLOWED_CHARS_MAX) this.#grants.set(system, printOf(policy, system));
    else this.#actions.set(key, { ...action, summary: "", target: "", fields: { host, port } });
  }

  /** Reports whether the policy of now would let all of it be. */
  stands(run: Pick<GatewayRun, "policy" | "stands">): boolean {
    return (
      [...this.#actions.values()].every((action) => run.stands(action)) &&
      [...this.#grants].every(([name, was]) => printOf(run.policy, name) === was)
    );
  }
}

function printOf({ grants }: Policy, name: string): string {
  return JSON.stringify(grants.find((grant) => grant.name === name)) ?? "";
}
