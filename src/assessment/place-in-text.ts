/**
 * Where in a task file a cursor stands, also while its text is no YAML yet: by indentation and brackets alone. Good enough to
 * help whoever writes; what a file means only the parser says.
 *
 * @module
 */

export type Path = readonly (string | number)[];

export interface Spot {
  /** Of the value that is written, or of the map in which a key is. */
  readonly path: Path;
  readonly isKey: boolean;
  /** The word at the cursor, as far as it goes. */
  readonly word: string;
}

export interface Outline {
  readonly spot: Spot;
  /** Plain values of the whole text, by their path in JSON. */
  readonly values: ReadonlyMap<string, string>;
}

/** A key or list entry that is open where a line begins. */
interface Level {
  readonly indent: number;
  readonly isEntry: boolean;
  segment: string | number;
}

/** A bracket that is open: of a map with its present key, or of a list with its present place. */
interface Bracket {
  readonly isMap: boolean;
  segment: string | number | undefined;
}

const WORD_END = /^[\w.*$/-]*/;

/** Reads `source`; `line` and `column` from 1, between characters as editors count. */
export function outlineOf(source: string, line: number, column: number): Outline {
  const reader = new OutlineReader();
  const lines = source.split("\n");
  for (const [at, text] of lines.entries()) {
    if (at !== line - 1) reader.line(text);
    else {
      // The word is read to its end, wherever in it the cursor stands.
      const before = text.slice(0, column - 1);
      const rest = WORD_END.exec(text.slice(column - 1))?.[0] ?? "";
      const isKey = /^["']?\s*:(\s|$)/.test(text.slice(column - 1 + rest.length));
      reader.cursor(before + rest, isKey);
      reader.line(text);
    }
  }
  const spot = reader.spot ?? { path: [], isKey: true, word: "" };
  return { spot, values: reader.values };
}

class OutlineReader {
  readonly values = new Map<string, string>();
  spot: Spot | undefined;
  #levels: Level[] = [];
  #brackets: Bracket[] = [];
  /** Indentation of the key whose text in lines is passed over. */
  #blockIndent: number | undefined;

  /** Looks where the end of `head`, which begins a line, stands. Nothing is changed by it. */
  cursor(head: string, isKey: boolean): void {
    const kept = [this.#levels, this.#brackets, this.#blockIndent] as const;
    this.#levels = this.#levels.map((level) => ({ ...level }));
    this.#brackets = this.#brackets.map((bracket) => ({ ...bracket }));
    const rest = this.line(head, true);
    const word = lastWordOf(rest);
    const inMap =
      this.#brackets.at(-1)?.isMap === true && this.#brackets.at(-1)?.segment === undefined;
    const isBare = this.#brackets.length === 0 && this.#isLineStart;
    this.spot = { path: this.#path(), isKey: isKey || inMap || isBare, word };
    [this.#levels, this.#brackets, this.#blockIndent] = [...kept];
  }
  /** Nothing stands before the cursor in its line but indentation, marks of a list, and a word. */
  #isLineStart = false;

  /** Takes a line in; gives what is left of it after its last key. */
  line(text: string, isCut = false): string {
    this.#isLineStart = false;
    const indent = text.length - text.trimStart().length;
    if (this.#brackets.length > 0) return this.#flow(text, isCut);
    if (!isCut && text.trim() === "") return "";
    if (this.#blockIndent !== undefined) {
      if (indent > this.#blockIndent && text.trim() !== "") return "";
      this.#blockIndent = undefined;
    }
    let at = indent;
    let rest = text.slice(at);
    if (rest.startsWith("#")) return "";
    while (/^-(\s|$)/.test(rest)) {
      this.#entry(at);
      const mark = /^-\s*/.exec(rest)?.[0].length ?? 1;
      at += mark;
      rest = rest.slice(mark);
    }
    const key = /^(?:"([^"]*)"|'([^']*)'|([\w$][\w.$-]*))\s*:(?:\s+|$)/.exec(rest);
    if (key === null) {
      if (isCut && !/^[[{]/.test(rest)) this.#drop(at);
      this.#isLineStart = isCut && /^["']?[\w.*$/-]*$/.test(rest);
      return this.#value(rest, isCut);
    }
    this.#drop(at);
    const segment = key[1] ?? key[2] ?? key[3] ?? "";
    this.#levels.push({ indent: at, isEntry: false, segment });
    const value = rest.slice(key[0].length);
    if (/^[|>][+-]?\d?\s*(#.*)?$/.test(value)) this.#blockIndent = at;
    return this.#value(value, isCut);
  }

  /** Levels end that stand as far in, or farther. */
  #drop(indent: number): void {
    while ((this.#levels.at(-1)?.indent ?? -1) >= indent) this.#levels.pop();
  }

  #entry(indent: number): void {
    while ((this.#levels.at(-1)?.indent ?? -1) > indent) this.#levels.pop();
    const top = this.#levels.at(-1);
    if (top?.isEntry === true && top.indent === indent) top.segment = Number(top.segment) + 1;
    // A list may stand as far in as its key.
    else this.#levels.push({ indent, isEntry: true, segment: 0 });
  }

  #value(text: string, isCut: boolean): string {
    if (/^[[{]/.test(text)) return this.#flow(text, isCut);
    const comment = text.indexOf(" #");
    const plain = (comment < 0 ? text : text.slice(0, comment)).trim();
    if (plain !== "" && !isCut) this.#keep(plain);
    return text;
  }

  /** What stands in brackets. */
  #flow(text: string, isCut: boolean): string {
    let word = "";
    const end = () => {
      if (word.trim() !== "" && !isCut) this.#keep(word.trim());
      word = "";
    };
    for (let at = 0; at < text.length; at += 1) {
      const char = text[at] ?? "";
      const top = this.#brackets.at(-1);
      if (char === '"' || char === "'") {
        const close = text.indexOf(char, at + 1);
        word += text.slice(at, close < 0 ? text.length : close + 1);
        at = close < 0 ? text.length : close;
      } else if (char === "#" && /^\s?$/.test(text[at - 1] ?? "")) break;
      else if (char === "{") this.#brackets.push({ isMap: true, segment: undefined });
      else if (char === "[") this.#brackets.push({ isMap: false, segment: 0 });
      else if (char === "}" || char === "]") {
        end();
        this.#brackets.pop();
        if (this.#brackets.length === 0) return "";
      } else if (char === ",") {
        end();
        if (top?.isMap === true) top.segment = undefined;
        else if (top !== undefined) top.segment = Number(top.segment) + 1;
      } else if (char === ":" && top?.isMap === true && top.segment === undefined) {
        top.segment = unquoted(word.trim());
        word = "";
      } else word += char;
    }
    if (!isCut) end();
    return word.trimStart();
  }

  #keep(text: string): void {
    this.values.set(JSON.stringify(this.#path()), unquoted(text));
  }

  #path(): Path {
    const inner = this.#brackets.flatMap(({ segment }) => (segment === undefined ? [] : [segment]));
    return [...this.#levels.map(({ segment }) => segment), ...inner];
  }
}

/** Looked for from the end: a pattern would try every beginning. */
function lastWordOf(text: string): string {
  let start = text.length;
  while (start > 0 && /[\w.*$/-]/.test(text[start - 1] ?? "")) start -= 1;
  return text.slice(start);
}

function unquoted(text: string): string {
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text;
}
