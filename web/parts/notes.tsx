/** What stands where there is nothing (yet), or where something failed: each says what to do. */
import type { ReactNode } from "react";
import { ApiFault } from "../calls/index.ts";
import styles from "./notes.module.css";

/** Teaches: what will be here, and the command that makes it so. */
export function Empty({
  title,
  children,
  command,
}: {
  title: string;
  children?: ReactNode;
  command?: string;
}) {
  return (
    <div className={styles.empty}>
      <h2>{title}</h2>
      {children === undefined ? null : <p>{children}</p>}
      {command === undefined ? null : <Command line={command} />}
    </div>
  );
}

/** A refusal, as the server words it, with its fix. */
export function Failure({ error }: { error: unknown }) {
  const hint = error instanceof ApiFault ? error.hint : undefined;
  return (
    <div className={styles.failure} role="alert">
      <strong>{error instanceof Error ? error.message : String(error)}</strong>
      {hint === undefined ? null : <p>{hint}</p>}
    </div>
  );
}

export function Loading({ what = "Loading" }: { what?: string }) {
  return (
    <p className={styles.loading} role="status">
      {what}…
    </p>
  );
}

/** A command line to copy. */
export function Command({ line }: { line: string }) {
  return (
    <span className={styles.command}>
      <code>{line}</code>
      <button
        type="button"
        onClick={() => void navigator.clipboard.writeText(line)}
        aria-label={`Copy: ${line}`}
      >
        copy
      </button>
    </span>
  );
}
