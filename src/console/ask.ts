/**
 * One question of a signed-in person: is there such an endpoint, may this one ask, is the question well formed; then
 * the console's own handler answers, or the daemon.
 *
 * @module
 */
import {
  CONSOLE_API,
  CONSOLE_ENDPOINTS,
  mayAsk,
  type ApiName,
  type EndpointName,
} from "../api/index.ts";
import { Fault } from "../base/index.ts";
import type { Asker, ConsoleDesk, ConsoleHandlers } from "./desk.ts";

export type Answered =
  | { readonly streams: false; readonly value: unknown }
  | { readonly streams: true; readonly values: AsyncIterable<unknown> };

/**
 * @throws {Fault} `console.no_such_endpoint`, `console.role`, `console.request`, and what the endpoint itself refuses.
 */
export async function ask(
  parts: { readonly desk: ConsoleDesk; readonly handlers: ConsoleHandlers },
  name: string,
  /** Read only when it is known that this one may ask. */
  read: () => Promise<unknown>,
  asker: Asker,
): Promise<Answered> {
  const { desk, handlers } = parts;
  if (!isApiName(name)) {
    throw new Fault("console.no_such_endpoint", `${JSON.stringify(name)} is no endpoint`);
  }
  const endpoint = CONSOLE_API[name];
  if (!mayAsk(asker.roles, endpoint.needs)) {
    throw new Fault("console.role", `${name} needs the role ${endpoint.needs}`, {
      hint:
        endpoint.needs === "owner"
          ? "the command line does this, for whoever owns this home"
          : `you are ${asker.roles.join(", ")}; ask whoever runs this console`,
    });
  }
  const parsed = endpoint.takes.safeParse(await read());
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Fault("console.request", `${name}: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  // The tables tie each name to its types; the compiler cannot follow that through a variable name.
  const takes = parsed.data as never;
  if (isOwn(name)) {
    const handle = handlers[name] as (takes: unknown, asker: Asker) => unknown;
    const given = handle(takes, asker);
    return endpoint.streams
      ? { streams: true, values: given as AsyncIterable<unknown> }
      : { streams: false, value: await given };
  }
  requireSigned(name, parsed.data, asker);
  requireBound(name, parsed.data);
  // Whoever signed in by a link of this user's terminal is this user; others the daemon knows by their own identity.
  const client = asker.identity.startsWith("oidc:") ? desk.client.as(asker.identity) : desk.client;
  return endpoint.streams
    ? { streams: true, values: client.stream(name, takes, asker.signal) }
    : { streams: false, value: await client.call(name, takes) };
}

/**
 * The daemon knows nobody by a passkey but by its signature: a decision without one would be the decision of whoever owns
 * this console (INV-210).
 */
function requireSigned(name: ApiName, takes: unknown, { identity, person }: Asker): void {
  if (!identity.startsWith("passkey:") || !DECISIONS.has(name)) return;
  if (typeof takes === "object" && takes !== null && "proof" in takes) return;
  throw new Fault("console.proof", `${person} signed in by a passkey, and decides by it`, {
    hint: "load the page anew; it asks for the passkey at each decision",
  });
}
const DECISIONS: ReadonlySet<ApiName> = new Set([
  "approvals.approve",
  "approvals.deny",
  "approvals.undo",
  "approvals.edit",
]);

/**
 * Where a name of a credential's binding leads is the owner's to say: without TLS nothing proves the name, and who may
 * not see the secret would have it sent to an address of their own (INV-219).
 */
function requireBound(name: ApiName, takes: unknown): void {
  if (name !== "credential.test") return;
  if (typeof takes !== "object" || takes === null || !("dial" in takes)) return;
  throw new Fault("console.role", "where a credential is tested otherwise is the owner's to say", {
    hint: "`cofferdam credential test --dial` does it in a terminal",
  });
}

function isApiName(name: string): name is ApiName {
  return Object.hasOwn(CONSOLE_API, name);
}

function isOwn(name: ApiName): name is Exclude<ApiName, EndpointName> {
  return Object.hasOwn(CONSOLE_ENDPOINTS, name);
}
