/**
 * Which characters may stand where (RFC 9110, 5.5 and 5.6.2), and the lines that every message is made of.
 *
 * @module
 */

const TOKEN = 1;
const VALUE = 2;
const TARGET = 4;
const CLASSES = classes();

function classes(): Uint8Array {
  const table = new Uint8Array(256);
  const mark = (text: string, bit: number) => {
    for (const char of text) table[char.charCodeAt(0)] = (table[char.charCodeAt(0)] ?? 0) | bit;
  };
  mark("!#$%&'*+-.^_`|~0123456789", TOKEN);
  mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", TOKEN);
  for (let code = 0; code < 256; code += 1) {
    const char = String.fromCharCode(code);
    if (code === 0x09 || (code >= 0x20 && code !== 0x7f)) mark(char, VALUE);
    if (code > 0x20 && code < 0x7f) mark(char, TARGET);
  }
  return table;
}

/** Reports whether every character of `text` from `from` on is of class `bit`. */
function isAll(text: string, bit: number, from = 0): boolean {
  for (let n = from; n < text.length; n += 1) {
    const code = text.charCodeAt(n);
    if (code > 0xff || ((CLASSES[code] ?? 0) & bit) === 0) return false;
  }
  return true;
}

export function isToken(text: string): boolean {
  return text.length > 0 && isAll(text, TOKEN);
}

/** A field's value or a reason phrase: no control but the tab, so no line's end. */
export function isValue(text: string): boolean {
  return isAll(text, VALUE);
}

/** Printable ASCII: what of it a target means is not asked here. */
export function isTarget(text: string): boolean {
  return text.length > 0 && isAll(text, TARGET);
}

/** Reports whether a byte may stand in any line. */
export function isLineByte(code: number): boolean {
  return ((CLASSES[code] ?? 0) & VALUE) !== 0;
}

const COLON = 0x3a;

/**
 * Reads `name ":" OWS value OWS` and puts both at the end of `into`; returns what is wrong with it,
 * if anything. A line that begins with a space (a folded one) has no name that is a token.
 */
export function readField(line: string, into: string[]): string | undefined {
  let colon = 0;
  for (; colon < line.length; colon += 1) {
    const code = line.charCodeAt(colon);
    if (code === COLON) break;
    if (((CLASSES[code] ?? 0) & TOKEN) === 0) return "a field's name is not a token";
  }
  if (colon === 0) return "a field without a name";
  if (colon === line.length) return "a line that is no field";
  let from = colon + 1;
  let to = line.length;
  while (from < to && isBlank(line.charCodeAt(from))) from += 1;
  while (to > from && isBlank(line.charCodeAt(to - 1))) to -= 1;
  if (!isAll(line, VALUE, from)) return "a control character in a field's value";
  const name = line.slice(0, colon);
  // A tab is a blank to us (RFC 9110, 5.6.3) and part of the value to others, llhttp among them.
  if (hasTab(line, colon, from, to) && isFramingField(name))
    return "a tab beside a value that frames";
  into.push(name, line.slice(from, to));
  return undefined;
}

function hasTab(line: string, colon: number, from: number, to: number): boolean {
  const tab = line.indexOf("\t", colon);
  return tab >= 0 && (tab < from || line.indexOf("\t", to) >= 0);
}

/** Fields that are about the connection: in a trailer they come when it has been decided already. */
export function isConnectionField(name: string): boolean {
  const key = name.toLowerCase();
  return key === "connection" || key === "upgrade" || isFramingField(name);
}

/** Fields that say where a body ends. */
function isFramingField(name: string): boolean {
  const key = name.toLowerCase();
  return key === "content-length" || key === "transfer-encoding";
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

const HEX_DIGITS_MAX = 12; // 2^48: no body is longer, and a number holds it exactly.

/**
 * Reads `1*HEXDIG *( ";" token [ "=" ( token / quoted-string ) ] )`; `undefined` where it is anything else.
 * No space is taken anywhere: RFC 9112, 7.1.1, allows it, and two readers differ over it.
 */
export function readChunkSize(line: string): number | undefined {
  let at = 0;
  let size = 0;
  for (; at < line.length; at += 1) {
    const digit = hexDigit(line.charCodeAt(at));
    if (digit < 0) break;
    size = size * 16 + digit;
  }
  if (at === 0 || at > HEX_DIGITS_MAX) return undefined;
  return areExtensions(line, at) ? size : undefined;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function areExtensions(line: string, from: number): boolean {
  let at = from;
  while (at < line.length) {
    if (line[at] !== ";") return false;
    const nameEnd = tokenEnd(line, at + 1);
    if (nameEnd === at + 1) return false;
    at = nameEnd;
    if (line[at] !== "=") continue;
    const valueEnd = line[at + 1] === '"' ? quotedEnd(line, at + 1) : tokenEnd(line, at + 1);
    if (valueEnd <= at + 1) return false;
    at = valueEnd;
  }
  return true;
}

function tokenEnd(line: string, from: number): number {
  let at = from;
  while (at < line.length && ((CLASSES[line.charCodeAt(at)] ?? 0) & TOKEN) !== 0) at += 1;
  return at;
}

/** Behind the closing quote of the string that opens at `from`, or 0 where nothing closes it. */
function quotedEnd(line: string, from: number): number {
  for (let at = from + 1; at < line.length; at += 1) {
    const code = line.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at += 1;
    if (!isLineByte(line.charCodeAt(at))) return 0;
  }
  return 0;
}
