/**
 * The input of a tool call, as its pieces come: bounded, with a digest that says which input it is.
 *
 * @module
 */
import { createHash, hash } from "node:crypto";
import { canonicalJson, type Json } from "../../action/index.ts";
import { isFault } from "../../base/index.ts";
import { newScan, parseJson, scanByte } from "../json-scan.ts";

/** Longest input that is kept whole, in characters; of a longer one the beginning and the digest. */
export const INPUT_CHARS_MAX = 1 << 20;
const HEAD_CHARS = 4096;

export interface CallInput {
  /** The input: JSON, or free text where the tool takes that. Its beginning where `isCut`. */
  readonly text: string;
  /** What `text` says, where it is JSON and whole. */
  readonly value?: Json;
  /** How long it is as it was written, in UTF-8. */
  readonly bytes: number;
  /** Hex SHA-256 of its canonical JSON (RFC 8785); of its text where it has none, or is cut. */
  readonly digest: string;
  readonly isCut: boolean;
}

/** Puts an input together. */
export class InputText {
  /** The JSON value has ended: nothing more belongs to it. */
  isWhole = false;
  /** Something came behind its end. */
  isOverfull = false;
  readonly #isJson: boolean;
  readonly #scan = newScan();
  readonly #hash = createHash("sha256");
  #text = "";
  #chars = 0;
  #bytes = 0;

  /** @param isJson else free text, whose end only shows where it is told */
  constructor(isJson: boolean) {
    this.#isJson = isJson;
  }

  get isEmpty(): boolean {
    return this.#chars === 0;
  }

  push(piece: string): void {
    this.#chars += piece.length;
    this.#bytes += Buffer.byteLength(piece);
    this.#hash.update(piece);
    if (this.#text.length < INPUT_CHARS_MAX) {
      this.#text += piece.slice(0, INPUT_CHARS_MAX - this.#text.length);
    }
    if (!this.#isJson) return;
    for (let at = 0; at < piece.length; at += 1) {
      const code = piece.charCodeAt(at);
      if (this.isWhole) {
        if (!isSpace(code)) this.isOverfull = true;
      } else if (scanByte(this.#scan, code)) this.isWhole = true;
    }
  }

  done(): CallInput {
    if (this.#chars <= INPUT_CHARS_MAX) return readInput(this.#text, this.#isJson);
    const text = this.#text.slice(0, HEAD_CHARS);
    return { text, bytes: this.#bytes, digest: this.#hash.digest("hex"), isCut: true };
  }
}

/** An input that is there as text. */
export function readInput(text: string, isJson: boolean): CallInput {
  return inputIn(text, isJson ? (parseJson(text) as Json | undefined) : undefined);
}

/** An input that is there as a value of JSON. */
export function inputOf(value: unknown): CallInput {
  const given = (value ?? {}) as Json;
  return inputIn(JSON.stringify(given), given);
}

function inputIn(text: string, value: Json | undefined): CallInput {
  const bytes = Buffer.byteLength(text);
  const canonical = value === undefined ? undefined : canonicalOf(value);
  const digest = hash("sha256", canonical ?? text);
  if (text.length > INPUT_CHARS_MAX) {
    return { text: text.slice(0, HEAD_CHARS), bytes, digest, isCut: true };
  }
  // A value that has no canonical form (too deep, a number beyond all) is not walked through either.
  const known = canonical === undefined || value === undefined ? {} : { value };
  return { text, ...known, bytes, digest, isCut: false };
}

/** `value` in canonical JSON; `undefined` where it has none. */
function canonicalOf(value: Json): string | undefined {
  try {
    return canonicalJson(value);
  } catch (error) {
    if (isFault(error, "action.canonical")) return undefined;
    throw error;
  }
}

/** Hex SHA-256 of what a tool gave: of a text its UTF-8, of anything else its canonical JSON. */
export function textDigest(content: unknown): { readonly digest: string; readonly bytes: number } {
  const text =
    typeof content === "string"
      ? content
      : (canonicalOf((content ?? null) as Json) ?? JSON.stringify(content));
  return { digest: hash("sha256", text), bytes: Buffer.byteLength(text) };
}

const STRING_CHARS_MAX = 1024; // Of one string in a brief: a file's content must not hide its name.

/** `input` in at most `chars` characters, long strings in it shortened, and whether it is less than all. */
export function briefOf(
  { text, value, isCut }: CallInput,
  chars: number,
): { readonly text: string; readonly isCut: boolean } {
  if (value === undefined || text.length <= chars) return cut(text, chars, isCut);
  let isShort = false;
  const brief = JSON.stringify(value, (_name, item: unknown) => {
    if (typeof item !== "string" || item.length <= STRING_CHARS_MAX) return item;
    isShort = true;
    return `${head(item, STRING_CHARS_MAX)}… [${item.length} characters]`;
  });
  return cut(brief, chars, isShort);
}

function cut(text: string, chars: number, isCut: boolean) {
  return text.length <= chars ? { text, isCut } : { text: head(text, chars), isCut: true };
}

/** The beginning of `text`, which does not end in half a character. */
export function head(text: string, chars: number): string {
  return text
    .slice(0, chars)
    .toWellFormed()
    .replace(/\uFFFD$/, "");
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}
