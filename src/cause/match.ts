/**
 * Whether a process executes what a call asks for, by their words.
 *
 * @module
 */
import { blackenSecrets } from "../git/index.ts";
import { bare, type Command } from "./asks.ts";

/** Where an argument was cut (src/provenance, src/daemon/recorder). */
const CUT = "…";
/** Least common text of a cut argument and a command, in bare characters. */
const PREFIX_MIN = 16;
/** Shorter texts stand in many words by chance (`ls` in `false`): there they must stand between separators. */
const CHANCE_MAX = 8;
const SEPARATOR = /[\s'"`;&|()]/;

/** A process's words, made ready to be compared with many commands. */
export interface Words {
  /** Each argument, bare, and whether it was cut. */
  readonly each: readonly {
    readonly text: string;
    readonly bare: string;
    readonly isCut: boolean;
  }[];
  /** The whole command line with the name of the program instead of its path. */
  readonly line: Text;
  /** Length of all arguments. */
  readonly chars: number;
}

type Text = Pick<Command, "text" | "bare">;

export function wordsOf(argv: readonly string[]): Words {
  // As in what is kept of a call (src/gateway/model-watch.ts).
  const clean = argv.map(blackenSecrets);
  const each = clean.map((text) => ({ text, bare: bare(text), isCut: text.endsWith(CUT) }));
  const [program = "", ...rest] = clean;
  const text = [program.slice(program.lastIndexOf("/") + 1), ...rest].join(" ");
  return { each, line: { text, bare: bare(text) }, chars: text.length };
}

/**
 * How surely `words` are of the process that executes `command`: near 1 where an argument holds all of it
 * (`bash -c COMMAND`), less where the argument was cut within it; 0 where not.
 */
export function executes(words: Words, command: Command): number {
  if (words.line.bare === command.bare) return 0.99; // Without a shell.
  let best = 0;
  for (const word of words.each) {
    if (word.bare === command.bare) return 0.99;
    if (holds(word, command)) best = Math.max(best, 0.97);
    else if (word.isCut && endsWithin(word.bare.slice(0, -CUT.length), command.bare)) {
      best = Math.max(best, 0.9);
    }
  }
  return best;
}

/** Whether `words` are those of a command within `command`: what a shell that was told it starts. */
export function isWithin(words: Words, command: Command): boolean {
  if (command.simple.has(words.line.bare)) return true;
  // What code has a shell execute stands in the code: `tools.exec_command({cmd: "git push"})`.
  const [, flag, script] = words.each;
  const isScript = flag !== undefined && /^-[a-z]*c$/.test(flag.text) && script !== undefined;
  return isScript && script.bare.length > CHANCE_MAX && command.bare.includes(script.bare);
}

function holds(outer: Text, inner: Text): boolean {
  if (inner.bare.length > CHANCE_MAX) return outer.bare.includes(inner.bare);
  const { text } = inner;
  for (let at = outer.text.indexOf(text); at >= 0; at = outer.text.indexOf(text, at + 1)) {
    const before = outer.text[at - 1];
    const behind = outer.text[at + text.length];
    const isApart = [before, behind].every((char) => char === undefined || SEPARATOR.test(char));
    if (isApart) return true;
  }
  return false;
}

/** Whether `text` ends with the beginning of `command`. Linear: the longest border, by Knuth, Morris and Pratt. */
function endsWithin(text: string, command: string): boolean {
  const pattern = command.slice(0, text.length);
  const fail = [0];
  for (let at = 1, k = 0; at < pattern.length; at += 1) {
    while (k > 0 && pattern[at] !== pattern[k]) k = fail[k - 1] ?? 0;
    if (pattern[at] === pattern[k]) k += 1;
    fail[at] = k;
  }
  let k = 0;
  for (const char of text) {
    while (k > 0 && (k === pattern.length || char !== pattern[k])) k = fail[k - 1] ?? 0;
    if (char === pattern[k]) k += 1;
  }
  return k >= PREFIX_MIN;
}
