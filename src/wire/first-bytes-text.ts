/**
 * First bytes of protocols that begin with text.
 *
 * @module
 */
import {
  FIRST_BYTES_MAX,
  type FirstBytesGuess,
  type FirstBytesProtocol,
} from "./first-bytes-match.ts";
import { asRecord, newScan, parseJson, scanByte, topLevelStrings } from "./json-scan.ts";
import { miningMessage } from "./mining-message.ts";

const LF = 0x0a;

// Every method in IANA's registry is of letters and hyphens; the longest has 17. A lower-case or an
// invented one is left unknown, and so refused.
const METHOD = /^[A-Z][A-Z-]{0,23}$/;
const METHOD_CHARS_MAX = 24;
const REQUEST_LINE = /^([A-Z][A-Z-]{0,23}) [\x21-\x7e\x80-\xff]+ (HTTP\/1\.[01])\r?$/;

/**
 * An HTTP/1.x request line (RFC 9112, 3). Only its shape: the HTTP parser that gets the stream is the
 * judge, of a bare LF too. HTTP/0.9, RTSP and SIP are not HTTP/1.
 */
export function matchHttp(bytes: Buffer): FirstBytesGuess {
  if (bytes.length > 0 && !isCapital(bytes[0])) return "no";
  const end = bytes.indexOf(LF);
  const line = bytes.toString("latin1", 0, end < 0 ? bytes.length : end);
  if (end >= 0) {
    const [, method, version] = REQUEST_LINE.exec(line) ?? [];
    if (method === undefined) return "no";
    return { protocol: "http", detail: `${version} ${method} request` };
  }
  const space = line.indexOf(" ");
  if (space < 0) {
    if (line.length > METHOD_CHARS_MAX) return "no";
    return line === "" || METHOD.test(line) ? "more" : "no";
  }
  const method = line.slice(0, space);
  if (!METHOD.test(method)) return "no";
  const rest = line.slice(space + 1);
  if (!/^(?:$|[\x21-\x7e\x80-\xff]+(?: [HTP/1.0]{0,8}\r?)?$)/.test(rest)) return "no";
  if (bytes.length < FIRST_BYTES_MAX) return "more";
  return {
    protocol: "http",
    detail: `${method} request with a line over ${FIRST_BYTES_MAX} bytes`,
  };
}

function isCapital(byte = 0): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}

const SSH = Buffer.from("SSH-");

/** The identification string of SSH (RFC 4253, 4.2), from its very first byte. */
export function matchSsh(bytes: Buffer): FirstBytesGuess {
  if (bytes.length > 0 && bytes[0] !== SSH[0]) return "no";
  const seen = bytes.subarray(0, SSH.length);
  if (!seen.equals(SSH.subarray(0, seen.length))) return "no";
  if (seen.length < SSH.length) return "more";
  return { protocol: "ssh", detail: "SSH identification string" };
}

// How far a client may hide its identification string behind other lines: servers that tolerate any
// read some tens of short ones.
const LATE_SSH_BYTES_MAX = 1024;

/** The same after space, blank lines or lines of other text, which some servers skip. */
export function matchLateSsh(bytes: Buffer): FirstBytesGuess {
  const length = Math.min(bytes.length, LATE_SSH_BYTES_MAX);
  let end = 0;
  while (end < length && isText(bytes[end])) end += 1;
  if (/(?:^|[\r\n\0])[ \t\0]*SSH-/.test(bytes.toString("latin1", 0, end))) {
    return { protocol: "ssh", detail: "SSH identification string after other text" };
  }
  return end < length || length === LATE_SSH_BYTES_MAX ? "no" : "more";
}

/** A byte of text, or the NUL that some readers skip. */
function isText(byte = 0xff): boolean {
  return isLineText(byte) || byte === LF || byte === 0;
}

/** A byte that a line may hold. */
function isLineText(byte = 0xff): boolean {
  return (byte >= 0x20 && byte <= 0x7e) || byte === 0x09 || byte === 0x0d;
}

