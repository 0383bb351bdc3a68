/**
 * The Connect protocol, as much of it as E2B's clients speak: calls of one JSON message, and streams of JSON messages in
 * envelopes.
 *
 * ```
 * unary    POST /package.Service/Method   application/json
 *          200 {…}   or   STATUS {"code": "not_found", "message": "…"}
 * stream   POST /package.Service/Method   application/connect+json
 *          envelope: flags (1 byte), length (4 bytes, big-endian), message
 *          the last one has flag 0x02: {} or {"error": {"code", "message"}}; the status is 200 in either case
 * ```
 *
 * Source: connectrpc.com/docs/protocol. Messages are not compressed, which the protocol lets a server decide.
 *
 * @module
 */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { refusalOf, Refusal } from "./refusal.ts";

const ENVELOPE_BYTES = 5;
const COMPRESSED = 0x01;
const END = 0x02;
/** Of one message; of input that is typed or piped a client sends small pieces. */
export const MESSAGE_BYTES_MAX = 4 << 20;
/** Whoever sends a message slower is not waited for. */
const MESSAGE_MS_MAX = 30_000;
const TIMEOUT_DIGITS = /^\d{1,10}$/;

/** A method that answers once. */
export type Unary = (message: unknown, call: Call) => Promise<unknown>;
/** A method that answers by a stream: it sends until it returns. */
export type Streaming = (message: unknown, call: Call, send: Send) => Promise<void>;
/** A method that is sent a stream, and answers once. */
export type Receiving = (messages: AsyncIterable<unknown>, call: Call) => Promise<unknown>;
/** Resolves when the caller takes more; a caller that is gone takes everything. */
export type Send = (message: unknown) => Promise<void>;

export type Method =
  | { readonly kind: "unary"; readonly act: Unary }
  | { readonly kind: "streaming"; readonly act: Streaming }
  | { readonly kind: "receiving"; readonly act: Receiving };

/** What is known of a call besides its message. */
export interface Call {
  /** Aborted when the caller is gone. */
  readonly gone: AbortSignal;
  /** How long the caller wants it to last at most, milliseconds. */
  readonly timeoutMs: number | undefined;
  /** How often the caller wants to hear that it still lasts, milliseconds. */
  readonly keepaliveMs: number | undefined;
}

/**
 * Answers one call, of the method that `find` gives; where that throws, the caller is refused in the form that its request
 * has.
 */
export async function answerCall(
  find: () => Method,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const call = callOf(request, gone.signal);
  if (typeOf(request).startsWith("application/connect+")) {
    const send = sender(response, gone.signal);
    const trailer = await answerStream(find, request, call, send).then(() => ({}), errorOf);
    begin(response);
    response.end(envelope(END, trailer));
    return;
  }
  try {
    const method = find();
    if (method.kind !== "unary") throw new Refusal("unimplemented", "this call is a stream");
    requireType(request, "application/json");
    const message = parseMessage(await readBody(request, MESSAGE_BYTES_MAX));
    sendUnary(response, 200, await method.act(message, call));
  } catch (error) {
    sendUnary(response, refusalOf(error).status, errorOf(error).error);
  }
}

async function answerStream(
  find: () => Method,
  request: IncomingMessage,
  call: Call,
  send: Send,
): Promise<void> {
  const method = find();
  requireType(request, "application/connect+json");
  if ((request.headers["connect-content-encoding"] ?? "identity") !== "identity") {
    throw new Refusal("unimplemented", "compressed messages are not supported here");
  }
  const messages = readEnvelopes(request);
  if (method.kind === "receiving") await send(await method.act(messages, call));
  else if (method.kind === "streaming") await method.act(await onlyOne(messages), call, send);
  else throw new Refusal("unimplemented", "this call is no stream");
}

function errorOf(error: unknown): { readonly error: { code: string; message: string } } {
  const { code, message } = refusalOf(error);
  return { error: { code, message } };
}

