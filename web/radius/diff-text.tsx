/** A unified diff, line by line; what goes and what comes is told by its sign, too. */
import { Untrusted } from "../parts/index.ts";
import styles from "./radius.module.css";

export function DiffText({ diff, label }: { diff: string; label: string }) {
  const lines = diff.trimEnd().split("\n");
  return (
    // A long line is reached by keys, too.
    <pre className={styles.diff} tabIndex={0} role="region" aria-label={label}>
      {lines.map((line, at) => (
        <span key={at} data-kind={kindOf(line)}>
          <Untrusted text={line === "" ? " " : line} />
          {"\n"}
        </span>
      ))}
    </pre>
  );
}

function kindOf(line: string): string | undefined {
  if (line.startsWith("+++ ") || line.startsWith("--- ")) return "head";
  if (line.startsWith("@@")) return "place";
  return line.startsWith("+") ? "add" : line.startsWith("-") ? "drop" : undefined;
}
