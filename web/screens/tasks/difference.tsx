/** What changes between two texts, one within the other, as it would be saved. */
import { yaml } from "@codemirror/lang-yaml";
import { unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, highlightSpecialChars, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { EDITOR_LOOK } from "./editor-look.ts";
import styles from "./tasks.module.css";

export interface DifferenceProps {
  readonly before: string;
  readonly after: string;
  readonly label: string;
}

export function Difference({ before, after, label }: DifferenceProps) {
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (holder.current === null) return undefined;
    const root = holder.current.shadowRoot ?? holder.current.attachShadow({ mode: "open" });
    const view = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: after,
        extensions: [
          lineNumbers(),
          highlightSpecialChars(), // What is unseen, or turns text round, is marked as in the editor.
          yaml(),
          EDITOR_LOOK,
          EditorView.lineWrapping,
          EditorState.readOnly.of(true),
          EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
          unifiedMergeView({
            original: before,
            mergeControls: false,
            collapseUnchanged: { margin: 3, minSize: 5 },
          }),
        ],
      }),
    });
    return () => view.destroy();
  }, [before, after, label]);
  return <div ref={holder} className={styles.difference} />;
}
