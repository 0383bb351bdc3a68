/**
 * A mail message (RFC 5322 and MIME, RFC 2045-2047), read for the person who decides whether it is sent: to
 * whom, about what, with which attachments. Libraries for it repair what is broken, each in its own way, and
 * answer later; here what is broken is not read at all.
 *
 * @module
 */
import { hash } from "node:crypto";
import { readAddresses } from "./addresses.ts";

/** A file that a message carries. */
export interface Attachment {
  readonly filename: string;
  readonly contentType: string;
  readonly bytes: number;
  /** Hex, of its content once decoded. */
  readonly sha256: string;
}

/** What stands in a message. */
export interface Message {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly replyTo: readonly string[];
  readonly subject: string;
  /** Its first plain text. */
  readonly text: string;
  /** Its first HTML. */
  readonly html: string;
  /** All of its header fields as they stand, also those that are read above, and then those of its parts. */
  readonly headers: readonly string[];
  /** All else that it holds, and a text that is cut above. */
  readonly attachments: readonly Attachment[];
}

const PARTS_MAX = 200;
const DEPTH_MAX = 10;
const TEXT_CHARS_MAX = 65_536; // Of a text, as shown.
const UTF8 = new TextDecoder();

/** Reads `bytes`; `undefined` where two mail systems could read them differently. */
export function readMessage(bytes: Uint8Array): Message | undefined {
  const source = Buffer.from(bytes).toString("latin1");
  // Bare carriage returns and NUL end lines for some readers only.
  if (/\r(?!\n)|\0/.test(source)) return undefined;
  const leaves: Leaf[] = [];
  const headers: string[] = [];
  const root = splitPart(source.replaceAll("\r\n", "\n"));
  if (root === undefined || !collectLeaves(root, { leaves, headers }, 0)) return undefined;
  const lists = ["from", "to", "cc", "bcc", "reply-to"].map((name) => addressesOf(root, name));
  if (lists.some((list) => list === undefined)) return undefined;
  const [from = [], to = [], cc = [], bcc = [], replyTo = []] = lists;
  const texts = leaves.filter(
    (leaf) => leaf.filename === undefined && leaf.type.startsWith("text/"),
  );
  const html = texts.find(({ type }) => type === "text/html");
  const plain = texts.find((one) => one.type === "text/plain") ?? texts.find((one) => one !== html);
  const isShown = (leaf: Leaf) => (leaf === html || leaf === plain) && !isCut(leaf);
  return {
    from,
    to,
    cc,
    bcc,
    replyTo,
    subject: decodeWords(headersOf(root, "subject").join(" / ")),
    text: plain === undefined ? "" : textOf(plain),
    html: html === undefined ? "" : textOf(html),
    headers,
    attachments: leaves.filter((leaf) => !isShown(leaf)).map(attachmentOf),
  };
}

