/**
 * Text that an agent or a server wrote. It may carry characters that are not seen, or that reorder what is: each is
 * spelled out, and a word of letters of several alphabets, as look-alike names are, is marked.
 *
 * @module
 */
import type { ReactNode } from "react";
// This file alone: the face has what only Node can load.
import { codePointText, UNSEEN_IN_LINES } from "../../src/base/visible-text.ts";
import styles from "./text.module.css";

const UNSEEN_ALL = new RegExp(`(${UNSEEN_IN_LINES.source})`, "gu");
const WORD = /([\p{L}\p{M}\p{N}_.@-]+)/u;
const LOOKALIKE = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
];

/** `text` with what is unseen made visible. `isBlock` keeps its lines. */
export function Untrusted({ text, isBlock = false }: { text: string; isBlock?: boolean }) {
  return <bdi className={isBlock ? styles.block : styles.line}>{marked(text)}</bdi>;
}

/** The same for where only characters go: a title, a label of a control. */
export function spelledText(text: string): string {
  return text.replaceAll(UNSEEN_ALL, codePointText);
}

function marked(text: string): ReactNode {
  if (!UNSEEN_IN_LINES.test(text) && isAscii(text)) return text;
  return text.split(WORD).map((part, at) =>
    isMixed(part) ? (
      <mark key={at} className={styles.mixed} title="letters of several alphabets">
        {spelled(part)}
      </mark>
    ) : (
      <span key={at}>{spelled(part)}</span>
    ),
  );
}

function spelled(text: string): ReactNode {
  return text.split(UNSEEN_ALL).map((part, at) =>
    at % 2 === 0 ? (
      part
    ) : (
      <span key={at} className={styles.unseen}>
        {codePointText(part)}
      </span>
    ),
  );
}

function isMixed(word: string): boolean {
  return LOOKALIKE.filter((script) => script.test(word)).length > 1;
}

function isAscii(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- ASCII is what it is.
  return /^[\x00-\x7f]*$/.test(text);
}
