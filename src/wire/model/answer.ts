/**
 * Reads the answer of a model as it comes, in pieces of any length: one JSON document, a JSON array of them, or
 * server-sent events. Which of these it is shows in its first byte, whatever its head says: clients go by what
 * they asked for, not by what the head says.
 *
 * @module
 */
import { newScan, scanByte } from "../json-scan.ts";
import { anthropicDialect } from "./anthropic.ts";
import { googleDialect } from "./google.ts";
import { Kept, readObject } from "./kept.ts";
import { chatDialect } from "./openai-chat.ts";
import { responsesDialect } from "./openai-responses.ts";
import { DEPTH_MAX, DOCUMENT_BYTES_MAX, type ModelProtocol } from "./protocol.ts";
import { Reading, type Answered, type Dialect, type ModelCall } from "./reading.ts";

/** Never throws, and keeps at most one document and what is open of the calls. */
export interface AnswerReader {
  /** Takes the next bytes; gives the calls that are whole by now. */
  push(bytes: Uint8Array): readonly ModelCall[];
  /** Nothing more comes; gives the calls that were left open. */
  end(): readonly ModelCall[];
  /** What it was, so far. */
  readonly answered: Answered;
}

const DIALECTS: Readonly<Record<ModelProtocol, (reading: Reading) => Dialect>> = {
  "anthropic-messages": anthropicDialect,
  "openai-responses": responsesDialect,
  "openai-chat": chatDialect,
  "google-generate": googleDialect,
};

/** @param bytesMax Longest document that is read. */
export function createAnswerReader(
  protocol: ModelProtocol,
  bytesMax = DOCUMENT_BYTES_MAX,
): AnswerReader {
  const reading = new Reading();
  const dialect = DIALECTS[protocol](reading);
  const parts = { reading, dialect, bytesMax };
  let form: Form | undefined;
  let isOver = false;
  const begin = (bytes: Uint8Array): Uint8Array => {
    const at = bytes.findIndex((byte) => !isSpace(byte) && !BOM.has(byte));
    if (at < 0) return NOTHING;
    const first = bytes[at];
    const isArray = first === BRACKET;
    form = isArray || first === BRACE ? documents(parts, isArray) : events(parts);
    return bytes.subarray(isArray ? at + 1 : at);
  };
  return {
    push(bytes) {
      if (!isOver) {
        const rest = form === undefined ? begin(bytes) : bytes;
        form?.push(rest);
      }
      return reading.take();
    },
    end() {
      if (!isOver) {
        isOver = true;
        form?.end();
        dialect.end();
      }
      return reading.take();
    },
    get answered() {
      return reading.answered;
    },
  };
}

interface Form {
  push(bytes: Uint8Array): void;
  end(): void;
}

interface Parts {
  readonly reading: Reading;
  readonly dialect: Dialect;
  readonly bytesMax: number;
}

const NOTHING = new Uint8Array();
const BRACE = 0x7b;
const BRACKET = 0x5b;
const BOM: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf]);

function take({ reading, dialect }: Parts, bytes: Uint8Array, what: string): boolean {
  const { members, isOdd } = readObject(bytes);
  if (isOdd) reading.doubt(`${what} that is not UTF-8`);
  if (members === undefined) reading.doubt(`${what} that is no JSON object`);
  else dialect.take(members);
  return members !== undefined;
}

const LF = 0x0a;
const CR = 0x0d;
const DATA = Buffer.from("data");
const DATA_FIELD = Buffer.from("data:");
const DONE = Buffer.from("[DONE]");
const LINE_END = Buffer.from("\n");

/**
 * Server-sent events (HTML Living Standard, 9.2), of which only the data counts. Unlike `EventStreamReader` this
 * never loses its place: what is too long or no UTF-8 is said, and the next event read.
 */
function events(parts: Parts): Form {
  const { reading, bytesMax } = parts;
  const line = new Kept(bytesMax);
  const data = new Kept(bytesMax);
  let hasData = false;
  let isLong = false;
  let isAfterCr = false;

  const dispatch = () => {
    const { bytes } = data;
    if (isLong) reading.doubt(`an event of more than ${bytesMax} bytes`);
    else if (hasData && !bytes.equals(DONE) && bytes.some((byte) => !isSpace(byte))) {
      take(parts, bytes, "an event");
    }
    data.clear();
    hasData = false;
    isLong = false;
  };
  const endLine = () => {
    const { bytes } = line;
    if (bytes.length === 0) dispatch();
    else if (bytes.subarray(0, 4).equals(DATA) && (bytes.length === 4 || bytes[4] === 0x3a)) {
      const value = bytes.subarray(bytes[5] === 0x20 ? 6 : 5);
      const isKept = (!hasData || data.add(LINE_END)) && data.add(value);
      if (!isKept) isLong = true;
      hasData = true;
    } else if (bytes.includes(DATA_FIELD)) {
      // Behind a blank, or a line end of Unicode's: clients that trim, or split lines by those, take it for data.
      reading.doubt("data on a line that does not begin with it");
    }
    line.clear();
  };
  return {
    push(chunk) {
      let from = 0;
      for (let at = 0; at < chunk.length; at += 1) {
        const byte = chunk[at];
        const isSecond = byte === LF && isAfterCr;
        isAfterCr = byte === CR;
        if (byte !== LF && byte !== CR) continue;
        if (!isSecond) {
          if (!line.add(chunk.subarray(from, at))) isLong = true;
          endLine();
        }
        from = at + 1;
      }
      if (!line.add(chunk.subarray(from))) isLong = true;
    },
    // Clients differ in whether an event that no empty line ends counts; here it does.
    end() {
      endLine();
      dispatch();
    },
  };
}

function documents(parts: Parts, isArray: boolean): Form {
  const { reading, bytesMax } = parts;
  const kept = new Kept(bytesMax);
  let scan = newScan();
  /** Before, behind or between values. */
  let isBetween = isArray;
  let isClosed = false;
  let isLost = false;

  const lose = (why: string) => {
    isLost = true;
    kept.clear();
    reading.doubt(why);
  };
  const keep = (bytes: Uint8Array) => {
    if (!kept.add(bytes)) lose(`an answer of more than ${bytesMax} bytes`);
  };
  const finish = () => {
    scan = newScan();
    isBetween = true;
    isClosed = !isArray;
    if (!take(parts, kept.bytes, "an answer")) isLost = true;
    kept.clear();
  };
  const between = (byte: number) => {
    if (isSpace(byte)) return;
    if (isClosed) lose("something behind the end of the answer");
    else if (byte === 0x5d) isClosed = true;
    else if (byte !== 0x2c) lose("an array of other things than answers");
  };
  return {
    push(chunk) {
      let start = 0;
      for (let at = 0; at < chunk.length; at += 1) {
        if (isLost) return;
        const byte = chunk[at] ?? 0;
        if (isBetween && (byte !== BRACE || isClosed)) {
          between(byte);
          continue;
        }
        if (isBetween) start = at;
        isBetween = false;
        const isEnd = scanByte(scan, byte);
        if (scan.depth > DEPTH_MAX) return lose(`an answer that nests deeper than ${DEPTH_MAX}`);
        if (!isEnd) continue;
        keep(chunk.subarray(start, at + 1));
        if (!isLost) finish();
      }
      if (!isLost && !isBetween) keep(chunk.subarray(start));
    },
    end() {
      if (!isLost && !isClosed) reading.doubt("the answer broke off");
    },
  };
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
