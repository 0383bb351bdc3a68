/**
 * Long texts of others: all of it can be reached, and what is not on the page yet says so. Until it is, nothing that
 * holds it can be approved (`data-cut`).
 *
 * @module
 */
import { useState } from "react";
import { Button, Untrusted, countText } from "../../parts/index.ts";
import styles from "./approvals.module.css";

const FIRST_CHARS = 20_000;
const MORE_CHARS = 200_000;
const ROW_CHARS = 4000; // The browser lays out only rows that are in sight.

export function LongText({ text }: { text: string }) {
  const [chars, setChars] = useState(FIRST_CHARS);
  const left = text.length - chars;
  return (
    <div className={styles.long}>
      {rowsOf(text.slice(0, chars)).map((row, at) => (
        <div key={at} className={styles.row}>
          <Untrusted text={row} isBlock />
        </div>
      ))}
      {left <= 0 ? null : (
        <p data-cut className={styles.cut}>
          {countText(left)} characters more{" "}
          <Button onClick={() => setChars(chars + MORE_CHARS)}>Show more</Button>
        </p>
      )}
    </div>
  );
}

/** Pieces of whole lines, where lines are not longer than that. */
function rowsOf(text: string): readonly string[] {
  const rows: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = Math.min(at + ROW_CHARS, text.length);
    const line = end === text.length ? end : text.lastIndexOf("\n", end) + 1;
    const next = line > at ? line : end;
    rows.push(text.slice(at, next).replace(/\n$/, ""));
    at = next;
  }
  return rows.length === 0 ? [""] : rows;
}

/** Lines of a difference: what goes, what comes. */
export function Difference({ lines, label }: { lines: readonly string[]; label: string }) {
  const [max, setMax] = useState(400);
  return (
    <div className={styles.difference} role="group" aria-label={label}>
      {lines.slice(0, max).map((line, at) => (
        <div key={at} className={toneOf(line)}>
          <Untrusted text={line} isBlock />
        </div>
      ))}
      {lines.length <= max ? null : (
        <p data-cut className={styles.cut}>
          {countText(lines.length - max)} lines more{" "}
          <Button onClick={() => setMax(max + 5000)}>Show more</Button>
        </p>
      )}
    </div>
  );
}

function toneOf(line: string): string | undefined {
  if (line.startsWith("+")) return styles.comes;
  return line.startsWith("-") ? styles.goes : undefined;
}

/** Items of others, one a line. */
export function Lines({ items }: { items: readonly string[] }) {
  return (
    <ul className={styles.lines}>
      {items.map((item, at) => (
        <li key={at}>
          <Untrusted text={item} isBlock />
        </li>
      ))}
    </ul>
  );
}

/** JSON of others, laid out, nothing left out. */
export function JsonText({ value }: { value: unknown }) {
  return (
    <div className={styles.json}>
      <LongText text={typeof value === "string" ? value : JSON.stringify(value, undefined, 2)} />
    </div>
  );
}
