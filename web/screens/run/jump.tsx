/** Where to jump: the number of an entry, or a time since the run began. */
import { useState, type FormEvent } from "react";
import type { Asks } from "../../../src/api/index.ts";
import { Button, Dialog, Field } from "../../parts/index.ts";
import styles from "./run.module.css";

export function JumpDialog(props: {
  readonly onClose: () => void;
  readonly onJump: (find: Asks<"run.locate">["find"]) => void;
}) {
  const { onClose, onJump } = props;
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const find = soughtIn(text);
    if (find === undefined) setProblem("neither the number of an entry nor a time");
    else onJump(find);
  };
  return (
    <Dialog title="Jump to" onClose={onClose}>
      <form onSubmit={submit} className={styles.stack}>
        <Field
          label="Entry or time"
          hint="1204 is an entry of the record; 1:30 and 2.5s are times since the run began"
          value={text}
          problem={problem}
          autoFocus
          onChange={({ target }) => setText(target.value)}
        />
        <div className={styles.buttons}>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit">
            Jump
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** `1204`, `#1204`, `1:30`, `1:04:10.5`, `2.5s`, `300ms`. */
function soughtIn(text: string): Asks<"run.locate">["find"] | undefined {
  const entry = /^\s*#?(\d{1,15})\s*$/.exec(text)?.[1];
  if (entry !== undefined) return { entry: Number(entry) };
  const span = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h)\s*$/.exec(text);
  if (span !== null) {
    const unit = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 }[span[2] ?? "s"] ?? 1;
    return { ms: Number(span[1]) * unit };
  }
  const clock = /^\s*(?:(\d+):)?(\d+):(\d{1,2}(?:\.\d+)?)\s*$/.exec(text);
  if (clock === null) return undefined;
  const [hours, minutes, seconds] = clock.slice(1).map((one) => Number(one ?? 0));
  return { ms: ((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1000 };
}
