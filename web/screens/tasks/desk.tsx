/** One task file that is written: the text, what it means and makes possible beside it, and the way to save it. */
import { useState } from "react";
import { Button, plural } from "../../parts/index.ts";
import { dropDraft, isChanged, putDraft, type Draft } from "./drafts.ts";
import { Editor } from "./lazily.tsx";
import { SaveDialog } from "./save-dialog.tsx";
import { SideViews, useReading } from "./side.tsx";
import styles from "./tasks.module.css";

export function TaskDesk(props: {
  readonly draft: Draft;
  readonly line: number;
  readonly mayWrite: boolean;
  readonly onClose: () => void;
}) {
  const { draft, mayWrite, onClose } = props;
  const { place, text, saved, base } = draft;
  const [line, setLine] = useState(props.line);
  const [isSaving, setSaving] = useState(false);
  const reading = useReading(place, text);
  const hasChanged = isChanged(draft);
  const maySave = mayWrite && hasChanged && reading.isCurrent && reading.problems.length === 0;
  const onText = (next: string) => putDraft({ ...draft, text: next });
  // To the same line twice is a wish, too.
  const onLine = (next: number) => {
    setLine(0);
    requestAnimationFrame(() => setLine(next));
  };
  return (
    <div className={styles.desk}>
      <header className={styles.bar}>
        <Button kind="quiet" onClick={onClose}>
          ← Tasks
        </Button>
        <h1>{place.slice("tasks/".length)}</h1>
        <span className={styles.state} role="status">
          {reading.problems.length > 0
            ? plural(reading.problems.length, "fault")
            : hasChanged
              ? "not saved"
              : "saved"}
        </span>
        {hasChanged ? (
          <Button
            kind="quiet"
            onClick={() => {
              if (base !== undefined) onText(saved);
              else {
                onClose();
                dropDraft(place);
              }
            }}
          >
            {base === undefined ? "Throw away" : "Undo all"}
          </Button>
        ) : null}
        {mayWrite ? (
          <Button kind="primary" disabled={!maySave} onClick={() => setSaving(true)}>
            Save…
          </Button>
        ) : (
          <span className={styles.state}>you may look and try; an operator saves</span>
        )}
      </header>
      <div className={styles.panes}>
        <Editor
          text={text}
          problems={reading.problems}
          line={line}
          onChange={onText}
          onSave={() => {
            if (maySave) setSaving(true);
          }}
        />
        <SideViews
          place={place}
          text={text}
          reading={reading}
          saved={saved}
          onLine={onLine}
          onText={onText}
        />
      </div>
      {isSaving ? <SaveDialog draft={draft} onClose={() => setSaving(false)} /> : null}
    </div>
  );
}
