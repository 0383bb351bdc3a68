/**
 * Tokens of one SQL text as MariaDB and MySQL read it, with `sql_mode` and character set as the broker pins them (utf8mb4;
 * backslashes escape, double quotes are strings). What another version, mode or client could read in another way is
 * refused here: executable comments, hints, `--` without a space, backslashes outside of strings, odd control bytes,
 * braces of ODBC, introducers of other character sets. docs/decisions/0286.
 *
 * @module
 */

export type SqlToken = {
  /** A bare word; a quoted name; a string; a number; `?`; `@x` or `@@x`; whatever else, by its own text. */
  readonly kind: "word" | "quoted" | "string" | "number" | "parameter" | "variable" | "sign";
  /** A word in lower case, a quoted name unquoted, a string's text as far as it is needed, else as written. */
  readonly text: string;
  /** As written; of a word, with its capitals. */
  readonly raw: string;
  readonly start: number;
  readonly end: number;
  /** Whether something stands between it and the token before. */
  readonly isApart: boolean;
};

/** A text that is not read; `reason` completes "the statement ...". */
export interface SqlRefusal {
  readonly reason: string;
}

const TOKENS_MAX = 200_000;
const CHARSETS = new Set(["_utf8mb4", "_utf8", "_utf8mb3", "_binary", "_latin1", "_ascii"]);
const SIGNS = [
  "<=>",
  "->>",
  "<<",
  ">>",
  "<=",
  ">=",
  "<>",
  "!=",
  ":=",
  "&&",
  "||",
  "->",
  ..."(),.;=<>+-*/%&|^~!:".split(""),
]; // Longest first.
const WORD = /[A-Za-z_$\u0080-\u{10ffff}][\w$\u0080-\u{10ffff}]*/uy;
const NUMBER = /(?:0x[0-9a-fA-F]+|0b[01]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)/y;
const VARIABLE = /@@?(?:(?:global|session|local)\.)?[\w$.]+|@(?=[\s,;)=:]|$)/iy;
const SPACE = /[ \t\r\n]+/y;

/** Reads `text`. */
export function readSql(text: string): readonly SqlToken[] | SqlRefusal {
  const tokens: SqlToken[] = [];
  let isApart = true;
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const add = (kind: SqlToken["kind"], raw: string, value = raw) => {
    tokens.push({ kind, text: value, raw, start: at, end: at + raw.length, isApart });
    at += raw.length;
    isApart = false;
  };
  while (at < text.length) {
    const one = text[at] ?? "";
    const space = match(SPACE);
    if (space !== undefined) {
      at += space.length;
      isApart = true;
      continue;
    }
    if (tokens.length >= TOKENS_MAX) return { reason: "is too long" };
    if (text.startsWith("/*", at)) {
      if (/^\/\*(?:!|M!|\+)/i.test(text.slice(at, at + 4))) {
        return { reason: "has a comment that servers execute or take as a hint" };
      }
      const end = text.indexOf("*/", at + 2);
      if (end < 0) return { reason: "has a comment without an end" };
      // Some versions count openings, others do not.
      if (text.slice(at + 2, end).includes("/*")) return { reason: "has a comment in a comment" };
      at = end + 2;
      isApart = true;
      continue;
    }
    if (one === "#" || text.startsWith("--", at)) {
      if (one === "-" && !/^--(?:[ \t\r\n]|$)/.test(text.slice(at, at + 3))) {
        return {
          reason: "has -- without a space after it: a comment to some, two signs to others",
        };
      }
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end;
      isApart = true;
      continue;
    }
    if (one === "'" || one === '"') {
      const end = endOfString(text, at);
      if (end === undefined) return { reason: "has a string without an end" };
      const before = tokens.at(-1);
      // An introducer, with or without a space: _gbk 'x'.
      if (before?.kind === "word" && before.text.startsWith("_") && !CHARSETS.has(before.text)) {
        return { reason: "has a string of another character set" };
      }
      const raw = text.slice(at, end);
      add("string", raw, raw.slice(1, -1));
      continue;
    }
    if (one === "`") {
      const end = endOfQuoted(text, at);
      const name = end === undefined ? "" : text.slice(at + 1, end - 1).replaceAll("``", "`");
      if (end === undefined || name === "") return { reason: "has a quoted name without an end" };
      add("quoted", text.slice(at, end), name);
      continue;
    }
    if (one === "@") {
      const name = match(VARIABLE);
      if (name === undefined || name === "@")
        return { reason: "has a variable in an odd spelling" };
      add("variable", name, name.toLowerCase());
      continue;
    }
    if (one === "?") {
      add("parameter", one);
      continue;
    }
    const before = tokens.at(-1);
    // After a dot a name may begin with a digit; `1.e` and `a.1b` are read differently by versions.
    const number = match(NUMBER);
    if (number !== undefined) {
      const next = text[at + number.length] ?? "";
      const isGlued = /[\w$\u0080-\u{10ffff}]/u.test(next) || next === ".";
      const isAfterName = !isApart && before?.text === "." && before.kind === "sign";
      if (isGlued || isAfterName || (one === "." && isNameLike(before) && !isApart)) {
        if (!(one === "." && isNameLike(before))) {
          return { reason: "has a number and a name in one word" };
        }
      } else {
        add("number", number);
        continue;
      }
    }
    const word = match(WORD);
    if (word !== undefined) {
      add("word", word, word.toLowerCase());
      continue;
    }
    const sign = SIGNS.find((known) => text.startsWith(known, at));
    if (sign === undefined) return { reason: `has ${JSON.stringify(one)} where nobody expects it` };
    add("sign", sign);
  }
  return tokens;
}

/** Whether `token` may be followed by `.name`. */
function isNameLike(token: SqlToken | undefined): boolean {
  return token !== undefined && (token.kind === "word" || token.kind === "quoted");
}

/** Behind the closing quote of the string at `start`. */
function endOfString(text: string, start: number): number | undefined {
  const quote = text[start] ?? "";
  for (let at = start + 1; at < text.length; at += 1) {
    const one = text[at];
    if (one === "\\") at += 1;
    else if (one === quote) {
      if (text[at + 1] !== quote) return at + 1;
      at += 1;
    }
  }
  return undefined;
}

function endOfQuoted(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] !== "`") continue;
    if (text[at + 1] !== "`") return at + 1;
    at += 1;
  }
  return undefined;
}

/** What stands in a string token, without its escapes. */
export function stringValue({ text, raw }: SqlToken): string {
  const quote = raw[0] ?? "'";
  const known: Readonly<Record<string, string>> = {
    n: "\n",
    t: "\t",
    r: "\r",
    "0": "\0",
    b: "\b",
    Z: "\u001a",
  };
  return text
    .replaceAll(/\\([\s\S])/g, (_, one: string) => known[one] ?? one)
    .replaceAll(quote + quote, quote);
}

/** Controls other than white space; a server may stop reading at them, or skip them. */
export function hasOddBytes(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]/.test(text);
}
