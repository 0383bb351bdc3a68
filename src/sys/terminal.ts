/**
 * The daemon's end of a pseudo-terminal (pty(7)): its size, and a stream over it that never blocks.
 *
 * @module
 */
import { closeSync, write } from "node:fs";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { ReadStream } from "node:tty";
import { checked, native } from "./libc.ts";

const TIOCSWINSZ = 0x5414;
const RETRY_MS = 5; // How soon a full terminal is tried again: there is no event for it here.

/** Tells the terminal's programs (SIGWINCH) that it now has this many columns and rows. */
export function resizeTerminal(descriptor: number, columns: number, rows: number): void {
  const size = Buffer.alloc(8); // struct winsize: rows, columns, and pixels that nobody uses; u16 each
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  checked("ioctl(TIOCSWINSZ)", native.ioctl(descriptor, TIOCSWINSZ, size));
}

/**
 * A stream over a terminal's master side, whose descriptor it owns and which must be non-blocking.
 *
 * It ends, without an error, when the last program lets go of the terminal (EIO). Writes wait by a
 * timer while nobody reads: libuv would block the whole process on them.
 */
export class TerminalStream extends Duplex {
  readonly #descriptor: number;
  readonly #input: ReadStream;
  #retry: NodeJS.Timeout | undefined;

  constructor(descriptor: number) {
    super();
    this.#descriptor = descriptor;
    this.#input = owned(descriptor, () => new ReadStream(descriptor));
    this.#input.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) this.#input.pause();
    });
    this.#input.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EIO") this.push(null);
      else this.destroy(error);
    });
    this.#input.on("end", () => this.push(null));
  }

  override _read(): void {
    this.#input.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error) => void): void {
    if (this.destroyed || this.#input.destroyed) {
      done(); // Nobody is there to read it: as a closed terminal does.
      return;
    }
    write(this.#descriptor, chunk, (error, written) => {
      if (error?.code === "EAGAIN") {
        this.#retry = setTimeout(() => this._write(chunk, encoding, done), RETRY_MS);
      } else if (error !== null) {
        done(error.code === "EIO" || error.code === "EBADF" ? undefined : error);
      } else if (written < chunk.length) {
        this._write(chunk.subarray(written), encoding, done);
      } else done();
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#retry);
    this.#input.destroy();
    done(error);
  }

  /** Changes the size; nothing where the terminal is closed already. */
  resize(columns: number, rows: number): void {
    if (!this.#input.destroyed) resizeTerminal(this.#descriptor, columns, rows);
  }
}

/** A stream over one end of a pipe, whose descriptor it owns. */
export function openPipeEnd(descriptor: number, direction: "read" | "write"): Socket {
  const ways = { readable: direction === "read", writable: direction === "write" };
  return owned(descriptor, () => new Socket({ fd: descriptor, ...ways }));
}

/** Whoever is given a descriptor to own closes it also where nothing can be made of it. */
function owned<T>(descriptor: number, make: () => T): T {
  try {
    return make();
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}
