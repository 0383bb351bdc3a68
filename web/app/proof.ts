/**
 * A passkey's signature under a decision, for whoever has one that may decide, and for everybody where it is required.
 *
 * @module
 */
import type { Asks } from "../../src/api/index.ts";
import { ask, type Proof } from "../calls/index.ts";
import { sign } from "./passkey.ts";

/** The decision, all that it says: `{ decision: "approve", allowance }`, `{ decision: "deny", reason }`. */
export type Said = Asks<"passkey.prove">["said"];

/** What goes with the decision on `id`, over the card whose action has `digest`. @throws {ApiFault} where none is given. */
export async function prove(
  id: string,
  said: Said,
  digest?: string,
): Promise<{ readonly proof?: Proof }> {
  const [session, passkeys, { needsProof }] = await Promise.all([
    ask("session.show", {}),
    ask("passkey.list", {}),
    ask("approvals.channels", {}),
  ]);
  const isTheirs = passkeys.some(
    ({ person, rpId, roles }) =>
      person === session.person && rpId === location.hostname && roles.includes("approver"),
  );
  if (!isTheirs && !needsProof) return {};
  return {
    proof: await sign(
      await ask("passkey.prove", { id, said, ...(digest === undefined ? {} : { digest }) }),
    ),
  };
}

/** The same for a body that replaces what waits; in base64. */
export async function proveEdit(id: string, body: string): Promise<{ readonly proof?: Proof }> {
  const bytes = Uint8Array.from(atob(body), (one) => one.codePointAt(0) ?? 0);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return prove(id, { decision: "edit", sha256 });
}
