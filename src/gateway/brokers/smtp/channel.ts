/**
 * One side of a connection, read when it is asked for: what is not read yet stays in the socket, so that TLS can
 * take it over at any point.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { Fault } from "../../../base/index.ts";

/** Reads and writes of one stream, one at a time. */
export class Channel {
  readonly stream: Duplex;

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on("error", ignore); // Ends in its close.
  }

  /** The next bytes; `undefined` where no more come. @throws {Fault} `gateway.smtp_silent` after `timeoutMs`. */
  async read(timeoutMs: number): Promise<Buffer | undefined> {
    const { stream } = this;
    const timer = new Deadline(timeoutMs, "the other side says nothing");
    try {
      for (;;) {
        const chunk = stream.read() as Buffer | null;
        if (chunk !== null) return chunk;
        if (stream.destroyed || stream.readableEnded) return undefined;
        await timer.race((done) => {
          const events = ["readable", "end", "close"];
          for (const event of events) stream.once(event, done);
          return () => events.forEach((event) => stream.removeListener(event, done));
        });
      }
    } finally {
      timer.clear();
    }
  }

  /** Resolves when `bytes` have left this process. @throws {Fault} `gateway.smtp_silent`, `gateway.smtp_gone` */
  async write(bytes: string | Buffer, timeoutMs: number): Promise<void> {
    const { stream } = this;
    const timer = new Deadline(timeoutMs, "the other side reads nothing");
    let failure: Error | null | undefined;
    try {
      if (!stream.writable) throw gone();
      await timer.race((done) => {
        stream.once("close", done);
        stream.write(bytes, (error) => {
          failure = error;
          done();
        });
        return () => stream.removeListener("close", done);
      });
      if (failure || stream.destroyed) throw gone();
    } finally {
      timer.clear();
    }
  }
}

class Deadline {
  readonly #timer: NodeJS.Timeout;
  #late: (() => void) | undefined;
  #isLate = false;
  readonly #why: string;

  constructor(timeoutMs: number, why: string) {
    this.#why = why;
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.#late?.();
    }, timeoutMs);
  }

  /** Resolves when what `start` was given is called; what `start` returns undoes it. */
  async race(start: (done: () => void) => () => void): Promise<void> {
    let undo: (() => void) | undefined;
    try {
      await new Promise<void>((resolve) => {
        this.#late = resolve;
        if (this.#isLate) resolve();
        else undo = start(resolve);
      });
    } finally {
      undo?.();
    }
    if (this.#isLate) throw new Fault("gateway.smtp_silent", this.#why);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

function gone(): Fault {
  return new Fault("gateway.smtp_gone", "the other side left");
}

function ignore(): void {}
