/**
 * Words of the rule language.
 *
 * @module
 */
import { Fault } from "../base/index.ts";

export type Token =
  | {
      readonly kind: "name" | "variable" | "string" | "sign" | "annotation";
      readonly text: string;
      readonly line: number;
    }
  | {
      readonly kind: "number";
      readonly text: string;
      readonly value: number;
      readonly line: number;
    };

/** A file of more is refused; 50,000 facts are about 5 MB. */
export const SOURCE_CHARS_MAX = 64 * 1024 * 1024;

const WORD =
  /[ \t\r]+|(\n)|#[^\n]*|([a-z][A-Za-z0-9_-]*)|([A-Z_][A-Za-z0-9_]*)|(\d+)(?![\w.])|("(?:[^"\\\n]|\\["\\nt])*")|(:-|[(),.:])|@([a-z][a-z_]*)/y;

/** Cuts `source` into words. @throws {Fault} `blast.syntax` at what is none. */
export function tokensOf(source: string, file: string): readonly Token[] {
  if (source.length > SOURCE_CHARS_MAX) {
    throw new Fault("blast.syntax", `${file}: longer than ${SOURCE_CHARS_MAX} characters`, {
      hint: "split it, or state fewer facts",
    });
  }
  const tokens: Token[] = [];
  let line = 1;
  WORD.lastIndex = 0;
  while (WORD.lastIndex < source.length) {
    const at = WORD.lastIndex;
    const match = WORD.exec(source);
    if (match === null) throw unreadable(source, at, file, line);
    const [, newline, name, variable, digits, quoted, sign, annotation] = match;
    if (newline !== undefined) line += 1;
    else if (name !== undefined) tokens.push({ kind: "name", text: name, line });
    else if (variable !== undefined) tokens.push({ kind: "variable", text: variable, line });
    else if (digits !== undefined) {
      const value = Number(digits);
      if (!Number.isSafeInteger(value)) throw unreadable(source, at, file, line);
      tokens.push({ kind: "number", text: digits, value, line });
    } else if (quoted !== undefined) tokens.push({ kind: "string", text: unquoted(quoted), line });
    else if (sign !== undefined) tokens.push({ kind: "sign", text: sign, line });
    else if (annotation !== undefined) tokens.push({ kind: "annotation", text: annotation, line });
  }
  return tokens;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t" };

function unquoted(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(.)/g, (_, char: string) => ESCAPES[char] ?? char);
}

function unreadable(source: string, at: number, file: string, line: number): Fault {
  const text = JSON.stringify(source.slice(at, at + 20));
  return new Fault("blast.syntax", `${file}:${line}: ${text} is no word of the rule language`, {
    hint: 'names are lower case, variables begin with a capital, anything else stands in "quotes"; numbers are whole',
  });
}
