/**
 * The structure of a message: header fields, parts and their encodings (RFC 5322, RFC 2045, RFC 2046, RFC 2231).
 * What two readers could take apart differently is not taken apart.
 *
 * @module
 */
import { decodeText, fromEscapes, isBase64, utf8 } from "./words.ts";

/** Header fields, in their order and with their names in lower case, and what follows them; bytes as Latin 1. */
export interface Part {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

const HEAD_CHARS_MAX = 262_144; // Two thousand addresses, and room for all else.
const FIELDS_MAX = 1000;
const PARTS_MAX = 200;

/** Headers, an empty line, and the body; `undefined` where that is not plain, or more than anybody writes. */
export function splitPart(source: string): Part | undefined {
  const end = source.startsWith("\n") ? 0 : source.indexOf("\n\n") + 1;
  const head = end === 0 && !source.startsWith("\n") ? source : source.slice(0, end);
  if (head.length > HEAD_CHARS_MAX) return undefined;
  const headers: [string, string][] = [];
  for (const line of head.replace(/\n$/, "").split("\n")) {
    if (line === "") continue;
    const last = headers.at(-1);
    if (/^[ \t]/.test(line)) {
      // A line of blanks ends the headers for some.
      if (last === undefined || line.trim() === "") return undefined;
      last[1] += line;
      continue;
    }
    const [, name, value] = /^([!-9;-~]{1,100}):(.*)$/.exec(line) ?? [];
    // Some end the headers at such a line, others skip it.
    if (name === undefined || value === undefined) return undefined;
    headers.push([name.toLowerCase(), value]);
    if (headers.length > FIELDS_MAX) return undefined;
  }
  return { headers, body: head === source ? "" : source.slice(end + 1) };
}

/** Values of every field of that name. */
export function headersOf({ headers }: Part, name: string): readonly string[] {
  return headers.filter(([one]) => one === name).map(([, value]) => utf8(value).trim());
}

/** `text/plain; charset="utf-8"`. */
export interface Parameters {
  /** In lower case. */
  readonly value: string;
  readonly of: ReadonlyMap<string, string>;
}

const PARAMETER =
  /[ \t]*;[ \t]*([^\s=;*"]+)(\*\d{1,2})?(\*)?[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/y;
/** Names that are shown: they may come in the forms of RFC 2231, and beside those once more as others read them. */
const SHOWN = new Set(["name", "filename"]);

/** Reads a field with parameters; `undefined` where readers differ on what one of them is. */
export function readParameters(header: string): Parameters | undefined {
  const [value = ""] = /^[^;]*/.exec(header) ?? [];
  const of = new Map<string, string>();
  const seen = new Set<string>();
  let at = value.length;
  while (at < header.length && !/^[ \t]*;?[ \t]*$/.test(header.slice(at, at + BLANKS_MAX))) {
    PARAMETER.lastIndex = at;
    const found = PARAMETER.exec(header);
    if (found === null) return undefined;
    at = PARAMETER.lastIndex;
    const [, given = "", section = "", star = "", quoted, plain = ""] = found;
    const name = given.toLowerCase();
    const isExtended = section !== "" || star !== "";
    if ((isExtended && !SHOWN.has(name)) || seen.has(name + section + star)) return undefined;
    seen.add(name + section + star);
    const text = quoted?.replaceAll(/\\(.)/g, "$1") ?? plain;
    const read = star === "" ? text : decodeExtended(text, section === "" || section === "*0");
    const before = of.get(name);
    const isNext = section !== "" && section !== "*0";
    of.set(name, before === undefined ? read : `${before}${isNext ? "" : " / "}${read}`);
  }
  return { value: value.trim().toLowerCase(), of };
}
const BLANKS_MAX = 100;

/** `utf-8'en'a%20b` as text; further sections have no charset of their own. */
function decodeExtended(text: string, isFirst: boolean): string {
  const [charset, , ...rest] = isFirst ? text.split("'") : ["utf-8", "", text];
  const escaped = rest.join("'");
  return decodeText(fromEscapes(escaped, /%([0-9A-Fa-f]{2})/g), charset || "utf-8");
}

/** The parts between lines of `--boundary` (RFC 2046, 5.1.1); all of them, up to the closing one; and the rest. */
export function splitParts(
  body: string,
  boundary: string,
): { readonly parts: readonly Part[]; readonly outside: string } | undefined {
  if (!/^[0-9A-Za-z'()+_,\-./:=? ]{1,70}$/.test(boundary) || boundary.endsWith(" "))
    return undefined;
  const blocks = `\n${body}`.split(`\n--${boundary}`, PARTS_MAX + 3);
  if (blocks.length > PARTS_MAX + 2) return undefined;
  const last = blocks.pop();
  if (blocks.length === 0 || last === undefined || !/^--[ \t]*(\n|$)/.test(last)) return undefined;
  const parts = blocks.slice(1).map((block) => {
    const [, inner] = /^[ \t]*\n([^]*)$/.exec(block) ?? [];
    return inner === undefined ? undefined : splitPart(inner);
  });
  if (parts.some((part) => part === undefined)) return undefined;
  // Text before and behind the parts is for readers that know none.
  const outside = `${blocks[0] ?? ""}${last.replace(/^--/, "")}`;
  return { parts: parts as readonly Part[], outside };
}

/** Bytes of a body; `undefined` where readers would decode it differently. */
export function decodeBody(body: string, encoding: string): Buffer | undefined {
  if (isIdentity(encoding)) return Buffer.from(body, "latin1");
  if (encoding === "base64") {
    const text = body.replaceAll(/[ \t\n]/g, "");
    return isBase64(text) ? Buffer.from(text, "base64") : undefined;
  }
  if (encoding !== "quoted-printable") return undefined;
  const text = body.replaceAll(/=[ \t]*\n/g, "").replace(/=[ \t]*$/, "");
  return /=(?![0-9A-Fa-f]{2})/.test(text) ? undefined : fromEscapes(text, /=([0-9A-Fa-f]{2})/g);
}

/** Whether `encoding` changes nothing: all that what holds parts may have (RFC 2045, 6.4). */
export function isIdentity(encoding: string): boolean {
  return /^(7bit|8bit|binary)$/.test(encoding);
}