const JSON_SPACE_MAX = 1024;
// What may follow an opening brace or bracket: a first byte of a member or of any value.
const JSON_INSIDE: ReadonlyMap<number | undefined, string> = new Map([
  [0x7b, '"}'],
  [0x5b, '"{[]0123456789tfn-'],
]);

/** A first JSON value: a mining pool's, a known tunnel's, another JSON-RPC's, or any. */
export function matchJson(bytes: Buffer): FirstBytesGuess {
  const start = behindSpace(bytes, 0);
  if (start > JSON_SPACE_MAX) return "no";
  if (start === bytes.length) return "more";
  const inside = JSON_INSIDE.get(bytes[start]);
  if (inside === undefined) return "no";
  const second = bytes[behindSpace(bytes, start + 1)];
  if (second !== undefined && !inside.includes(String.fromCharCode(second))) return "no";
  const scan = newScan();
  for (let at = start; at < bytes.length; at += 1) {
    if (scanByte(scan, bytes[at] ?? 0)) return nameJson(bytes.toString("utf8", start, at + 1));
  }
  if (bytes.length < FIRST_BYTES_MAX) return "more";
  return { protocol: "json", detail: `JSON over ${FIRST_BYTES_MAX} bytes` };
}

function behindSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (JSON_SPACE.has(bytes[at])) at += 1;
  return at;
}

const JSON_SPACE: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0d, 0x0a]);

function nameJson(text: string): FirstBytesGuess {
  const mining = miningMessage(text);
  if (mining !== undefined) return { protocol: "stratum", detail: mining.detail };
  const keys = Object.keys(asRecord(parseJson(text)) ?? {});
  if (keys.length === 1 && (keys[0] === "Hello" || keys[0] === "Authenticate")) {
    return { protocol: "tunnel", detail: `bore control message ${keys[0]}` };
  }
  const rpc = topLevelStrings(text).some(([key]) => key === "jsonrpc" || key === "method");
  return { protocol: "json", detail: rpc ? "JSON-RPC message" : "JSON value" };
}

/** Openings of line protocols, each told by its first line. */
const WORDS: readonly (readonly [RegExp, FirstBytesProtocol, string])[] = [
  [/^(?:EHLO|HELO|LHLO) |^MAIL FROM:/i, "smtp", "SMTP command"],
  [/^\*\d{1,7}\r\n$/, "redis", "RESP command"],
  [/^AUTH (?:TLS|SSL)\r\n$/i, "ftp", "AUTH command"],
  [/^(?:PING|AUTH .+|HELLO [23].*|INFO)\r\n$/i, "redis", "inline command"],
  [/^(?:NICK|PASS|CAP LS|USER \S+ \S+)\b/i, "irc", "IRC command"],
  [/^USER \S+\r\n$/i, "ftp", "USER command"],
  [/^[a-z0-9.]{1,12} (?:CAPABILITY|LOGIN|STARTTLS|AUTHENTICATE)\b/i, "imap", "IMAP command"],
  [/^@RSYNCD: \d/, "rsync", "rsync daemon greeting"],
  [/^(?:ba|da|z|k)?sh(?:-\d[\d.]*)?[:#$] /, "shell", "the prompt or complaint of a shell"],
  [/^uid=\d+\(/, "shell", "the output of a shell"],
];
const LINE_BYTES_MAX = 512;

/** Other line protocols; decided where the first line or the text ends, so cuts do not matter. */
export function matchWords(bytes: Buffer): FirstBytesGuess {
  const length = Math.min(bytes.length, LINE_BYTES_MAX);
  let end = 0;
  while (end < length && isLineText(bytes[end])) end += 1;
  if (end === length && length < LINE_BYTES_MAX) return "more";
  if (end === 0) return "no";
  const line = bytes.toString("latin1", 0, Math.min(end + 1, length));
  const found = WORDS.find(([pattern]) => pattern.test(line));
  return found === undefined ? "no" : { protocol: found[1], detail: found[2] };
}
