/** What stands where there is nothing (yet), or where something failed: each says what to do. */
import { useState, type ReactNode } from "react";
import { ApiFault } from "../calls/index.ts";
import { Untrusted } from "./text.tsx";
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

/** A refusal, as the server words it, with its fix; either may cite what an agent or a server wrote. */
export function Failure({ error }: { error: unknown }) {
  const hint = error instanceof ApiFault ? error.hint : undefined;
  return (
    <div className={styles.failure} role="alert">
      <strong>
        <Untrusted text={error instanceof Error ? error.message : String(error)} />
      </strong>
      {hint === undefined ? null : (
        <p>
          <Untrusted text={hint} />
        </p>
      )}
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
  const [isCopied, setCopied] = useState(false);
  return (
    <span className={styles.command}>
      <code>{line}</code>
      <button
        type="button"
        onClick={() => void copied(line).then(setCopied)}
        onBlur={() => setCopied(false)}
        aria-label={`${isCopied ? "Copied" : "Copy"}: ${line}`}
      >
        {isCopied ? "copied" : "copy"}
      </button>
    </span>
  );
}

/** Whether it could be: a browser gives its clipboard to pages of HTTPS and of this machine alone. */
async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
