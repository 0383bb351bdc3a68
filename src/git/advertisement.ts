/**
 * What git-receive-pack says before it is spoken to (gitprotocol-pack, "Reference Discovery"): a line for each
 * ref, with capabilities behind the first, and a flush. It is read as it comes, and passed on.
 *
 * @module
 */
import { packet, PacketReader, PKT_CONTENT_MAX } from "./pkt-line.ts";
import { require, tryRead, type Readable } from "./unreadable.ts";

/** A piece of it for the client, and whether its end is in there. */
export interface Advertised {
  readonly bytes: Buffer;
  readonly isEnd: boolean;
}

/** Takes an advertisement in pieces. */
export class Advertisement {
  readonly #adds: string;
  #rest = Buffer.alloc(0);
  #isFirst = true;

  /** `adds` is a capability more for the first line: `no-thin` makes clients send packs that stand alone. */
  constructor(adds = "") {
    this.#adds = adds;
  }

  push(chunk: Uint8Array): Readable<Advertised> {
    return tryRead(() => {
      const bytes = Buffer.concat([this.#rest, chunk]);
      const reader = new PacketReader(bytes);
      const out: Buffer[] = [];
      for (;;) {
        const { offset } = reader;
        const one = reader.next();
        if (one === undefined) {
          this.#rest = bytes.subarray(offset);
          return { bytes: Buffer.concat(out), isEnd: false };
        }
        // What is behind the flush goes along: it is the server's.
        if (one === "flush") {
          return { bytes: Buffer.concat([...out, bytes.subarray(offset)]), isEnd: true };
        }
        const isLine = typeof one !== "string";
        out.push(
          isLine && this.#isFirst ? this.#first(one) : bytes.subarray(offset, reader.offset),
        );
        this.#isFirst = false;
      }
    });
  }

  #first(line: Buffer): Buffer {
    if (this.#adds === "") return packet(line);
    const text = line.toString("latin1").replace(/\n$/, "");
    const separator = text.includes("\0") ? " " : "\0";
    const longer = Buffer.from(`${text}${separator}${this.#adds}\n`, "latin1");
    require(longer.length <= PKT_CONTENT_MAX, "a server with too many capabilities");
    return packet(longer);
  }
}
