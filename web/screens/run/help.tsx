/** The keys of this screen. */
import { Button, Dialog } from "../../parts/index.ts";
import styles from "./run.module.css";

const KEYS = [
  ["j, k", "the next item, the one before"],
  ["Enter", "opens it: what led to it, and what came of it"],
  ["[, ]", "the refusal or finding before, the next"],
  [":", "jump to an entry or a time"],
  ["/", "find"],
  ["Esc", "close the detail"],
  ["space, ←, →", "in a recording: play or pause, five seconds back or on"],
] as const;

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className={styles.help}>
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div className={styles.buttons}>
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}
