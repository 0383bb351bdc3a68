/**
 * What answers the endpoints on passkeys, and who decides where one signed.
 *
 * @module
 */
import type { DecisionSaid, PasskeyInfo, Takes } from "../api/index.ts";
import { changedSince, passkeyIdentity } from "../approval/index.ts";
import { Fault, type Clock } from "../base/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { Change, Passkey, Statement } from "../passkey/index.ts";
import type { Handlers } from "./server.ts";
import type { World } from "./world.ts";

type PasskeyHandlers = Pick<Handlers, Extract<keyof Handlers, `passkey.${string}`>>;
export type Proof = Takes<"passkey.signIn">;

/** A decision over what waits. */
export interface Decided {
  readonly id: string;
  readonly said: DecisionSaid;
  /** Of the action that was shown, where whoever decides says so. */
  readonly digest?: string | undefined;
}

type Asked = Pick<World, "desk" | "passkeys">;

const SIGN_IN = { for: "sign-in" } as const;

export function passkeyHandlers(world: Asked): PasskeyHandlers {
  const { passkeys } = world;
  return {
    "passkey.list": async () => passkeys.list().map(infoOf),
    "passkey.prove": async (decided) => passkeys.ask(statementOf(world, decided)),
    "passkey.enrol": async (whose) => {
      const { algorithms, known, ...offer } = passkeys.offer(whose);
      return { ...offer, algorithms: [...algorithms], known: [...known] };
    },
    "passkey.register": async ({ made, by, ...whose }) =>
      infoOf(await passkeys.add(whose, made, by)),
    "passkey.remove": async ({ id, by }, { uid }) =>
      infoOf(await passkeys.remove(id, by ?? `cli:${uid}`)),
    "passkey.challenge": async () => passkeys.ask(SIGN_IN),
    "passkey.signIn": async (signed) => {
      const { person, roles } = await passkeys.believe(SIGN_IN, signed);
      return { person, roles };
    },
  };
}

/**
 * The person whose passkey signed this very decision over the approval as it stands now (INV-208).
 *
 * @throws {Fault} `passkey.nonce`, `passkey.unknown`, `passkey.refused`, `passkey.role`
 */
export async function provenDecider(
  world: Asked,
  decided: Decided,
  proof: Proof,
): Promise<{ readonly by: string; readonly digest: string }> {
  const statement = statementOf(world, decided);
  const { person, roles } = await world.passkeys.believe(statement, proof);
  if (!roles.includes("approver")) {
    throw new Fault("passkey.role", `${person}'s passkey is none of an approver's`, {
      hint: "remove it and add it anew with the role, as the owner: `cofferdam console`",
    });
  }
  return { by: passkeyIdentity(person), digest: statement.action };
}

function statementOf(
  { desk }: Pick<World, "desk">,
  { id, said, digest }: Decided,
): Extract<Statement, { for: "decision" }> {
  const { decision, ...terms } = said;
  const { action } = desk.approvals.show(id);
  if (digest !== undefined && digest !== action.digest) throw changedSince(id);
  return { for: "decision", approval: id, action: action.digest, decision, terms };
}

/** Puts on record whose passkey came or went, and by whom. */
export async function recordPasskey(
  { clock, ledger }: { readonly clock: Clock; readonly ledger: Ledger },
  { done, passkey, by }: Change,
): Promise<void> {
  const { wallMs, monoMs } = clock.now();
  const { id, person, label, roles, rpId } = passkey;
  const data = {
    ...{ action: done, credential: passkeyIdentity(person), kind: "passkey", fingerprint: id },
    ...{ by, label, roles },
    detail: `${done} passkey ${id} of ${person}`,
  };
  const at = new Date(wallMs).toISOString();
  await ledger.append({ type: "credential", at, monoMs, target: rpId, data }, { sync: true });
}

function infoOf({ id, person, label, roles, rpId, createdAt, usedAt }: Passkey): PasskeyInfo {
  const used = usedAt === undefined ? {} : { usedAt };
  return { id, person, label, roles, rpId, createdAt, ...used };
}
