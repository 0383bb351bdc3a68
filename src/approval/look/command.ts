/**
 * Commands: each with its words and what it does, in the very text that is sent.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import type { LookAct, LookOf } from "../../api/index.ts";
import { isMembers, textOf } from "./members.ts";
import type { Readable, Reading } from "./reading.ts";
import { actsOf, contentOf } from "./sql.ts";

type CommandLook = LookOf<"command">;

/** A command line of SSH, or commands of Redis; `undefined` where there are none. */
export function readCommand(readable: Readable): Reading | undefined {
  const { fields, kind } = readable;
  if (kind === "ssh" && typeof fields["command"] === "string") {
    return readLine(fields["command"], readable);
  }
  return kind === "redis" && Array.isArray(fields["commands"])
    ? readWords(fields["commands"], readable)
    : undefined;
}

function readLine(sent: string, { fields, parts }: Readable): Reading {
  const { asked, script, terminal, input } = fields;
  const acts = actsOf(parts);
  return {
    content: {
      kind: "command",
      of: "ssh",
      sent,
      ...(typeof asked === "string" ? { asked } : {}),
      pieces: piecesOf(sent, acts),
      acts,
      ...(typeof script === "string" ? { script } : {}),
      isTerminal: terminal === true,
      ...(isMembers(input) ? { input: contentOf(input) } : {}),
    },
    shown: ["command", "asked", "script", "terminal", "input"],
  };
}

/**
 * Where each act stands in `sent`. The broker read it, and wrote it anew from what it read; here its words are only
 * found again, one after the other. Where they are not, the text is shown as one piece.
 */
function piecesOf(sent: string, acts: readonly LookAct[]): CommandLook["pieces"] {
  const pieces: { text: string; act?: number }[] = [];
  let at = 0;
  for (const [act, { object }] of acts.entries()) {
    const found = spansOf(sent, at, object);
    if (found === undefined) return [{ text: sent }];
    const [start, end] = found;
    if (start > at) pieces.push({ text: sent.slice(at, start) });
    pieces.push({ text: sent.slice(start, end), act });
    at = end;
  }
  return at < sent.length ? [...pieces, { text: sent.slice(at) }] : pieces;
}

/** What may stand between two commands of our own spelling, and nothing else: no word of any. */
const BETWEEN = /^(?:\s*(?:\d?[<>]&?\d?(?:\/dev\/null)?))*\s*(?:\||&&|\|\||;)\s*$/;

function spansOf(
  sent: string,
  from: number,
  words: readonly string[],
): readonly [number, number] | undefined {
  const [first] = words;
  if (first === undefined || first === "") return undefined;
  const spelt = [words.join(" "), words.map(quoted).join(" ")];
  for (const text of spelt) {
    const start = sent.indexOf(text, from);
    if (start < 0) continue;
    const gap = sent.slice(from, start);
    if (from === 0 ? gap === "" : BETWEEN.test(gap)) return [start, start + text.length];
  }
  return undefined;
}

const PLAIN = /^[A-Za-z0-9_/.,:@+-][A-Za-z0-9_/.,:=@%+-]*$/;

/** As src/protocols/ssh spells a word; where that ever differs, the line is shown as one piece. */
function quoted(word: string): string {
  if (PLAIN.test(word)) return word;
  if (word === "") return "''";
  return word.replaceAll(/[^'\\]+|['\\]/g, (run) =>
    run === "'" || run === "\\" ? `\\${run}` : `'${run}'`,
  );
}

function readWords(commands: readonly Json[], { parts }: Readable): Reading {
  const lines = commands.map((words) =>
    (Array.isArray(words) ? (words as readonly Json[]) : [words]).map(textOf).map(bare).join(" "),
  );
  return {
    content: {
      kind: "command",
      of: "redis",
      sent: lines.join("\n"),
      pieces: [{ text: lines.join("\n") }],
      acts: actsOf(parts),
      isTerminal: false,
    },
    shown: ["commands"],
  };
}

/** A word as clients of Redis write it: what is not plain stands in quotes. */
function bare(word: string): string {
  return /^[^\s"'\\]+$/.test(word) ? word : JSON.stringify(word);
}
