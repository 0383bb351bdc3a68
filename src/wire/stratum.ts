/**
 * Watches one direction of a byte stream for a mining pool's protocol, whatever way it is cut into
 * segments, batched, spaced or escaped.
 *
 * Feed it what the protocol above carries: a raw TCP stream as it is, an HTTP message's body after its
 * chunking and compression are undone, a WebSocket message's payload. Ports and addresses say nothing
 * and are not looked at. Noise-encrypted Stratum V2 is only random bytes: the gateway closes those as
 * unknown (docs/decisions/0031).
 *
 * @module
 */
import { newScan, scanByte, type Scan } from "./json-scan.ts";
import { miningMessage, type MiningMessage } from "./mining-message.ts";

export type { MiningDialect, MiningMessage } from "./mining-message.ts";

/** How much of a direction is looked at, in bytes: a miner logs in with its first message. */
export const STRATUM_BYTES_MAX = 16_384;

// Values that may be open at once. One is enough for honest peers; more keep a stray brace on a line
// before the message from hiding it. Only a brace in the first column begins a value inside another:
// what is indented is content.
const OPEN_VALUES_MAX = 8;

/** Looks at one direction of one stream. */
export interface StratumWatch {
  /** Takes the next bytes. Returns the first mining message seen, once; then and else `undefined`. */
  push(chunk: Uint8Array): MiningMessage | undefined;
}

/** A watch over the first {@link STRATUM_BYTES_MAX} bytes of one direction. */
export function createStratumWatch(): StratumWatch {
  let bytes = EMPTY; // What came so far: few streams get near the maximum.
  const values = createValueFinder();
  let length = 0;
  let place: Place = "start";

  const step = (): MiningMessage | undefined => {
    const setup = setupConnection(bytes, length + 1);
    if (setup !== undefined) return setup;
    place = nextPlace(place, bytes, length);
    const text = place === "values" ? values.take(bytes, length) : undefined;
    return text === undefined ? undefined : miningMessage(text);
  };

  return {
    push(chunk) {
      if (place === "over") return undefined;
      const taken = chunk.subarray(0, STRATUM_BYTES_MAX - length);
      bytes = length === 0 ? Buffer.from(taken) : Buffer.concat([bytes, taken]);
      for (; length < bytes.length; length += 1) {
        const hit = step();
        if (hit !== undefined) {
          place = "over";
          return hit;
        }
        // Nothing that follows can be one any more.
        if (place === "other" && length >= STRATUM_V2_BYTES) break;
      }
      if (length === STRATUM_BYTES_MAX || (place === "other" && length >= STRATUM_V2_BYTES)) {
        place = "over";
        bytes = EMPTY;
      }
      return undefined;
    },
  };
}

/**
 * The first mining message in the first bytes of a direction: what {@link createStratumWatch} finds in them, which
 * looks at each byte, where a name that every such message has stands in them at all.
 */
export function findMining(bytes: Buffer): MiningMessage | undefined {
  const head = bytes.subarray(0, STRATUM_BYTES_MAX);
  const may = isStratumV2Setup(head) || (mayStart(head[0]) && NAME.test(head.toString("latin1")));
  return may ? createStratumWatch().push(head) : undefined;
}

/** As they stand in JSON; an escape may hide any. */
const NAME = /\\u|"(?:mining\.|eth_|get|submit|login"|job")/;

/** What a stream may begin with: space, JSON, or the head of an HTTP message. */
function mayStart(byte = 0xff): boolean {
  const isSpace = byte === 0x20 || byte === 0x09 || isLineEnd(byte);
  return isSpace || isOpening(byte) || (byte >= 0x41 && byte <= 0x5a);
}

const EMPTY = Buffer.alloc(0);

/**
 * Where in a stream a byte stands. Mining streams are JSON from the first byte that is not space, or an
 * HTTP message whose body is; a web page that shows such a message is `other`.
 */
type Place = "start" | "head" | "values" | "other" | "over";

const HTTP_START = /^(?:[A-Z]{3,10} \S+ HTTP\/1\.[01]|HTTP\/1\.[01] \d{3}\b.*)\r?\n/;
const HTTP_HEAD_END = [Buffer.from("\n\n"), Buffer.from("\n\r\n")];

/** The place of the byte at `at`, after `place`. */
function nextPlace(place: Place, bytes: Buffer, at: number): Place {
  const byte = bytes[at] ?? 0;
  if (place === "start") {
    if (isLineEnd(byte) || byte === 0x20 || byte === 0x09) return "start";
    if (isOpening(byte)) return "values";
    return byte >= 0x41 && byte <= 0x5a ? "head" : "other";
  }
  if (place !== "head" || byte !== LF) return place;
  const head = bytes.subarray(0, at + 1);
  if (HTTP_HEAD_END.some((end) => head.subarray(-end.length).equals(end))) return "values";
  const firstLine = head.indexOf(LF) === at;
  return firstLine && !HTTP_START.test(head.toString("latin1").trimStart()) ? "other" : "head";
}

interface OpenValue extends Scan {
  readonly start: number;
}

/** Finds the JSON values that close in a stream, byte after byte. */
function createValueFinder(): { take(bytes: Buffer, at: number): string | undefined } {
  let open: OpenValue[] = [];
  let lineStart = true;
  return {
    /** Takes the byte at `at`; returns the text of a value that it closed. */
    take(bytes, at) {
      const byte = bytes[at] ?? 0;
      if (isOpening(byte) && (lineStart || open.length === 0)) {
        if (open.length === OPEN_VALUES_MAX) open.shift();
        open.push({ ...newScan(), start: at });
      }
      lineStart = isLineEnd(byte);
      let closed: OpenValue | undefined;
      for (const value of open) {
        if (!scanByte(value, byte)) continue;
        closed = value;
        break;
      }
      if (closed === undefined) return undefined;
      // Values that began inside the closed one were part of it; those before it saw a stray brace.
      open = open.filter((value) => value.start < closed.start);
      return bytes.toString("utf8", closed.start, at + 1);
    },
  };
}

const LF = 0x0a;

function isLineEnd(byte: number): boolean {
  return byte === LF || byte === 0x0d || byte === 0; // NUL ends a message too (bore, old pools).
}

function isOpening(byte: number): boolean {
  return byte === 0x7b || byte === 0x5b;
}

/** Bytes of a Stratum V2 frame that {@link isStratumV2Setup} needs. */
export const STRATUM_V2_BYTES = 11;

/**
 * Reports whether a stream begins with a plain Stratum V2 SetupConnection:
 * `extension_type` u16 LE 0, `msg_type` u8 0, `msg_length` u24 LE, `protocol` u8 (0 mining, 1 job
 * declaration, 2 template distribution), `min_version` u16 LE 2, `max_version` u16 LE 2
 * (Stratum V2 specification, sections 3.2 and 3.6.1).
 */
export function isStratumV2Setup(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0) return false; // Nearly every stream is over here.
  const [e0, e1, type, , , lengthHigh, protocol, min0, min1, max0, max1] = bytes;
  const head = e0 === 0 && e1 === 0 && type === 0 && lengthHigh === 0;
  const versions = min0 === 2 && min1 === 0 && max0 === 2 && max1 === 0;
  return head && versions && protocol !== undefined && protocol <= 2;
}

function setupConnection(bytes: Uint8Array, length: number): MiningMessage | undefined {
  if (length !== STRATUM_V2_BYTES || !isStratumV2Setup(bytes.subarray(0, length))) return undefined;
  return { dialect: "stratum-v2", method: "SetupConnection", detail: "Stratum V2 SetupConnection" };
}
