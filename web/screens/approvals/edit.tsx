/**
 * A person's own words in the place of the agent's: the body as text, JSON laid out, with what changed beside it. What
 * is made of it is shown anew, with another code, before anybody approves it.
 *
 * @module
 */
import { useMemo, useState } from "react";
import { Button, Failure } from "../../parts/index.ts";
import { useEdit } from "./approve.ts";
import { decoded, isText, textOf } from "./bytes.tsx";
import { differenceOf } from "./difference.ts";
import { Difference } from "./text.tsx";
import type { Shown } from "./words.ts";
import styles from "./approvals.module.css";

export function Edit(props: {
  readonly shown: Shown;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}) {
  const { shown, onClose, onSaved } = props;
  const bytes = useMemo(() => decoded(shown.body), [shown.body]);
  const before = useMemo(() => laidOut(textOf(bytes)), [bytes]);
  const [text, setText] = useState(before);
  const edit = useEdit();
  if (!isText(bytes)) {
    return (
      <div className={styles.part}>
        <p>It is no text. `cofferdam approvals edit {shown.id}` opens it in an editor.</p>
        <Button onClick={onClose}>Back to the card</Button>
      </div>
    );
  }
  const isJson = parsed(before) !== undefined;
  const problem = isJson && parsed(text) === undefined ? "this is no JSON yet" : undefined;
  const difference = differenceOf(before, text);
  const save = () => {
    if (problem !== undefined || difference.length === 0) return;
    const made = isJson ? JSON.stringify(JSON.parse(text)) : text;
    edit.mutate({ id: shown.id, body: encoded(made) }, { onSuccess: onSaved });
  };
  return (
    <section
      className={styles.part}
      aria-label="Edit"
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <h2>Edit what is sent</h2>
      <label className={styles.reason}>
        Body{isJson ? ", as JSON" : ""}
        <textarea
          autoFocus
          spellCheck={false}
          rows={16}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <h3>What you change</h3>
      {difference.length === 0 ? (
        <p className={styles.quiet}>Nothing yet.</p>
      ) : (
        <Difference lines={difference} label="What you change" />
      )}
      {problem === undefined ? null : <p className={styles.held}>{problem}</p>}
      {edit.error === null ? null : <Failure error={edit.error} />}
      <div className={styles.buttons}>
        <Button kind="primary" disabled={problem !== undefined || edit.isPending} onClick={save}>
          Save, and show it again
        </Button>
        <Button kind="quiet" onClick={onClose}>
          Cancel
        </Button>
        <span className={styles.quiet}>The agent is told what was changed.</span>
      </div>
    </section>
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function laidOut(text: string): string {
  const value = parsed(text);
  return value === undefined ? text : JSON.stringify(value, undefined, 2);
}

function encoded(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += 8192) {
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  }
  return btoa(pieces.join(""));
}
