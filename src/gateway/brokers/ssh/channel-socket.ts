/**
 * A channel as a socket: for a client that speaks SSH within a channel of another connection.
 *
 * @module
 */
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { ServerChannel } from "ssh2";
import { chunksOf, writeOut } from "./flow-control.ts";

/** What a broker asks of a socket, carried by a channel. */
class ChannelSocket extends Duplex {
  readonly #channel: ServerChannel;
  readonly #chunks: AsyncIterator<Buffer>;
  bytesRead = 0;
  bytesWritten = 0;

  constructor(channel: ServerChannel) {
    super({ allowHalfOpen: false });
    this.#channel = channel;
    this.#chunks = chunksOf(channel)[Symbol.asyncIterator]();
    channel.once("close", () => this.destroy());
  }

  override _read(): void {
    this.#chunks.next().then(
      ({ done, value }) => {
        if (done === true) {
          this.push(null);
          return;
        }
        this.bytesRead += value.length;
        this.push(value);
      },
      () => this.destroy(),
    );
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.bytesWritten += chunk.length;
    writeOut(this.#channel, chunk).then(() => done(), done);
  }

  override _final(done: () => void): void {
    this.#channel.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#channel.end();
    this.#channel.close();
    done(error);
  }

  /** Ends when what was written is with the channel. */
  destroySoon(): void {
    this.end();
    this.once("finish", () => this.destroy());
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }
}

/** `channel` with what a broker asks of a socket. */
export function socketOf(channel: ServerChannel): Socket {
  return new ChannelSocket(channel) as unknown as Socket;
}
