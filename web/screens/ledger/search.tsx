/** The search box, which teaches its few words, and what the result is made of. */
import { useEffect, useId, useRef, useState } from "react";
import type { RecordQuery } from "../../../src/api/index.ts";
import { useCall } from "../../calls/index.ts";
import { countText, Untrusted, useKeys } from "../../parts/index.ts";
import { FACETS, parseQuery, toggled, TYPES, type Choice } from "./query.ts";
import styles from "./ledger.module.css";

const SETTLE_MS = 250;

/** The text is its own while one types; `onText` hears it when one has stopped. */
export function Search({ text, onText }: { text: string; onText: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  const box = useRef<HTMLInputElement>(null);
  const id = useId();
  // What was changed elsewhere (a facet, the address) stands here, too.
  useEffect(() => setTyped(text), [text]);
  useEffect(() => {
    if (typed === text || parseQuery(typed).problem !== undefined) return undefined;
    const timer = setTimeout(() => onText(typed), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [typed, text, onText]);
  useKeys({ "/": () => box.current?.focus() });
  const { problem } = parseQuery(typed);
  return (
    <search className={styles.search}>
      <label htmlFor={id} className="visually-hidden">
        Search the record
      </label>
      <input
        ref={box}
        id={id}
        type="search"
        value={typed}
        spellCheck={false}
        autoComplete="off"
        placeholder="Search: type:denial run:r-… git push"
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-help`}
        onChange={({ target }) => setTyped(target.value)}
        onKeyDown={({ key }) => {
          if (key === "Enter" && problem === undefined) onText(typed);
        }}
      />
      <p id={`${id}-help`} role={problem === undefined ? undefined : "alert"}>
        {problem === undefined ? (
          <>
            Press <kbd>/</kbd> to search. Words must all occur, each by its beginning.
          </>
        ) : (
          <span className={styles.problem}>{problem}</span>
        )}
      </p>
      <Teaching onText={onText} />
    </search>
  );
}

const EXAMPLES: readonly (readonly [string, string])[] = [
  ["type:denial,finding", "what was refused or noticed"],
  ["verdict:deny effect:publish,send", "what would have gone out, and did not"],
  ["finding:scan", "one kind of finding"],
  ["system:git push", "a word within one system"],
  ["since:2026-11-27 until:2026-11-28", "a day"],
  ["from:1000 to:2000", "entries by their numbers"],
];

function Teaching({ onText }: { onText: (text: string) => void }) {
  return (
    <details className={styles.teaching}>
      <summary>How to search</summary>
      <p>
        <code>run: type: verdict: system: effect: finding: since: until: from: to:</code> narrow; a
        comma is “or”. Quotes keep words together: <code>system:"my blog"</code>.
      </p>
      <ul>
        {EXAMPLES.map(([example, what]) => (
          <li key={example}>
            <button type="button" onClick={() => onText(example)}>
              <code>{example}</code>
            </button>{" "}
            {what}
          </li>
        ))}
      </ul>
    </details>
  );
}

const SHOWN_MAX = 8;
const LABELS: Readonly<Record<Choice, string>> = {
  type: "Type",
  verdict: "Verdict",
  effect: "Effect",
  finding: "Finding",
  system: "System",
  run: "Run",
};
const ORDER: readonly Choice[] = ["type", "verdict", "finding", "effect", "system", "run"];

/** What the result is made of; a click narrows to it, or undoes that. */
export function Facets(props: {
  readonly query: RecordQuery;
  readonly text: string;
  readonly onText: (text: string) => void;
}) {
  const { query, text, onText } = props;
  const { data } = useCall("ledger.facets", { query });
  return (
    <div className={styles.facets}>
      {ORDER.filter((key) => FACETS.includes(key)).map((key) => {
        const counts = Object.entries(data?.[key] ?? {}).toSorted(([, a], [, b]) => b - a);
        const chosen: readonly string[] = query[key] ?? [];
        if (counts.length === 0 && chosen.length === 0) return null;
        return (
          <fieldset key={key}>
            <legend>{LABELS[key]}</legend>
            {counts.slice(0, SHOWN_MAX).map(([value, count]) => (
              <button
                key={value}
                type="button"
                aria-pressed={chosen.includes(value)}
                title={key === "type" ? TYPES[value as keyof typeof TYPES] : undefined}
                onClick={() => onText(toggled(text, key, value))}
              >
                <span>
                  <Untrusted text={value} />
                </span>
                <span className={styles.figure}>{countText(count)}</span>
              </button>
            ))}
            {counts.length > SHOWN_MAX ? <small>{counts.length - SHOWN_MAX} more</small> : null}
          </fieldset>
        );
      })}
    </div>
  );
}
