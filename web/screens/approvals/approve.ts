/**
 * Deciding: the one place of the console that does. A passkey's signature under the decision is asked for here, and goes
 * with it: for one approval, and for each of a list.
 *
 * @module
 */
import type { Asks } from "../../../src/api/index.ts";
import { prove, proveEdit } from "../../app/proof.ts";
import { ask, useDo } from "../../calls/index.ts";

const STALE = ["approvals.list", "approvals.show"] as const;

/** Where the id of the last one is kept that was approved here. */
export const LAST_YES = ["approvals.last"] as const;

export type Yes = Asks<"approvals.approve"> & { readonly digest: string };

/** `yes.code` and `yes.digest` came with the card that was shown. @throws {ApiFault} */
export async function approve(yes: Yes) {
  const { id, digest, allowance } = yes;
  const terms = allowance === undefined ? {} : { allowance };
  const proof = await prove(id, { decision: "approve", ...terms }, digest);
  return ask("approvals.approve", { ...yes, ...proof });
}

export type YesAct = ReturnType<typeof useYes>;

export function useYes() {
  return useDo<Awaited<ReturnType<typeof approve>>, Yes>(approve, STALE);
}

export function useNo() {
  return useDo(async ({ id, reason }: Asks<"approvals.deny">) => {
    const proof = await prove(id, { decision: "deny", reason });
    return ask("approvals.deny", { id, reason, ...proof });
  }, STALE);
}

export function useUndo() {
  return useDo(async ({ id }: Asks<"approvals.undo">) => {
    const proof = await prove(id, { decision: "undo" });
    return ask("approvals.undo", { id, ...proof });
  }, STALE);
}

export function useEdit() {
  return useDo(async ({ id, body }: Asks<"approvals.edit">) => {
    const proof = await proveEdit(id, body);
    return ask("approvals.edit", { id, body, ...proof });
  }, STALE);
}
