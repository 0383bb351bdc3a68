/**
 * Saying yes: the one place of the console that does. Whatever a yes needs besides the code of what was shown (a
 * passkey's proof) is added here, and holds for one approval and for each of a list.
 *
 * @module
 */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Asks } from "../../../src/api/index.ts";
import { ask, type ApiFault } from "../../calls/index.ts";

const STALE = ["approvals.list", "approvals.show"] as const;

/** Where the id of the last one is kept that was approved here. */
export const LAST_YES = ["approvals.last"] as const;

export type Yes = Asks<"approvals.approve">;

/** `yes.code` is the code that came with the card that was shown. @throws {ApiFault} */
export async function approve(yes: Yes) {
  return ask("approvals.approve", yes);
}

export type YesAct = ReturnType<typeof useYes>;

export function useYes() {
  const queries = useQueryClient();
  return useMutation<Awaited<ReturnType<typeof approve>>, ApiFault, Yes>({
    mutationFn: approve,
    onSuccess: ({ id }) => void queries.setQueryData(LAST_YES, id),
    onSettled: async () => {
      await Promise.all(STALE.map((one) => queries.invalidateQueries({ queryKey: [one] })));
    },
  });
}
