/**
 * Server-sent events (HTML Living Standard, 9.2): bytes -> events, and back.
 *
 *     stream = [ BOM ] *event ; event = *( comment / field ) end-of-line
 *     field  = name [ ":" [ SP ] value ] end-of-line ; end-of-line = CR LF / CR / LF
 *
 * @module
 */
import { Fault } from "../base/index.ts";

/** One event. `data` is absent where the event only tells an id or a time. */
export interface StreamEvent {
  readonly id?: string;
  readonly event?: string;
  readonly retryMs?: number;
  readonly data?: string;
}

const ID = /^[\x21-\x7e]{1,512}$/;
const NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** Reads a stream as it comes. */
export class EventStreamReader {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  readonly #bytesMax: number;
  #line = "";
  #data: string[] | undefined;
  #bytes = 0;
  #id: string | undefined;
  #event: string | undefined;
  #retryMs: number | undefined;
  /** The last character was CR: an LF that follows belongs to it. */
  #isAfterCr = false;

  /** @param bytesMax of one event, its comments included */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * Takes bytes; gives the events that ended in them.
   *
   * @throws {Fault} `wire.event_stream` where it is no UTF-8, or an event is too long.
   */
  push(bytes: Uint8Array): readonly StreamEvent[] {
    this.#bytes += bytes.length;
    const text = this.#decode(bytes);
    const events: StreamEvent[] = [];
    let from = this.#isAfterCr && text.startsWith("\n") ? 1 : 0;
    if (text !== "") this.#isAfterCr = false;
    for (;;) {
      const end = nextEnd(text, from);
      if (end < 0) break;
      this.#line += text.slice(from, end);
      const event = this.#takeLine();
      if (event !== undefined) events.push(event);
      const isCr = text[end] === "\r";
      from = isCr && text[end + 1] === "\n" ? end + 2 : end + 1;
      this.#isAfterCr = isCr && end + 1 === text.length;
    }
    this.#line += text.slice(from);
    if (events.length > 0) this.#bytes = this.#line.length;
    if (this.#bytes > this.#bytesMax) {
      throw new Fault("wire.event_stream", `an event of more than ${this.#bytesMax} bytes`);
    }
    return events;
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes, { stream: true });
    } catch (cause) {
      throw new Fault("wire.event_stream", "an event stream that is no UTF-8", { cause });
    }
  }

  #takeLine(): StreamEvent | undefined {
    const line = this.#line;
    this.#line = "";
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return undefined; // A comment, which keeps the line open.
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (name === "data") (this.#data ??= []).push(value);
    else if (name === "event") this.#event = NAME.test(value) ? value : undefined;
    else if (name === "id") this.#id = ID.test(value) ? value : undefined;
    else if (name === "retry" && /^\d{1,7}$/.test(value)) this.#retryMs = Number(value);
    return undefined;
  }

  #dispatch(): StreamEvent | undefined {
    const data = this.#data?.join("\n");
    const event = {
      ...(this.#id === undefined ? {} : { id: this.#id }),
      ...(this.#event === undefined ? {} : { event: this.#event }),
      ...(this.#retryMs === undefined ? {} : { retryMs: this.#retryMs }),
      ...(data === undefined ? {} : { data }),
    };
    this.#data = undefined;
    this.#id = undefined;
    this.#event = undefined;
    this.#retryMs = undefined;
    return Object.keys(event).length === 0 ? undefined : event;
  }
}

function nextEnd(text: string, from: number): number {
  const lf = text.indexOf("\n", from);
  const cr = text.indexOf("\r", from);
  if (lf < 0 || cr < 0) return Math.max(lf, cr);
  return Math.min(lf, cr);
}

/** `event` as it stands in a stream. */
export function printEvent({ id, event, retryMs, data }: StreamEvent): string {
  const lines = [
    ...(event === undefined ? [] : [`event: ${event}`]),
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(retryMs === undefined ? [] : [`retry: ${retryMs}`]),
    ...(data === undefined ? [] : data.split(/\r\n|\r|\n/).map((line) => `data: ${line}`)),
  ];
  return `${lines.join("\n")}\n\n`;
}
