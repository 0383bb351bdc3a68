/**
 * The button behind which something happens. It opens with the focus on it, and does nothing at first: a key that was
 * held, a second press, a click meant for what stood there before, are no decision.
 *
 * @module
 */
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Button } from "../../parts/index.ts";
import styles from "./approvals.module.css";

/** Longer than a double click, shorter than a thought. */
const INERT_MS = 400;

export function Deliberate(props: {
  readonly label: string;
  readonly kind: "primary" | "danger";
  /** Why it cannot be pressed yet; asked at the press. */
  readonly heldBy?: () => string | undefined;
  readonly isBusy: boolean;
  readonly onPress: () => void;
  readonly onCancel: () => void;
  readonly children?: ReactNode;
}) {
  const { label, kind, heldBy, isBusy, onPress, onCancel, children } = props;
  const [isInert, setInert] = useState(true);
  const [held, setHeld] = useState<string>();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    button.current?.focus();
    const timer = setTimeout(() => setInert(false), INERT_MS);
    return () => clearTimeout(timer);
  }, []);
  const press = () => {
    if (isInert || isBusy) return;
    const why = heldBy?.();
    setHeld(why);
    if (why === undefined) onPress();
  };
  return (
    <div className={styles.deliberate} onChange={() => setHeld(undefined)}>
      {children}
      {held === undefined ? null : (
        <p role="alert" className={styles.held}>
          {held}
        </p>
      )}
      <div className={styles.buttons}>
        <button
          ref={button}
          type="button"
          className={`${styles.deliberateButton} ${styles[kind]}`}
          aria-disabled={isInert || isBusy}
          onKeyDown={(event) => {
            if (event.repeat) event.preventDefault();
          }}
          onClick={press}
        >
          {label}
        </button>
        <Button kind="quiet" onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </div>
  );
}
