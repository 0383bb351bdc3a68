/**
 * The editor, CodeMirror in a shadow root: there its styles are sheets of the script's, which the content policy lets be,
 * and no style element. Faults come from the server's parser, help and options from its schema.
 *
 * @module
 */
import { autocompletion, type Completion, type CompletionContext } from "@codemirror/autocomplete";
import { yaml } from "@codemirror/lang-yaml";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, hoverTooltip, type Tooltip } from "@codemirror/view";
import { basicSetup } from "codemirror";
import { useEffect, useRef } from "react";
import type { TaskProblem } from "../../../src/api/index.ts";
import { ask } from "../../calls/index.ts";
import { EDITOR_LOOK } from "./editor-look.ts";
import styles from "./tasks.module.css";

export interface EditorProps {
  readonly text: string;
  readonly problems: readonly TaskProblem[];
  /** Absent where it is only read. */
  readonly onChange?: (text: string) => void;
  readonly onSave?: () => void;
  /** Where the cursor goes first, and whenever this is another; 0: nowhere. */
  readonly line?: number;
}

export function Editor({ text, problems, onChange, onSave, line = 0 }: EditorProps) {
  const holder = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const acts = useRef({ onChange, onSave });
  useEffect(() => {
    acts.current = { onChange, onSave };
  });
  const isReadOnly = onChange === undefined;
  const first = useRef(text);
  useEffect(() => {
    if (holder.current === null) return undefined;
    const root = holder.current.shadowRoot ?? holder.current.attachShadow({ mode: "open" });
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: first.current,
        extensions: [
          basicSetup,
          yaml(),
          lintGutter(),
          helped,
          EDITOR_LOOK,
          EditorState.tabSize.of(2),
          EditorState.readOnly.of(isReadOnly),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": "Task file", tabindex: "0" }),
          EditorView.updateListener.of(({ docChanged, state }) => {
            if (docChanged) acts.current.onChange?.(state.doc.toString());
          }),
          EditorView.domEventHandlers({
            keydown: (event) => {
              if (event.key !== "s" || !(event.ctrlKey || event.metaKey)) return false;
              event.preventDefault();
              acts.current.onSave?.();
              return true;
            },
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      editor.destroy();
      view.current = undefined;
    };
  }, [isReadOnly]);

  useEffect(() => {
    const editor = view.current;
    if (editor === undefined || editor.state.doc.toString() === text) return;
    first.current = text;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
  }, [text]);

  useEffect(() => {
    const editor = view.current;
    if (editor === undefined) return;
    const { doc } = editor.state;
    const told = problems.map(({ line: at, column, message, hint }) => {
      const { from, to, length } = doc.line(Math.min(at, doc.lines));
      const start = from + Math.min(column - 1, length);
      return {
        from: start,
        to: Math.max(start, to),
        severity: "error" as const,
        message: hint === "" ? message : `${message}; ${hint}`,
      };
    });
    editor.dispatch(setDiagnostics(editor.state, told));
  }, [problems]);

  useEffect(() => {
    const editor = view.current;
    if (editor === undefined || line < 1) return;
    const at = editor.state.doc.line(Math.min(line, editor.state.doc.lines)).from;
    editor.dispatch({ selection: { anchor: at }, scrollIntoView: true });
    editor.focus();
  }, [line]);

  return <div ref={holder} className={styles.editor} />;
}

const WORD = /[\w.*$/-]*$/;

async function helpFor(state: EditorState, pos: number) {
  const { from, number } = state.doc.lineAt(pos);
  return ask("task.help", { source: state.doc.toString(), line: number, column: pos - from + 1 });
}

async function optionsAt(context: CompletionContext) {
  const { state, pos, explicit } = context;
  const line = state.doc.lineAt(pos);
  const word = WORD.exec(line.text.slice(0, pos - line.from))?.[0] ?? "";
  if (word === "" && !explicit) return null;
  const { options, isKey } = await helpFor(state, pos);
  if (options.length === 0 || context.aborted) return null;
  const isFollowed = /^\s*:/.test(line.text.slice(pos - line.from));
  return {
    from: pos - word.length,
    validFor: /^[\w.*$/-]*$/,
    options: options.map(({ label, detail, says }): Completion => ({
      label,
      detail,
      type: isKey ? "property" : "constant",
      apply: isKey && !isFollowed ? `${label}: ` : label,
      ...(says === "" ? {} : { info: says }),
    })),
  };
}

async function toldAt(view: EditorView, pos: number): Promise<Tooltip | null> {
  const { path, isKey, word, says } = await helpFor(view.state, pos);
  if (says === "" || word === "") return null;
  return {
    pos,
    above: true,
    create: () => {
      const dom = document.createElement("div");
      dom.className = "cm-told";
      const title = document.createElement("strong");
      title.textContent = isKey ? [path, word].filter((part) => part !== "").join(".") : path;
      const text = document.createElement("p");
      text.textContent = says;
      dom.append(title, text);
      return { dom };
    },
  };
}

const helped: Extension = [
  autocompletion({ override: [optionsAt], icons: false }),
  hoverTooltip(toldAt, { hoverTime: 350 }),
];