interface Part {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

interface Leaf {
  readonly type: string;
  readonly charset: string;
  readonly filename: string | undefined;
  readonly bytes: Buffer;
}

/** Headers, an empty line, and the body. */
function splitPart(source: string): Part | undefined {
  const end = source.startsWith("\n") ? 0 : source.indexOf("\n\n") + 1;
  const head = end === 0 && !source.startsWith("\n") ? source : source.slice(0, end);
  const headers: [string, string][] = [];
  for (const line of head.replace(/\n$/, "").split("\n")) {
    if (line === "") continue;
    const last = headers.at(-1);
    if (/^[ \t]/.test(line)) {
      if (last === undefined) return undefined;
      last[1] += line;
      continue;
    }
    const [, name, value] = /^([!-9;-~]{1,100}):(.*)$/.exec(line) ?? [];
    // Some end the headers at such a line, others skip it.
    if (name === undefined || value === undefined) return undefined;
    headers.push([name.toLowerCase(), value]);
  }
  return { headers, body: head === source ? "" : source.slice(end + 1) };
}

function headersOf({ headers }: Part, name: string): readonly string[] {
  return headers.filter(([one]) => one === name).map(([, value]) => utf8(value).trim());
}

/** Of every header of that name: systems differ on which of several counts. */
function addressesOf(part: Part, name: string): readonly string[] | undefined {
  const lists = headersOf(part, name).map(readAddresses);
  if (lists.some((list) => list === undefined)) return undefined;
  return [...new Set(lists.flatMap((list) => list ?? []))];
}

interface Found {
  readonly leaves: Leaf[];
  readonly headers: string[];
}

/** Every part that holds no others; false where the parts cannot be told for certain. */
function collectLeaves(part: Part, found: Found, depth: number): boolean {
  const { leaves, headers } = found;
  const whose = depth === 0 ? "" : "part: ";
  headers.push(
    ...part.headers.map(([name, value]) => `${whose}${name}: ${decodeWords(utf8(value).trim())}`),
  );
  const types = headersOf(part, "content-type");
  const encodings = headersOf(part, "content-transfer-encoding");
  if (depth > DEPTH_MAX || leaves.length >= PARTS_MAX) return false;
  if (types.length > 1 || encodings.length > 1) return false;
  const [type, parameters] = readParameters(types[0] ?? "text/plain");
  if (type.startsWith("multipart/")) {
    const inner = splitParts(part.body, parameters.get("boundary") ?? "");
    if (inner === undefined) return false;
    if (inner.outside.trim() !== "") {
      const bytes = Buffer.from(inner.outside, "latin1");
      leaves.push({
        type: "text/plain",
        charset: "utf-8",
        filename: "(outside of the parts)",
        bytes,
      });
    }
    return inner.parts.every((one) => collectLeaves(one, found, depth + 1));
  }
  const bytes = decodeBody(part.body, (encodings[0] ?? "7bit").toLowerCase());
  if (bytes === undefined) return false;
  const [disposition, named] = readParameters(headersOf(part, "content-disposition")[0] ?? "");
  const name = named.get("filename") ?? parameters.get("name");
  const filename = name ?? (disposition === "attachment" ? "" : undefined);
  leaves.push({
    type,
    charset: parameters.get("charset") ?? "utf-8",
    filename: filename === undefined ? undefined : decodeWords(filename),
    bytes,
  });
  return true;
}

/** `text/plain; charset="utf-8"` as its value and parameters; `name*` and `name*0` count as `name`. */
function readParameters(header: string): readonly [string, ReadonlyMap<string, string>] {
  const [value = ""] = header.split(";");
  const parameters = new Map<string, string>();
  const pattern = /;\s*([^\s=;*]+)(?:\*\d*\*?)?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))/g;
  for (const [, name = "", quoted, plain = ""] of header.matchAll(pattern)) {
    const key = name.toLowerCase();
    parameters.set(
      key,
      (parameters.get(key) ?? "") + (quoted?.replaceAll(/\\(.)/g, "$1") ?? plain),
    );
  }
  return [value.trim().toLowerCase(), parameters];
}

/** The parts between lines of `--boundary` (RFC 2046, 5.1.1); all of them, up to the closing one; and the rest. */
function splitParts(
  body: string,
  boundary: string,
): { readonly parts: readonly Part[]; readonly outside: string } | undefined {
  if (!/^[0-9A-Za-z'()+_,\-./:=? ]{1,70}$/.test(boundary)) return undefined;
  const blocks = `\n${body}`.split(`\n--${boundary}`);
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

function decodeBody(body: string, encoding: string): Buffer | undefined {
  if (/^(7bit|8bit|binary)$/.test(encoding)) return Buffer.from(body, "latin1");
  if (encoding === "base64") {
    const text = body.replaceAll(/[ \t\n]/g, "");
    return /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, "base64") : undefined;
  }
  if (encoding !== "quoted-printable") return undefined;
  const text = body.replaceAll(/[ \t]*=[ \t]*\n/g, "");
  return /=(?![0-9A-Fa-f]{2})/.test(text) ? undefined : fromEscapes(text, /=([0-9A-Fa-f]{2})/g);
}

function fromEscapes(text: string, escape: RegExp): Buffer {
  const plain = text.replaceAll(escape, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(plain, "latin1");
}

const WORD = /=\?([A-Za-z0-9-]{1,40})(?:\*[^?]*)?\?([bBqQ])\?([^?]*)\?=/g;

/** Encoded words (RFC 2047) as text, for a person to read. */
function decodeWords(text: string): string {
  return text
    .replaceAll(/(\?=)\s+(?==\?)/g, "$1")
    .replaceAll(WORD, (_, charset: string, kind: string, word: string) =>
      decodeText(
        kind.toLowerCase() === "b"
          ? Buffer.from(word, "base64")
          : fromEscapes(word.replaceAll("_", " "), /=([0-9A-Fa-f]{2})/g),
        charset,
      ),
    );
}

function isCut({ bytes, charset }: Leaf): boolean {
  return decodeText(bytes, charset).length > TEXT_CHARS_MAX;
}

function textOf({ bytes, charset }: Leaf): string {
  return decodeText(bytes, charset).slice(0, TEXT_CHARS_MAX);
}

function decodeText(bytes: Uint8Array, charset: string): string {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // A charset that nobody knows.
    return Buffer.from(bytes).toString("latin1");
  }
}

function utf8(latin1: string): string {
  return UTF8.decode(Buffer.from(latin1, "latin1"));
}

function attachmentOf({ filename = "", type, bytes }: Leaf): Attachment {
  return {
    filename,
    contentType: type,
    bytes: bytes.length,
    sha256: hash("sha256", bytes),
  };
}
