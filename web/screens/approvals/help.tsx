/** The keys of this screen. */
import { KeysHelp } from "../../parts/index.ts";
import styles from "./approvals.module.css";

const KEYS = [
  ["j, k", "the next, the one before"],
  ["a", "approve: asks once more, with the focus on the button"],
  ["d", "deny, with a reason"],
  ["e", "edit what is sent"],
  ["m", "approve, and leave for more of the same within limits"],
  ["x", "choose the open one, to go through alike ones as one list"],
  ["u", "take the last yes back, while it waits"],
  ["Esc", "back"],
] as const;

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <KeysHelp keys={KEYS} onClose={onClose}>
      <p className={styles.quiet}>No key says yes by itself.</p>
    </KeysHelp>
  );
}
