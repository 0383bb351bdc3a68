/** What was approved and is not performed yet: how long it may be taken back, and the button that does. */
import type { ApprovalInfo } from "../../../src/api/index.ts";
import { useRole } from "../../app/session.ts";
import { Button, Failure, Untrusted, useNow } from "../../parts/index.ts";
import type { useUndo } from "./approve.ts";
import styles from "./approvals.module.css";

type Undo = ReturnType<typeof useUndo>;

export function UndoBar({ undoable, undo }: { undoable: readonly ApprovalInfo[]; undo: Undo }) {
  const now = useNow();
  const mayUndo = useRole("approver");
  if (undoable.length === 0 && undo.error === null) return null;
  return (
    <section aria-label="May be taken back" className={styles.undo}>
      {undo.error === null ? null : <Failure error={undo.error} />}
      <ul>
        {undoable.map((one) => (
          <li key={one.id}>
            <span className={styles.undoText}>
              <Untrusted text={one.summary} />
              <span className={styles.quiet}>{whenText(one, now)}</span>
            </span>
            {mayUndo ? (
              <Button
                onClick={() => undo.mutate({ id: one.id })}
                aria-label={`Undo: take back the yes to ${one.id}`}
              >
                Undo
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

function whenText({ notBefore = "", mayBeginUntil }: ApprovalInfo, now: number): string {
  if (mayBeginUntil !== undefined) {
    return `its run may begin it for ${leftText(Date.parse(mayBeginUntil) - now)}`;
  }
  return `is done in ${leftText(Date.parse(notBefore) - now)}`;
}

/** `0:27`; in hours where it is long. */
export function leftText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds >= 7200) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
