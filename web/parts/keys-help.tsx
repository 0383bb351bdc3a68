/** The keys of a screen, in a dialog. */
import type { ReactNode } from "react";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import styles from "./keys-help.module.css";

export function KeysHelp(props: {
  readonly keys: readonly (readonly [key: string, what: string])[];
  readonly onClose: () => void;
  readonly children?: ReactNode;
}) {
  const { keys, onClose, children } = props;
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className={styles.keys}>
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      {children}
      <Button onClick={onClose}>Close</Button>
    </Dialog>
  );
}
