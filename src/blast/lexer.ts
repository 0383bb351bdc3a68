/**
 * Words of the rule language, one after another.
 *
 * @module
 */
import { Fault } from "../base/index.ts";

export type TokenKind = "name" | "variable" | "string" | "number" | "sign" | "annotation" | "end";

/** A file of more is refused; 50,000 facts are about 5 MB. */
export const SOURCE_CHARS_MAX = 64 * 1024 * 1024;

const NAME = /[a-z][A-Za-z0-9_-]*/y;
const VARIABLE = /[A-Z_][A-Za-z0-9_]*/y;
const NUMBER = /\d+(?![\w.]\w)/y;
const STRING = /"(?:[^"\\\n]|\\["\\nt])*"/y;
const ANNOTATION = /@[a-z][a-z_]*/y;

/** Stands on one word of a text at a time. */
export class Scanner {
  /** What it stands on. */
  kind: TokenKind = "end";
  /** Without quotes and the sign of an annotation. */
  text = "";
  value = 0;
  line = 1;
  readonly #source: string;
  readonly #file: string;
  #at = 0;

  /** @throws {Fault} `blast.syntax` where the text is too long, or begins with no word. */
  constructor(source: string, file: string) {
    if (source.length > SOURCE_CHARS_MAX) {
      throw new Fault("blast.syntax", `${file}:1: longer than ${SOURCE_CHARS_MAX} characters`, {
        hint: "split it, or state fewer facts",
      });
    }
    this.#source = source;
    this.#file = file;
    this.next();
  }

  /** Goes on to the next word. @throws {Fault} `blast.syntax` where there is none, and it is not the end. */
  next(): void {
    this.#skip();
    const char = this.#source.charCodeAt(this.#at);
    if (Number.isNaN(char)) this.#be("end", "");
    else if (char >= 97 && char <= 122) this.#be("name", this.#match(NAME));
    else if ((char >= 65 && char <= 90) || char === 95) this.#be("variable", this.#match(VARIABLE));
    else if (char === 34) this.#be("string", unquoted(this.#match(STRING)));
    else if (char === 64) this.#be("annotation", this.#match(ANNOTATION).slice(1));
    else if (char >= 48 && char <= 57) this.#number();
    else this.#sign();
  }

  /** Where it stands, to come back to. */
  get mark(): Mark {
    const { kind, text, value, line } = this;
    return { kind, text, value, line, at: this.#at };
  }

  /** Goes back. */
  return(mark: Mark): void {
    const { kind, text, value, line, at } = mark;
    Object.assign(this, { kind, text, value, line });
    this.#at = at;
  }

  #be(kind: TokenKind, text: string): void {
    this.kind = kind;
    this.text = text;
  }

  #skip(): void {
    const source = this.#source;
    for (; ; this.#at += 1) {
      const char = source.charCodeAt(this.#at);
      if (char === 10) this.line += 1;
      else if (char === 35) {
        const end = source.indexOf("\n", this.#at);
        this.#at = (end < 0 ? source.length : end) - 1;
      } else if (char !== 32 && char !== 9 && char !== 13) return;
    }
  }

  #match(form: RegExp): string {
    form.lastIndex = this.#at;
    const found = form.exec(this.#source)?.[0];
    if (found === undefined) throw this.#unreadable();
    this.#at = form.lastIndex;
    return found;
  }

  #number(): void {
    this.#be("number", this.#match(NUMBER));
    this.value = Number(this.text);
    if (!Number.isSafeInteger(this.value)) throw this.#unreadable();
  }

  #sign(): void {
    const source = this.#source;
    const text = source.startsWith(":-", this.#at) ? ":-" : (source[this.#at] ?? "");
    if (!SIGNS.has(text)) throw this.#unreadable();
    this.#at += text.length;
    this.#be("sign", text);
  }

  #unreadable(): Fault {
    const text = JSON.stringify(this.#source.slice(this.#at, this.#at + 20));
    const what = `${this.#file}:${this.line}: ${text} is no word of the rule language`;
    return new Fault("blast.syntax", what, {
      hint: 'names are lower case, variables begin with a capital, anything else stands in "quotes"; numbers are whole',
    });
  }
}

/** A place in a text. */
export interface Mark {
  readonly kind: TokenKind;
  readonly text: string;
  readonly value: number;
  readonly line: number;
  readonly at: number;
}

const SIGNS: ReadonlySet<string> = new Set([":-", "(", ")", ",", ".", ":"]);
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t" };

function unquoted(text: string): string {
  const inner = text.slice(1, -1);
  if (!inner.includes("\\")) return inner;
  return inner.replaceAll(/\\(.)/g, (_, char: string) => ESCAPES[char] ?? char);
}
