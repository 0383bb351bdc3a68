/**
 * A mail message (RFC 5322 and MIME, RFC 2045-2047), read for the person who decides whether it is sent: to
 * whom, about what, with which attachments. Libraries for it repair what is broken, each in its own way, and
 * answer later; here what is broken is not read at all.
 *
 * @module
 */
import { hash } from "node:crypto";
import { hasGroup, readAddresses } from "./addresses.ts";
import { doubtsOf } from "./doubts.ts";
import {
  decodeBody,
  headersOf,
  isIdentity,
  readParameters,
  splitPart,
  splitParts,
  type Part,
} from "./mime.ts";
import { decodeText, decodeWords, hasOddWords, isCharset, utf8 } from "./words.ts";

/** A file that a message carries. */
export interface Attachment {
  readonly filename: string;
  readonly contentType: string;
  readonly bytes: number;
  /** Hex, of its content once decoded. */
  readonly sha256: string;
}

/** A text of a message. */
export interface TextPart {
  /** Where it has one; `(outside of the parts)` is for readers that know none. */
  readonly filename: string;
  readonly contentType: string;
  readonly text: string;
}

/** What stands in a message. */
export interface Message {
  readonly from: readonly string[];
  readonly sender: readonly string[];
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly replyTo: readonly string[];
  readonly subject: string;
  /** Its first plain text. */
  readonly text: string;
  /** Its first HTML. */
  readonly html: string;
  /** Every other text, also of files and of messages within it. */
  readonly more: readonly TextPart[];
  /** All of its header fields as they stand, also those that are read above, and then those of its parts. */
  readonly headers: readonly string[];
  /** Names of its own header fields in their order, in lower case. */
  readonly names: readonly string[];
  /** Which of its own fields of addresses have a group in them. */
  readonly groups: readonly string[];
  /** All else that it holds, and a text that is cut above. */
  readonly attachments: readonly Attachment[];
  /** What a person should look at twice, each a sentence. */
  readonly doubts: readonly string[];
}

