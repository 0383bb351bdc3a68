/** A text that is not for writing here: what ships, or what a run was started with. One may look, and take a copy. */
import { useState } from "react";
import type { TaskText } from "../../../src/api/index.ts";
import { useRole } from "../../app/session.ts";
import { Button, Untrusted } from "../../parts/index.ts";
import { putDraft } from "./drafts.ts";
import { NameDialog } from "./name-dialog.tsx";
import { fileNameOf } from "./names.ts";
import { SideViews, useReading } from "./side.tsx";
import { Editor } from "./lazily.tsx";
import styles from "./tasks.module.css";

export function CopyOf(props: {
  readonly text: TaskText;
  readonly onOpen: (place: string) => void;
  readonly onClose: () => void;
}) {
  const { text, onOpen, onClose } = props;
  const [isNaming, setNaming] = useState(false);
  const mayWrite = useRole("operator");
  const reading = useReading(text.place, text.source);
  return (
    <div className={styles.desk}>
      <header className={styles.bar}>
        <Button kind="quiet" onClick={onClose}>
          ← Tasks
        </Button>
        <h1>
          <Untrusted text={fileNameOf(text.file)} />
        </h1>
        <span className={styles.state}>
          {text.place.startsWith("run/")
            ? "as a run was started with it, read only"
            : "ships with Cofferdam, read only"}
        </span>
        {mayWrite ? (
          <Button kind="primary" onClick={() => setNaming(true)}>
            Copy to edit
          </Button>
        ) : null}
      </header>
      <div className={styles.panes}>
        <Editor text={text.source} problems={reading.problems} />
        <SideViews place={text.place} text={text.source} reading={reading} />
      </div>
      {isNaming ? (
        <NameDialog
          title="Copy this task file"
          suggested={fileNameOf(text.file)}
          onClose={() => setNaming(false)}
          onName={(name) => {
            const place = `tasks/${name}`;
            putDraft({ place, text: text.source, saved: "" });
            onOpen(place);
          }}
        />
      ) : null}
    </div>
  );
}
