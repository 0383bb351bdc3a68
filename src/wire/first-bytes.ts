/**
 * Names a protocol by the first bytes that a client sends.
 *
 * The gateway forwards only what it positively knows, so the two answers that matter are `http` and
 * `tls`, and they are strict; all other names only say in the ledger what was refused.
 *
 * The stream may arrive in any pieces. Each matcher answers `no`, `more` or a match, and keeps `no` and
 * a match whatever follows; the first match in the list wins once every matcher before it said `no`.
 * So the certain answer is the same wherever the stream was cut.
 *
 * @module
 */
import { matchBinary } from "./first-bytes-binary.ts";
import {
  FIRST_BYTES_MAX,
  type FirstBytesGuess,
  type FirstBytesMatch,
} from "./first-bytes-match.ts";
import { matchHttp, matchJson, matchLateSsh, matchSsh, matchWords } from "./first-bytes-text.ts";

export {
  FIRST_BYTES_MAX,
  FIRST_BYTES_PROTOCOLS,
  type FirstBytesMatch,
  type FirstBytesProtocol,
} from "./first-bytes-match.ts";

/** The answer. While `certain` is false more bytes are needed, and `protocol` is `unknown`. */
export interface FirstBytes extends FirstBytesMatch {
  readonly certain: boolean;
}

/** Strict and granted forms first; guesses about the rest after them. */
const MATCHERS: readonly ((bytes: Buffer) => FirstBytesGuess)[] = [
  matchTls,
  matchSslV2,
  matchSsh,
  matchHttp2,
  matchHttp,
  matchJson,
  matchBinary,
  matchWords,
  matchLateSsh,
];

/**
 * Names the protocol of a client's stream that begins with `bytes`.
 *
 * Call it with all bytes so far whenever some arrive, until `certain`; at most
 * {@link FIRST_BYTES_MAX} are read. Where the peer stops before that, the flow is unknown.
 */
export function classifyFirstBytes(bytes: Buffer): FirstBytes {
  const head = bytes.subarray(0, FIRST_BYTES_MAX);
  for (const matcher of MATCHERS) {
    const guess = matcher(head);
    if (guess === "no") continue;
    if (guess !== "more") return { ...guess, certain: true };
    if (head.length < FIRST_BYTES_MAX) {
      return { protocol: "unknown", certain: false, detail: "too few bytes to tell" };
    }
  }
  return { protocol: "unknown", certain: true, detail: "the first bytes are no known protocol's" };
}

const TLS_RECORD_BYTES_MAX = 16_384; // RFC 8446, 5.1: a plaintext record's fragment.

/**
 * A TLS record that carries a ClientHello: `type` u8 22, `version` u16 3.0 to 3.4, `length` u16,
 * `msg_type` u8 1 (RFC 8446, 4 and 5.1). {@link parseClientHello} judges the rest.
 */
function matchTls(bytes: Buffer): FirstBytesGuess {
  if (bytes.length > 0 && bytes[0] !== 0x16) return "no";
  // One by one: taking a list apart costs as much as all the rest of it.
  const high = bytes[3];
  const low = bytes[4];
  const message = bytes[5];
  if ((bytes[1] ?? 3) !== 3 || (bytes[2] ?? 0) > 4) return "no";
  if (high === undefined || low === undefined) return "more";
  const length = high * 256 + low;
  if (length === 0 || length > TLS_RECORD_BYTES_MAX) return "no";
  if (message === undefined) return "more";
  return message === 1 ? { protocol: "tls", detail: "TLS ClientHello" } : "no";
}

/**
 * The ClientHello of SSL 2, which old clients also used to ask for more: `length` u16 with its high bit
 * set, `msg_type` u8 1, `version` u16 0.2 or 3.x (RFC 6101, appendix E). Refused: no name can be in it.
 */
function matchSslV2(bytes: Buffer): FirstBytesGuess {
  if (bytes.length > 0 && ((bytes[0] ?? 0) & 0x80) === 0) return "no";
  const [, low, message, major, minor] = bytes;
  if (low === undefined) return "more";
  if (message !== undefined && message !== 1) return "no";
  if (major !== undefined && major !== 0 && major !== 3) return "no";
  if (minor === undefined) return "more";
  if (major === 0 ? minor !== 2 : minor > 4) return "no";
  return { protocol: "sslv2", detail: "SSL 2 ClientHello" };
}

const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); // RFC 9113, 3.4.

function matchHttp2(bytes: Buffer): FirstBytesGuess {
  if (bytes.length > 0 && bytes[0] !== HTTP2_PREFACE[0]) return "no";
  const seen = bytes.subarray(0, HTTP2_PREFACE.length);
  if (!seen.equals(HTTP2_PREFACE.subarray(0, seen.length))) return "no";
  if (seen.length < HTTP2_PREFACE.length) return "more";
  return { protocol: "http2-preface", detail: "HTTP/2 connection preface" };
}
