/**
 * Carries the messages of a WebSocket both ways, in constant memory, each frame read and written anew.
 *
 * What goes to the upstream is put under a mask of ours, so that a client cannot choose the bytes on that
 * wire: a server that only seemed to have agreed would read them as requests. Each message's beginning is
 * judged before any of it goes on (INV-36).
 *
 * @module
 */
import { randomFillSync } from "node:crypto";
import type { Duplex } from "node:stream";
import {
  closePayload,
  createFrameReader,
  createMessageWatch,
  encodeFrameHead,
  masked,
  OPCODE,
  type FrameHead,
  type FramePart,
  type MessageOffence,
  type MessageVerdict,
} from "../wire/index.ts";
import type { GatewayLimits } from "./limits.ts";

/** How a WebSocket ended. */
export interface Ending {
  readonly bytesOut: number;
  readonly bytesIn: number;
  readonly messagesOut: number;
  readonly messagesIn: number;
  /** A message that may not be spoken there. */
  readonly offence?: MessageOffence & { readonly from: Side };
  /** Frames that are none. */
  readonly flaw?: { readonly why: string; readonly from: Side };
}

type Side = "client" | "server";

export interface RelayOptions {
  readonly client: Duplex;
  readonly server: Duplex;
  readonly opaque: boolean;
  readonly limits: Pick<GatewayLimits, "undecidedMs" | "lingerMs">;
  /** Sees each message's bytes before they go on; `isEnd` with the last. */
  readonly heed?: ((from: Side, bytes: Buffer, isEnd: boolean) => void) | undefined;
}

/** Relays until both ends are closed, or one offends; then neither gets a byte more. */
export async function relayWebSocket({
  client,
  server,
  opaque,
  limits,
  heed,
}: RelayOptions): Promise<Ending> {
  let stop: Partial<Ending> | undefined;
  const end = (why: Partial<Ending>) => {
    stop ??= why;
    server.destroy();
  };
  const shared = { opaque, limits, end, heed };
  const out = new Direction("client", client, server, shared);
  const back = new Direction("server", server, client, shared);
  const closed = Promise.withResolvers<void>();
  const over = () => closed.resolve();
  for (const side of [client, server]) {
    side.on("error", over);
    side.once("close", over);
  }
  // Whoever ends its side without a close has left; what the other still says gets a moment.
  let timer: NodeJS.Timeout | undefined;
  for (const side of [client, server]) {
    side.once("end", () => (timer ??= setTimeout(over, limits.lingerMs)));
  }
  const running = Promise.all([out.run(), back.run()]).catch((error: unknown) => {
    // A connection that broke ends the iteration over it; anything else is a bug.
    if (!client.destroyed && !server.destroyed) throw error;
  });
  await Promise.race([running, closed.promise]);
  clearTimeout(timer);
  out.stop();
  back.stop();
  server.destroy();
  return {
    bytesOut: out.bytes,
    bytesIn: back.bytes,
    messagesOut: out.messages,
    messagesIn: back.messages,
    ...stop,
  };
}

interface Shared {
  readonly opaque: boolean;
  readonly limits: RelayOptions["limits"];
  readonly heed: RelayOptions["heed"];
  end(why: Partial<Ending>): void;
}