function callOf({ headers }: IncomingMessage, gone: AbortSignal): Call {
  const timeout = headers["connect-timeout-ms"];
  const ping = headers["keepalive-ping-interval"];
  return {
    gone,
    timeoutMs: typeof timeout === "string" && TIMEOUT_DIGITS.test(timeout) ? +timeout : undefined,
    keepaliveMs: typeof ping === "string" && /^[1-9]\d{0,3}$/.test(ping) ? +ping * 1000 : undefined,
  };
}

function typeOf({ headers }: IncomingMessage): string {
  return (headers["content-type"] ?? "").split(";", 1)[0]?.trim() ?? "";
}

function requireType(request: IncomingMessage, wanted: string): void {
  const type = typeOf(request);
  if (type === wanted) return;
  throw new Refusal("unimplemented", `messages are ${wanted} here, not ${JSON.stringify(type)}`);
}

/** Sends envelopes, the answer's head before the first. */
function sender(response: ServerResponse, gone: AbortSignal): Send {
  return async (message) => {
    if (gone.aborted) return;
    begin(response);
    if (response.write(envelope(0, message))) return;
    await once(response, "drain", { signal: gone }).catch(() => {}); // Gone: nobody is to be waited for.
  };
}

function begin(response: ServerResponse): void {
  if (!response.headersSent)
    response.writeHead(200, { "content-type": "application/connect+json" });
}

function envelope(flags: number, message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(ENVELOPE_BYTES);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

function sendUnary(response: ServerResponse, status: number, message: unknown): void {
  if (!response.req.complete) response.setHeader("connection", "close");
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(message));
}

/** The messages of a request, as they come. @throws {Refusal} `invalid_argument` where they are none. */
async function* readEnvelopes(request: AsyncIterable<unknown>): AsyncIterable<unknown> {
  let parts: Buffer[] = [];
  let size = 0;
  let needed = ENVELOPE_BYTES;
  for await (const chunk of request) {
    parts.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size < needed) continue; // Joined when there is enough: a byte at a time costs no copy of all.
    let rest = Buffer.concat(parts);
    for (needed = neededOf(rest); rest.length >= needed; needed = neededOf(rest)) {
      const flags = rest.readUInt8(0);
      if ((flags & COMPRESSED) !== 0) throw new Refusal("invalid_argument", "a compressed message");
      if ((flags & END) === 0) yield parseMessage(rest.subarray(ENVELOPE_BYTES, needed));
      rest = rest.subarray(needed);
    }
    parts = [rest];
    size = rest.length;
  }
  if (size > 0) throw new Refusal("invalid_argument", "a message that breaks off");
}

/** How many bytes the envelope at the start of `rest` takes, as far as that can be said. */
function neededOf(rest: Buffer): number {
  if (rest.length < ENVELOPE_BYTES) return ENVELOPE_BYTES;
  const length = rest.readUInt32BE(1);
  if (length <= MESSAGE_BYTES_MAX) return ENVELOPE_BYTES + length;
  throw new Refusal("resource_exhausted", `a message above ${MESSAGE_BYTES_MAX} bytes`);
}

async function onlyOne(messages: AsyncIterable<unknown>): Promise<unknown> {
  const all: unknown[] = [];
  for await (const message of messages) {
    all.push(message);
    if (all.length > 1) break;
  }
  if (all.length !== 1) throw new Refusal("invalid_argument", "the call takes one message");
  return all[0];
}

/** All of a body. @throws {Refusal} where it is above `bytesMax`, or does not come. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const slow = setTimeout(() => request.destroy(), MESSAGE_MS_MAX);
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > bytesMax) {
        throw new Refusal("resource_exhausted", `a request above ${bytesMax} bytes`);
      }
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(slow);
  }
  return Buffer.concat(chunks);
}

export function parseMessage(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf8", { fatal: true }).decode(body)) as unknown;
  } catch {
    throw new Refusal("invalid_argument", "the message is not JSON");
  }
}
