/** JSON to be read: every name and value is somebody else's text. */
import { useState, type ReactNode } from "react";
import { Untrusted } from "../../parts/index.ts";
import styles from "./json.module.css";

const TEXT_CHARS_SHOWN = 2000;
const ITEMS_SHOWN = 100;
const OPEN_DEPTH = 3;

export function Json({ value, depth = 0 }: { value: unknown; depth?: number }): ReactNode {
  if (typeof value === "string") return <Text text={value} />;
  if (typeof value !== "object" || value === null) {
    return <span className={styles.plain}>{String(value)}</span>;
  }
  const isList = Array.isArray(value);
  const members = isList
    ? value.map((item: unknown, at) => [String(at), item] as const)
    : Object.entries(value as Readonly<Record<string, unknown>>);
  if (members.length === 0) return <span className={styles.plain}>{isList ? "[]" : "{}"}</span>;
  const body = <Members members={members} isList={isList} depth={depth} />;
  if (depth < OPEN_DEPTH) return body;
  return (
    <details>
      <summary>{isList ? `${members.length} items` : `${members.length} members`}</summary>
      {body}
    </details>
  );
}

function Members(props: {
  readonly members: readonly (readonly [string, unknown])[];
  readonly isList: boolean;
  readonly depth: number;
}) {
  const { members, isList, depth } = props;
  const [shown, setShown] = useState(ITEMS_SHOWN);
  return (
    <dl className={styles.members}>
      {members.slice(0, shown).map(([name, member]) => (
        <div key={name}>
          <dt>{isList ? `${name}.` : <Untrusted text={name} />}</dt>
          <dd>
            <Json value={member} depth={depth + 1} />
          </dd>
        </div>
      ))}
      {members.length > shown ? (
        <button type="button" className={styles.more} onClick={() => setShown(shown * 10)}>
          {members.length - shown} more
        </button>
      ) : null}
    </dl>
  );
}

function Text({ text }: { text: string }) {
  const [isWhole, setIsWhole] = useState(false);
  if (text.length <= TEXT_CHARS_SHOWN || isWhole) {
    return (
      <span className={styles.text}>
        <Untrusted text={text} isBlock={text.includes("\n")} />
      </span>
    );
  }
  return (
    <span className={styles.text}>
      <Untrusted text={text.slice(0, TEXT_CHARS_SHOWN)} isBlock={text.includes("\n")} />
      <button type="button" className={styles.more} onClick={() => setIsWhole(true)}>
        all {text.length} characters
      </button>
    </span>
  );
}
