/**
 * JSON as every server reads it, or not at all: UTF-8, no name twice in one object (RFC 8259, 4: what such
 * an object means is not defined, and servers differ), no depth that a parser would give up at.
 *
 * @module
 */
import type { Json } from "../action/index.ts";

const DEPTH_MAX = 60;
/** A string, a mark, or a run of other characters: enough to follow the nesting of valid JSON. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^"{}[\],:\s]+/gy;
const SPACE = /[ \t\r\n]*/y;

/** The value that `bytes` are, or `undefined`. `isCaseless`: two names that differ in case are one. */
export function readJson(
  bytes: Uint8Array,
  isCaseless = false,
): { readonly value: Json } | undefined {
  try {
    // `fatal`: overlong and half characters would be read differently. A BOM is left in, and no JSON.
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = JSON.parse(text) as Json;
    return isUnambiguous(text, isCaseless) ? { value } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The name as a reader without case has it: Go's encoding/json folds by simple case folding. */
export function foldName(name: string): string {
  return name.replaceAll("\u017f", "s").replaceAll("\u212a", "k").toLowerCase();
}

/** `text` is valid JSON already; what is asked is whether a name stands twice, and how deep it goes. */
function isUnambiguous(text: string, isCaseless: boolean): boolean {
  const names: (Set<string> | undefined)[] = []; // One for each open bracket; none for a list.
  let isName = false;
  let at = 0;
  while (at < text.length) {
    SPACE.lastIndex = at;
    SPACE.test(text);
    at = SPACE.lastIndex;
    TOKEN.lastIndex = at;
    const [token] = TOKEN.exec(text) ?? [];
    if (token === undefined) break;
    at = TOKEN.lastIndex;
    const own = names.at(-1);
    if (token === "{" || token === "[") {
      if (names.push(token === "{" ? new Set() : undefined) > DEPTH_MAX) return false;
      isName = token === "{";
    } else if (token === "}" || token === "]") {
      names.pop();
      isName = false;
    } else if (token === ",") isName = own !== undefined;
    else if (token === ":") isName = false;
    else if (isName && own !== undefined) {
      const plain = JSON.parse(token) as string;
      const name = isCaseless ? foldName(plain) : plain;
      if (own.has(name)) return false;
      own.add(name);
    }
  }
  return true;
}
