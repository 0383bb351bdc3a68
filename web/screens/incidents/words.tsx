/** Sentences of a report: ours are ours, what the record says is somebody else's, and what is blackened is seen to be. */
import { Link } from "wouter";
import type { Words } from "../../../src/api/index.ts";
import { Untrusted } from "../../parts/index.ts";
import styles from "./incidents.module.css";

const BLACKENED = /(\[(?:secret|mail address|person) \d+\])/;

export function Sentence({ words }: { words: Words }) {
  return words.map((part, at) =>
    typeof part === "string" ? (
      <Blackened key={at} text={part} />
    ) : (
      <code key={at}>
        <Blackened text={part.said} />
      </code>
    ),
  );
}

/** A text of the record on its own. */
export function Blackened({ text }: { text: string }) {
  return text.split(BLACKENED).map((part, at) =>
    at % 2 === 1 ? (
      <mark key={at} className={styles.blackened}>
        {part.slice(1, -1)}
      </mark>
    ) : (
      <Untrusted key={at} text={part} />
    ),
  );
}

const ENTRIES_SHOWN = 8;

export function Entries({ of }: { of: readonly number[] }) {
  return (
    <span className={styles.entries}>
      {of.slice(0, ENTRIES_SHOWN).map((seq) => (
        <Link key={seq} to={`~/ledger/${seq}`}>
          {seq}
        </Link>
      ))}
      {of.length > ENTRIES_SHOWN ? ` and ${of.length - ENTRIES_SHOWN} more` : ""}
    </span>
  );
}
