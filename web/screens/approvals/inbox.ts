/**
 * What waits, as it is now: read once, then kept by the tab's stream.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import type { ApprovalInfo } from "../../../src/api/index.ts";
import { keyOf, useCall, type ApiFault } from "../../calls/index.ts";
import { useLive } from "../../live/index.ts";

const OPEN: ReadonlySet<string> = new Set(["requested", "shown", "approved", "performing"]);
const WAITS: ReadonlySet<string> = new Set(["requested", "shown"]);
const LIST = { all: false } as const;

export interface Inbox {
  /** Waits for a person, oldest first. */
  readonly waiting: readonly ApprovalInfo[];
  /** Approved, and waits for its time: may be taken back. */
  readonly undoable: readonly ApprovalInfo[];
  readonly isPending: boolean;
  readonly error: ApiFault | null;
}

export function useInbox(): Inbox {
  const { data = [], isPending, error } = useCall("approvals.list", LIST);
  const queries = useQueryClient();
  useLive("approvals", ({ event, data: changed }) => {
    if (event === "approvals") {
      for (const name of ["approvals.list", "approvals.show"] as const) {
        void queries.invalidateQueries({ queryKey: keyOf(name) });
      }
    }
    if (event !== "approval") return;
    const one = changed as ApprovalInfo;
    queries.setQueryData<readonly ApprovalInfo[]>(keyOf("approvals.list", LIST), (list = []) =>
      withChanged(list, one),
    );
    void queries.invalidateQueries({ queryKey: keyOf("approvals.show", { id: one.id }) });
  });
  return {
    waiting: data.filter(isWaiting),
    undoable: data.filter(
      ({ state, notBefore }) => state === "approved" && notBefore !== undefined,
    ),
    isPending,
    error,
  };
}

export function isWaiting({ state }: Pick<ApprovalInfo, "state">): boolean {
  return WAITS.has(state);
}

function withChanged(list: readonly ApprovalInfo[], one: ApprovalInfo): readonly ApprovalInfo[] {
  if (!OPEN.has(one.state)) return list.filter(({ id }) => id !== one.id);
  const at = list.findIndex(({ id }) => id === one.id);
  return at < 0 ? [...list, one] : list.with(at, one);
}
