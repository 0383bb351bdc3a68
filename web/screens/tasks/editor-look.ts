/** How the editor looks: the tokens of style/tokens.css, which reach into its shadow root. */
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const COLOURS = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--info)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--ok)" },
  { tag: [tags.content, tags.literal, tags.number, tags.bool], color: "var(--text)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.separator, tags.punctuation, tags.bracket], color: "var(--muted)" },
]);

export const EDITOR_LOOK: Extension = [
  syntaxHighlighting(COLOURS),
  EditorView.theme({
    "&": {
      height: "100%",
      backgroundColor: "var(--panel)",
      color: "var(--text)",
      fontSize: "13px",
    },
    "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
    ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
    ".cm-content": { caretColor: "var(--text)" },
    ".cm-cursor": { borderLeftColor: "var(--text)" },
    ".cm-gutters": {
      backgroundColor: "var(--ground)",
      color: "var(--muted)",
      borderRight: "1px solid var(--line)",
    },
    ".cm-activeLine": {
      backgroundColor: "color-mix(in oklab, var(--selected) 45%, transparent)",
    },
    ".cm-activeLineGutter": { backgroundColor: "var(--selected)", color: "var(--text)" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
      { backgroundColor: "color-mix(in oklab, var(--accent) 28%, transparent)" },
    ".cm-tooltip": {
      maxWidth: "56ch",
      border: "1px solid var(--line-strong)",
      borderRadius: "6px",
      backgroundColor: "var(--raised)",
      color: "var(--text)",
      boxShadow: "var(--shadow)",
    },
    ".cm-told, .cm-completionInfo": { padding: "6px 10px", font: "13px/1.45 var(--font)" },
    ".cm-told p": { margin: "2px 0 0" },
    ".cm-told strong": { fontFamily: "var(--mono)", fontSize: "12px" },
    ".cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "16em" },
    ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
      backgroundColor: "var(--selected)",
      color: "var(--text)",
    },
    ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal" },
    ".cm-diagnostic": { borderLeft: "3px solid var(--bad)", whiteSpace: "pre-wrap" },
    ".cm-lintRange-error": {
      backgroundImage: "none",
      textDecoration: "underline wavy var(--bad) 1px",
    },
    ".cm-panels": { backgroundColor: "var(--ground)", color: "var(--text)" },
    ".cm-changedLine, .cm-insertedLine, &.cm-merge-b .cm-changedLine": {
      backgroundColor: "var(--ok-ground)",
      textDecoration: "none",
    },
    ".cm-deletedChunk, &.cm-merge-a .cm-changedLine": { backgroundColor: "var(--bad-ground)" },
    ".cm-deletedChunk .cm-deletedText, .cm-changedText, &.cm-merge-a .cm-changedText, &.cm-merge-b .cm-changedText":
      { background: "color-mix(in oklab, var(--line-strong) 45%, transparent)" },
    ".cm-collapsedLines:before, .cm-collapsedLines:after": { content: "none" },
    ".cm-collapsedLines": {
      background: "var(--sunken)",
      color: "var(--muted)",
      border: "0",
      padding: "2px 8px",
    },
  }),
];