const PARTS_MAX = 200;
const DEPTH_MAX = 10;
const TEXT_CHARS_MAX = 65_536; // Of a text, as shown.
/** RFC 2045, 5.1: readers differ on what stands in the place of a type. */
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]{1,127}\/[a-z0-9!#$&^_.+-]{1,127}$/;
const TOKEN = /^[a-z0-9!#$&^_.+-]{1,127}$/;
const ADDRESSES = ["from", "sender", "to", "cc", "bcc", "reply-to"];
const OUTSIDE = "(outside of the parts)";

/** Reads `bytes`; `undefined` where two mail systems could read them differently. */
export function readMessage(bytes: Uint8Array): Message | undefined {
  const source = Buffer.from(bytes).toString("latin1");
  // Bare carriage returns and NUL end lines for some readers only.
  if (/\r(?!\n)|\0/.test(source)) return undefined;
  const found: Found = { leaves: [], headers: [], doubts: [] };
  const root = splitPart(source.replaceAll("\r\n", "\n"));
  if (root === undefined || !collectLeaves(root, found, { depth: 0, whose: "" })) return undefined;
  const { leaves, headers, doubts } = found;
  const lists = ADDRESSES.map((name) => addressesOf(root, name));
  if (lists.some((list) => list === undefined)) return undefined;
  const [from = [], sender = [], to = [], cc = [], bcc = [], replyTo = []] = lists;
  const texts = leaves.filter((leaf) => isText(leaf) && leaf.filename === undefined);
  const html = texts.find(({ type }) => type === "text/html");
  const plain = texts.find((one) => one.type === "text/plain") ?? texts.find((one) => one !== html);
  const isMain = (leaf: Leaf) => leaf === html || leaf === plain;
  const more = leaves.filter((leaf) => isText(leaf) && !isMain(leaf));
  const isShown = (leaf: Leaf) => isText(leaf) && !isCut(leaf) && !(leaf.isFile ?? false);
  const read = {
    from,
    sender,
    to,
    cc,
    bcc,
    replyTo,
    subject: decodeWords(headersOf(root, "subject").join(" / ")),
    text: plain === undefined ? "" : textOf(plain),
    html: html === undefined ? "" : textOf(html),
    more: more.map((leaf) => ({
      filename: leaf.filename ?? "",
      contentType: leaf.type,
      text: textOf(leaf),
    })),
    headers,
    names: root.headers.map(([name]) => name),
    groups: ADDRESSES.filter((name) => headersOf(root, name).some(hasGroup)),
    attachments: leaves.filter((leaf) => !isShown(leaf)).map(attachmentOf),
  };
  return { ...read, doubts: [...doubtsOf(read), ...doubts] };
}

/** The content, once decoded, of what `bytes` carries with this SHA-256; `undefined` where it carries none such. */
export function attachedIn(bytes: Uint8Array, sha256: string): Buffer | undefined {
  const root = splitPart(Buffer.from(bytes).toString("latin1").replaceAll("\r\n", "\n"));
  const found: Found = { leaves: [], headers: [], doubts: [] };
  if (root === undefined || !collectLeaves(root, found, { depth: 0, whose: "" })) return undefined;
  return found.leaves.find((leaf) => hash("sha256", leaf.bytes) === sha256)?.bytes;
}

interface Leaf {
  readonly type: string;
  readonly charset: string;
  readonly filename: string | undefined;
  /** It is offered as a file, whatever else is done with it. */
  readonly isFile?: boolean;
  readonly bytes: Buffer;
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
  readonly doubts: string[];
}

interface Where {
  readonly depth: number;
  /** Marks the headers of what stands within the message. */
  readonly whose: string;
}

/** Every part that holds no others; false where the parts cannot be told for certain. */
function collectLeaves(part: Part, found: Found, { depth, whose }: Where): boolean {
  const { leaves, headers } = found;
  const lines = part.headers.map(([name, value]) => [name, utf8(value).trim()] as const);
  if (lines.some(([, value]) => hasOddWords(value))) return false;
  headers.push(...lines.map(([name, value]) => `${whose}${name}: ${decodeWords(value)}`));
  const [types, encodings, dispositions] = [
    headersOf(part, "content-type"),
    headersOf(part, "content-transfer-encoding"),
    headersOf(part, "content-disposition"),
  ];
  if (depth > DEPTH_MAX || leaves.length >= PARTS_MAX) return false;
  if (types.length > 1 || encodings.length > 1 || dispositions.length > 1) return false;
  const media = readParameters(types[0] ?? "text/plain");
  const disposed = readParameters(dispositions[0] ?? "");
  const encoding = (encodings[0] ?? "7bit").toLowerCase();
  if (media === undefined || disposed === undefined) return false;
  const { value: type, of: parameters } = media;
  if (!MEDIA_TYPE.test(type) || !TOKEN.test(disposed.value || "inline")) return false;
  if (type.startsWith("multipart/")) {
    const inner = splitParts(part.body, parameters.get("boundary") ?? "");
    if (inner === undefined || !isIdentity(encoding)) return false;
    if (inner.outside.trim() !== "") {
      const bytes = Buffer.from(inner.outside, "latin1");
      leaves.push({ type: "text/plain", charset: "utf-8", filename: OUTSIDE, bytes });
    }
    const next = { depth: depth + 1, whose: whose === "" ? "part: " : whose };
    return inner.parts.every((one) => collectLeaves(one, found, next));
  }
  // Readers put these together with other messages, or fetch the rest from elsewhere.
  if (type === "message/partial" || type === "message/external-body") return false;
  const bytes = decodeBody(part.body, encoding);
  if (bytes === undefined) return false;
  const charset = parameters.get("charset");
  const isPlainAscii = !/[\u0080-\u00ff]/.test(bytes.toString("latin1"));
  if (type.startsWith("text/")) {
    if (charset === undefined ? !isPlainAscii : !isCharset(charset)) return false;
  }
  const names = new Set(
    [disposed.of.get("filename"), parameters.get("name")].filter((name) => name !== undefined),
  );
  const isFile = names.size > 0 || disposed.value === "attachment";
  leaves.push({
    type,
    charset: charset ?? "utf-8",
    filename: isFile ? [...names].map(decodeWords).join(" / ") : undefined,
    isFile,
    bytes,
  });
  if (type === "message/rfc822" || type === "message/global") collectWithin(bytes, found, depth);
  return true;
}

/** What stands in a message that this one carries: readers show it as if it were part of the text. */
function collectWithin(bytes: Buffer, found: Found, depth: number): void {
  const own: Found = { leaves: [], headers: [], doubts: [] };
  const root = splitPart(bytes.toString("latin1").replaceAll("\r\n", "\n"));
  if (root === undefined || !collectLeaves(root, own, { depth: depth + 1, whose: "within: " })) {
    found.doubts.push("it carries a message that cannot be read");
    return;
  }
  const leaves = own.leaves.map((leaf) => ({ ...leaf, filename: leaf.filename ?? "(a message)" }));
  found.leaves.push(...leaves);
  found.headers.push(...own.headers);
  found.doubts.push(...own.doubts);
}

function isText({ type }: Leaf): boolean {
  return type.startsWith("text/");
}

function isCut({ bytes, charset }: Leaf): boolean {
  return decodeText(bytes, charset).length > TEXT_CHARS_MAX;
}

function textOf({ bytes, charset }: Leaf): string {
  return decodeText(bytes, charset).slice(0, TEXT_CHARS_MAX);
}

function attachmentOf({ filename = "", type, bytes }: Leaf): Attachment {
  return {
    filename,
    contentType: type,
    bytes: bytes.length,
    sha256: hash("sha256", bytes),
  };
}
