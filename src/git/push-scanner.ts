/**
 * Where a push ends in a stream that has no length (SSH): its commands, then a pack, whose last bytes are
 * the hash of all before. Nothing is inflated to find it: whoever writes that hash earlier ends their push
 * there, and a pack that is not whole is not read.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import { readPackHeader } from "./pack.ts";
import { readPushHead, type PushRequest } from "./push-request.ts";
import { tryRead } from "./unreadable.ts";

/** How far a push is here. */
export type PushProgress =
  | { readonly state: "more" | "done" }
  | { readonly state: "bad"; readonly reason: string };

const PACK_HEADER_BYTES = 12;

/** Takes a push in pieces; whoever does bounds how many. */
export class PushScanner {
  #bytes = Buffer.alloc(4096);
  #length = 0;
  #request: Omit<PushRequest, "pack"> | undefined;
  #packAt = 0;
  #hash: Hash | undefined;
  #hashedTo = 0;

  /** All that came so far. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The commands, once they are here. */
  get request(): Omit<PushRequest, "pack"> | undefined {
    return this.#request;
  }

  push(chunk: Uint8Array): PushProgress {
    if (this.#length + chunk.length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(2 * this.#bytes.length, this.#length + chunk.length));
      this.bytes.copy(larger);
      this.#bytes = larger;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length += chunk.length;
    const read = tryRead(() => this.#scan());
    return read.ok ? { state: read.value } : { state: "bad", reason: read.reason };
  }

  #scan(): "more" | "done" {
    if (this.#request === undefined) {
      const head = readPushHead(this.bytes);
      if (head === undefined) return "more";
      this.#request = head.request;
      this.#packAt = head.end;
      this.#hashedTo = head.end;
    }
    const { commands, format } = this.#request;
    if (commands.every(({ kind }) => kind === "delete")) return "done";
    const packBytes = this.#length - this.#packAt;
    if (packBytes < PACK_HEADER_BYTES + format.bytes) return "more";
    if (this.#hash === undefined) {
      readPackHeader(this.bytes.subarray(this.#packAt));
      this.#hash = createHash(format.name);
    }
    const end = this.#length - format.bytes;
    this.#hash.update(this.#bytes.subarray(this.#hashedTo, end));
    this.#hashedTo = end;
    return this.#hash.copy().digest().equals(this.#bytes.subarray(end, this.#length))
      ? "done"
      : "more";
  }
}
