/**
 * Names as text: one spelling for each byte string, safe to print, and back without loss.
 *
 * A name on Linux is any bytes but zero and slash: not necessarily UTF-8, perhaps with line ends,
 * terminal commands or characters that reverse the reading order. A person confirms a path by the text
 * that we print, so the text must not lie and two paths must never share one. Printable UTF-8 stands
 * for itself; a backslash is doubled; other characters are `\u{202e}`, other bytes `\xff`.
 *
 * Inside this folder a path is a *raw path*: relative, its bytes as the characters U+0000 to U+00FF of
 * a string (latin1), so that it can be compared, sorted and used as a key without loss.
 *
 * @module
 */
import { Fault, UNSEEN } from "../base/index.ts";

/** A relative path whose characters are its bytes; `""` is the root. */
export type RawPath = string;

const ESCAPE = /\\(?:\\|x([0-9a-f]{2})|u\{([0-9a-f]{1,6})\})/gy;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes of a raw path. */
export function bytesOf(raw: RawPath): Buffer {
  return Buffer.from(raw, "latin1");
}

/** The raw path of bytes. */
export function rawOf(bytes: Buffer): RawPath {
  return bytes.toString("latin1");
}

/** `folder/name` as a raw path. */
export function joinRaw(folder: RawPath, name: RawPath): RawPath {
  return folder === "" ? name : `${folder}/${name}`;
}

/** The folder and the last component of a raw path. */
export function splitRaw(raw: RawPath): readonly [folder: RawPath, name: RawPath] {
  const at = raw.lastIndexOf("/");
  return at < 0 ? ["", raw] : [raw.slice(0, at), raw.slice(at + 1)];
}

/** The one text of a raw path; the root is `.`. */
export function pathText(raw: RawPath): string {
  if (raw === "") return ".";
  // Almost every path is plain ASCII without anything to escape.
  if (/^[ -[\]-~]+$/.test(raw)) return raw;
  let text = "";
  const bytes = bytesOf(raw);
  for (let at = 0; at < bytes.length;) {
    const length = characterBytes(bytes, at);
    const piece = bytes.subarray(at, at + Math.max(1, length));
    text += length === 0 ? `\\x${piece.toString("hex")}` : characterText(piece.toString("utf8"));
    at += piece.length;
  }
  return text;
}

/** How many bytes the UTF-8 character at `at` takes; 0 where there is none. */
function characterBytes(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0;
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  try {
    strict.decode(bytes.subarray(at, at + length)); // Refuses overlong forms and surrogates.
    return at + length <= bytes.length ? length : 0;
  } catch {
    return 0; // Not UTF-8 here: the byte stands alone.
  }
}

function characterText(character: string): string {
  if (character === "\\") return "\\\\";
  if (!UNSEEN.test(character)) return character;
  return `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`;
}

/**
 * The raw path that `text` stands for.
 *
 * @throws {Fault} `workspace.path` where no path has this text: another spelling of an escape, an
 *   absolute path, `..`, an empty component.
 */
export function parsePathText(text: string): RawPath {
  if (text === ".") return "";
  // Plain, as almost all are: nothing to take back, and no odd component.
  if (
    /^[!-.0-[\]-~][ -.0-[\]-~]*(?:\/[ -.0-[\]-~]+)*$/.test(text) &&
    !/(?:^|\/)\.{1,2}(?:\/|$)/.test(text)
  ) {
    return text;
  }
  const parts: Buffer[] = [];
  for (let at = 0; at < text.length;) {
    const next = text.indexOf("\\", at);
    const end = next < 0 ? text.length : next;
    parts.push(Buffer.from(text.slice(at, end)));
    at = end;
    if (next < 0) break;
    ESCAPE.lastIndex = next;
    const found = ESCAPE.exec(text);
    if (found === null) throw notPath(text);
    at += found[0].length;
    const [, byte, point] = found;
    if (byte !== undefined) parts.push(Buffer.from(byte, "hex"));
    else if (point !== undefined && Number.parseInt(point, 16) > 0x10ffff) throw notPath(text);
    else parts.push(Buffer.from(point ? String.fromCodePoint(Number.parseInt(point, 16)) : "\\"));
  }
  const raw = rawOf(Buffer.concat(parts));
  const components = raw.split("/");
  const odd = components.some((one) => one === "" || one === "." || one === "..");
  if (odd || raw.includes("\0") || pathText(raw) !== text) throw notPath(text);
  return raw;
}

function notPath(text: string): Fault {
  return new Fault("workspace.path", `not a path in the workspace: ${JSON.stringify(text)}`, {
    hint: "write it as `cofferdam diff` prints it: relative, odd characters escaped",
  });
}

/** Text from a file, made safe for a terminal: what a person would not see is spelled out. */
export function visibleText(text: string): string {
  return text.replace(/[^\n\t -~]/gu, (one) => (UNSEEN.test(one) ? characterText(one) : one));
}
