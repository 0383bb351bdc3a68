/**
 * Hashes of executables, computed off the main thread and remembered by the file's identity.
 *
 * @module
 */
import { closeSync } from "node:fs";
import { Worker } from "node:worker_threads";

/** Largest file that is hashed, in bytes; a larger one is reported without a hash. */
export const HASH_FILE_BYTES_MAX = 512 * 1024 * 1024;
/** Most hashes remembered. */
export const HASHES_MAX = 4096;
/** Most files that wait to be hashed; beyond, a file goes without. */
export const HASH_QUEUE_MAX = 64;

export interface HashOrder {
  readonly file: string;
  readonly descriptor: number;
}

export interface HashAnswer {
  readonly file: string;
  readonly sha256: string | undefined;
}

/** `extension` of this module's file: the same for its neighbours, as source and as built. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));

export class Hashes {
  readonly #known = new Map<string, string | undefined>();
  readonly #waiting = new Map<
    string,
    { descriptor: number; done: Promise<void>; end: () => void }
  >();
  #worker: Worker | undefined = this.#start();
  #closed = false;

  /** Hashes the file that is open at `descriptor`, and closes it. `false`: too much waits already. */
  add(file: string, descriptor: number): boolean {
    const known = this.#known.has(file) || this.#waiting.has(file);
    if (known || this.#closed || this.#waiting.size >= HASH_QUEUE_MAX) {
      closeSync(descriptor);
      return known;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(file, { descriptor, done: promise, end: resolve });
    this.#worker ??= this.#start();
    const order: HashOrder = { file, descriptor };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window.
    this.#worker.postMessage(order);
    return true;
  }

  /** The hash where it is known by now. */
  get(file: string | undefined): string | undefined {
    if (file === undefined) return undefined;
    const sha256 = this.#known.get(file);
    if (sha256 !== undefined) this.#remember(file, sha256);
    return sha256;
  }

  /** Whether the hash is still being computed. */
  isPending(file: string | undefined): boolean {
    return file !== undefined && this.#waiting.has(file);
  }

  /** Resolves when the hash is known or given up, or after `timeoutMs`. */
  async settled(file: string | undefined, timeoutMs: number): Promise<void> {
    const waiting = file === undefined ? undefined : this.#waiting.get(file);
    if (waiting === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
    await Promise.race([waiting.done, late]);
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    // Descriptors come from elsewhere; the thread must not close by number what it did not open.
    const program = new URL(`./hash-worker${extension}`, import.meta.url);
    const worker = new Worker(program, { trackUnmanagedFds: false });
    worker.unref();
    worker.on("message", ({ file, sha256 }: HashAnswer) => this.#finish(file, sha256));
    // Without hashes, flows are still attributed: say nothing rather than something wrong.
    worker.on("error", () => {});
    worker.on("exit", () => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const file of this.#waiting.keys()) this.#finish(file, undefined);
    });
    return worker;
  }

  #finish(file: string, sha256: string | undefined): void {
    const waiting = this.#waiting.get(file);
    this.#waiting.delete(file);
    if (sha256 !== undefined) this.#remember(file, sha256);
    waiting?.end();
  }

  #remember(file: string, sha256: string): void {
    this.#known.delete(file);
    this.#known.set(file, sha256);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= HASHES_MAX) break;
      this.#known.delete(oldest);
    }
  }
}
