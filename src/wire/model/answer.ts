/**
 * Reads the answer of a model as it comes, in pieces of any length: one JSON document, a JSON array of them, or
 * server-sent events. Which of these it is shows in its first byte, whatever its head says: clients go by what
 * they asked for, not by what the head says.
 *
 * @module
 */
import { isFault } from "../../base/index.ts";
import { EventStreamReader } from "../event-stream.ts";
import { asRecord, newScan, parseJson, scanByte } from "../json-scan.ts";
import { anthropicDialect } from "./anthropic.ts";
import { googleDialect } from "./google.ts";
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

export const DIALECTS: Readonly<Record<ModelProtocol, (reading: Reading) => Dialect>> = {
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
  let form: Form | undefined;
  let isOver = false;
  const take = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length && form === undefined; at += 1) {
      form = formOf(bytes[at] ?? 0, { reading, dialect, bytesMax });
      if (form !== undefined) return form.push(bytes.subarray(at));
    }
    form?.push(bytes);
  };
  return {
    push(bytes) {
      if (!isOver) take(bytes);
      return reading.take();
    },
    end() {
      if (isOver) return reading.take();
      isOver = true;
      form?.end();
      dialect.end();
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

const BRACE = 0x7b;
const BRACKET = 0x5b;
const BOM: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf]);

/** The form that `first` begins; `undefined` where it says nothing yet. */
function formOf(first: number, parts: Parts): Form | undefined {
  if (isSpace(first) || BOM.has(first)) return undefined;
  if (first === BRACE || first === BRACKET) return documents(parts, first === BRACKET);
  return events(parts);
}

function events({ reading, dialect, bytesMax }: Parts): Form {
  const stream = new EventStreamReader(bytesMax);
  let isLost = false;
  const push = (bytes: Uint8Array) => {
    if (isLost) return;
    try {
      for (const { data } of stream.push(bytes)) {
        if (data !== undefined && data.trim() !== "" && data !== "[DONE]") read(data);
      }
    } catch (error) {
      if (!isFault(error, "wire.event_stream")) throw error;
      isLost = true;
      reading.doubt(error.message);
    }
  };
  const read = (data: string) => {
    const value = isDeep(data) ? undefined : asRecord(parseJson(data));
    if (value === undefined) reading.doubt("an event that is no JSON object");
    else dialect.take(value);
  };
  // Clients differ in whether an event that no empty line ends counts; here it does.
  return { push, end: () => push(END) };
}

const END = Buffer.from("\n\n");

function documents({ reading, dialect, bytesMax }: Parts, isArray: boolean): Form {
  let scan = newScan();
  let kept: Buffer = Buffer.alloc(0);
  let length = 0;
  /** Within an array or behind the document: between values. */
  let isBetween = false;
  let isClosed = false;
  let isLost = false;
  let isBegun = false;

  const lose = (why: string) => {
    isLost = true;
    kept = Buffer.alloc(0);
    reading.doubt(why);
  };
  /** Keeps in one piece, however small the pieces are that come. */
  const keep = (bytes: Uint8Array) => {
    if (length + bytes.length > bytesMax) return lose(`an answer of more than ${bytesMax} bytes`);
    if (length + bytes.length > kept.length) {
      const wider = Buffer.alloc(Math.max(1024, 2 * (length + bytes.length)));
      kept.copy(wider, 0, 0, length);
      kept = wider;
    }
    kept.set(bytes, length);
    length += bytes.length;
  };
  const finish = () => {
    const whole = kept.subarray(0, length);
    length = 0;
    scan = newScan();
    isBetween = true;
    if (!isArray) isClosed = true;
    const value = parseUtf8(whole);
    if (value === undefined) lose("an answer that is no JSON object in UTF-8");
    else dialect.take(value);
  };
  const between = (byte: number) => {
    if (isSpace(byte)) return;
    if (isClosed) lose("something behind the end of the answer");
    else if (byte === 0x5d) isClosed = true;
    else if (byte !== 0x2c) lose("an array of other things than answers");
  };
  const push = (chunk: Uint8Array) => {
    let from = 0;
    if (!isBegun && isArray) {
      from = 1;
      isBetween = true;
    }
    isBegun = true;
    let start = from;
    for (let at = from; at < chunk.length && !isLost; at += 1) {
      const byte = chunk[at] ?? 0;
      if (isBetween) {
        if (byte !== BRACE || isClosed) {
          between(byte);
          continue;
        }
        isBetween = false;
        start = at;
      }
      const isEnd = scanByte(scan, byte);
      if (scan.depth > DEPTH_MAX) return lose(`nested deeper than ${DEPTH_MAX}`);
      if (!isEnd) continue;
      keep(chunk.subarray(start, at + 1));
      if (!isLost) finish();
    }
    if (!isLost && !isBetween) keep(chunk.subarray(start));
  };
  return {
    push: (chunk) => (isLost ? undefined : push(chunk)),
    end() {
      if (!isLost && !isClosed) reading.doubt("the answer broke off");
    },
  };
}

/** A JSON object in UTF-8; `undefined` where it is none. */
export function parseUtf8(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
  return isDeep(text) ? undefined : asRecord(parseJson(text));
}

/** Whether `text` nests so deeply that nothing should walk through it. */
function isDeep(text: string): boolean {
  const scan = newScan();
  for (let at = 0; at < text.length; at += 1) {
    scanByte(scan, text.charCodeAt(at));
    if (scan.depth > DEPTH_MAX) return true;
  }
  return false;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