/** One direction. */
class Direction {
  bytes = 0;
  messages = 0;
  readonly #from: Side;
  readonly #source: Duplex;
  readonly #sink: Duplex;
  readonly #shared: Shared;
  readonly #reader;
  readonly #watch;
  #frame: FrameHead | undefined;
  #mask: Buffer | undefined;
  #at = 0;
  /** A message whose beginning is not judged yet, as it will be sent. */
  #held: Buffer[] | undefined;
  #control: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(from: Side, source: Duplex, sink: Duplex, shared: Shared) {
    this.#from = from;
    this.#source = source;
    this.#sink = sink;
    this.#shared = shared;
    this.#reader = createFrameReader(from === "client");
    this.#watch = createMessageWatch({ from, opaque: shared.opaque });
  }

  async run(): Promise<void> {
    for await (const chunk of this.#source.iterator({ destroyOnReturn: false })) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError("a stream of bytes gave something else");
      for (const part of this.#reader.push(chunk)) {
        if (this.#isOver || !this.#take(part)) return;
      }
      if (this.#sink.writableNeedDrain) await drained(this.#sink);
    }
    if (!this.#isOver) this.#sink.end();
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #take(part: FramePart): boolean {
    if (part.kind === "bad") {
      this.#shared.end({ flaw: { why: part.why, from: this.#from } });
      return false;
    }
    if (part.kind === "head") return this.#begin(part.head);
    const head = this.#frame;
    if (head === undefined) return false;
    const bytes = part.kind === "payload" ? part.bytes : EMPTY;
    const isLast = part.kind === "end";
    if (head.opcode >= OPCODE.close) return this.#takeControl(head, bytes, isLast);
    if (!isLast) {
      this.bytes += bytes.length;
      const isWhole = head.isFinal && this.#at + bytes.length === head.length;
      this.#shared.heed?.(this.#from, bytes, isWhole);
      this.#send(masked(bytes, this.#mask, this.#at));
      this.#at += bytes.length;
    }
    if (isLast && head.isFinal) this.messages += 1;
    const isEnd = isLast && head.isFinal;
    return bytes.length === 0 && !isEnd ? true : this.#heed(this.#watch.push(bytes, isEnd));
  }

  #begin(head: FrameHead): boolean {
    this.#frame = head;
    this.#mask = this.#from === "client" ? randomFillSync(Buffer.alloc(4)) : undefined;
    this.#at = 0;
    if (head.opcode >= OPCODE.close) {
      this.#control = [];
      return true;
    }
    if (head.opcode !== OPCODE.continuation) {
      this.#watch.begin(head.opcode === OPCODE.text ? "text" : "binary");
      this.#held = [];
    }
    // An empty piece can be the last of a message.
    if (head.isFinal && head.length === 0) this.#shared.heed?.(this.#from, EMPTY, true);
    this.#send(encodeFrameHead(head, this.#mask));
    return true;
  }

  /** Control frames are short: they are read whole, judged, and overtake a message that is held. */
  #takeControl(head: FrameHead, bytes: Buffer, isLast: boolean): boolean {
    this.#control.push(bytes);
    if (!isLast) return true;
    const payload = Buffer.concat(this.#control);
    const verdict = this.#watch.control(payload);
    if (typeof verdict === "object") return this.#heed(verdict);
    this.bytes += payload.length;
    const out = [encodeFrameHead(head, this.#mask), masked(payload, this.#mask, 0)];
    this.#sink.write(Buffer.concat(out));
    return true;
  }

  #send(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#held === undefined) this.#sink.write(bytes);
    else if (this.#held.push(bytes) > HELD_PIECES_MAX) {
      this.#shared.end({ flaw: { why: "a message in too many empty pieces", from: this.#from } });
    }
  }

  #heed(verdict: MessageVerdict): boolean {
    clearTimeout(this.#timer);
    if (typeof verdict === "object") {
      this.#isOver = true;
      this.#shared.end({ offence: { ...verdict, from: this.#from } });
      return false;
    }
    if (verdict === "pass") {
      const held = this.#held;
      this.#held = undefined;
      if (held !== undefined) this.#sink.write(Buffer.concat(held));
    } else {
      const { undecidedMs } = this.#shared.limits;
      this.#timer = setTimeout(() => this.#heed(this.#watch.settle()), undecidedMs);
    }
    return true;
  }
}

/** Writes that a message may be held in; what it takes until it is judged is 4 KiB of payload. */
const HELD_PIECES_MAX = 2 * 4096;
const EMPTY = Buffer.alloc(0);

function drained(sink: Duplex): Promise<void> {
  if (sink.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    sink.once("drain", resolve);
    sink.once("close", resolve);
  });
}

/** A close frame as a server sends it. */
export function closeFrame(code: number, reason: string): Buffer {
  const payload = closePayload(code, reason);
  const head = { isFinal: true, opcode: OPCODE.close, length: payload.length };
  return Buffer.concat([encodeFrameHead(head), payload]);
}
