/**
 * OpenAI's Responses over a WebSocket (platform.openai.com, "WebSocket mode", "WebSocket events"): the client's
 * `response.create` has the members of a request, and what the server says are the events of its stream. Several
 * responses may be under way, told apart by `stream_id`.
 *
 * @module
 */
import { asRecord } from "../json-scan.ts";
import { readObject } from "./kept.ts";
import { isLastEvent, responsesDialect } from "./openai-responses.ts";
import { DOCUMENT_BYTES_MAX } from "./protocol.ts";
import { nameOf, Reading, type Answered, type Dialect, type ModelCall } from "./reading.ts";
import { readModelRequest, type ModelRequest } from "./request.ts";

export type SocketPart =
  | { readonly kind: "request"; readonly request: ModelRequest }
  | { readonly kind: "call"; readonly call: ModelCall }
  | { readonly kind: "answer"; readonly answered: Answered };

/** Reads both directions; whole messages, in order. Never throws. */
export interface ResponsesSocket {
  /** A message; `undefined` for one that is too long to be kept. */
  client(message: Uint8Array | undefined): readonly SocketPart[];
  server(message: Uint8Array | undefined): readonly SocketPart[];
  /** The connection is over; what was under way is told as it is. */
  end(): readonly SocketPart[];
}

const STREAMS_MAX = 64;
const TOO_LONG = `a message of more than ${DOCUMENT_BYTES_MAX} bytes`;

export function createResponsesSocket(): ResponsesSocket {
  const streams = new Map<string, { readonly reading: Reading; readonly dialect: Dialect }>();

  const close = (key: string): readonly SocketPart[] => {
    const stream = streams.get(key);
    streams.delete(key);
    if (stream === undefined) return [];
    stream.dialect.end();
    return [...calls(stream.reading), { kind: "answer", answered: stream.reading.answered }];
  };
  const streamOf = (key: string) => {
    const known = streams.get(key);
    if (known !== undefined) return { stream: known, given: [] };
    const [oldest] = streams.keys();
    const given = streams.size < STREAMS_MAX || oldest === undefined ? [] : close(oldest);
    const reading = new Reading();
    const stream = { reading, dialect: responsesDialect(reading) };
    streams.set(key, stream);
    return { stream, given };
  };
  const doubt = (why: string): readonly SocketPart[] => {
    const reading = new Reading();
    reading.doubt(why);
    return [{ kind: "answer", answered: reading.answered }];
  };

  return {
    client(message) {
      if (message === undefined) return doubt(TOO_LONG);
      const members = readObject(message).members;
      if (members === undefined) return doubt("a message that is no JSON object");
      const asked = asRecord(members["response"]) ?? members;
      if (members["type"] !== "response.create" && asked["input"] === undefined) return [];
      return [{ kind: "request", request: readModelRequest("openai-responses", "", asked) }];
    },
    server(message) {
      if (message === undefined) return doubt(TOO_LONG);
      const event = readObject(message).members;
      if (event === undefined) return doubt("a message that is no JSON object");
      const key = nameOf(event["stream_id"]);
      const { stream, given } = streamOf(key);
      stream.dialect.take(event);
      const parts = [...given, ...calls(stream.reading)];
      return isLastEvent(event["type"]) ? [...parts, ...close(key)] : parts;
    },
    end: () => [...streams.keys()].flatMap(close),
  };
}

function calls(reading: Reading): readonly SocketPart[] {
  return reading.take().map((call) => ({ kind: "call", call }));
}
