/**
 * Two connected sockets made one: bytes pass both ways at the slower side's pace, an end passes as an
 * end, and a break as a break. What is held in memory is the buffers of two sockets.
 *
 * @module
 */
import type { Socket } from "node:net";
import { tearSocket } from "./flow-record.ts";

/** Sees a direction's bytes before they go on; a sentence cuts the connection instead. */
export type Sight = (chunk: Buffer) => string | undefined;

export interface RelayOptions {
  /** Neither side moves a byte for so long: the connection ends. */
  readonly idleMs: number;
  /** From the first socket to the second. */
  readonly out?: Sight;
  /** From the second to the first. */
  readonly back?: Sight;
  /** Told once why the relay broke a connection that neither side had ended. */
  readonly cut: (why: string) => void;
}

/** Joins `one` and `other`, both half-open capable; ends when both are closed. */
export function relay(one: Socket, other: Socket, options: RelayOptions): Promise<void> {
  const tear = (why: string) => {
    options.cut(why);
    tearSocket(one);
    tearSocket(other);
  };
  pump(one, other, options.out, tear);
  pump(other, one, options.back, tear);
  one.setTimeout(options.idleMs, () => tear(`idle for ${options.idleMs / 1000} s`));
  return Promise.all([closed(one), closed(other)]).then(() => {});
}

function pump(from: Socket, to: Socket, see: Sight | undefined, tear: (why: string) => void): void {
  from.on("data", (chunk: Buffer) => {
    const why = see?.(chunk);
    if (why !== undefined) {
      tear(why);
      return;
    }
    if (to.destroyed || to.write(chunk)) return;
    from.pause();
    to.once("drain", () => from.resume());
  });
  from.on("end", () => to.end());
  from.on("error", () => {}); // Its close follows.
  from.on("close", () => {
    // In order is: it said its last word and heard the other's. Then what is left flows on to `to`.
    if (!(from.readableEnded && from.writableFinished)) tearSocket(to);
  });
  from.resume();
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}
