/**
 * Bytes that are kept until they are whole, and JSON out of them.
 *
 * @module
 */
import { asRecord, parseJson } from "../json-scan.ts";
import { DEPTH_MAX } from "./protocol.ts";

/** Keeps bytes in one piece, however small the pieces are that come, up to a limit. */
export class Kept {
  length = 0;
  readonly #max: number;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(max: number) {
    this.#max = max;
  }

  /** `false` where it would be more than the limit: then it is not kept. */
  add(bytes: Uint8Array): boolean {
    const length = this.length + bytes.length;
    if (length > this.#max) return false;
    if (length > this.#bytes.length) {
      const wider = Buffer.alloc(Math.max(256, 2 * length));
      this.#bytes.copy(wider, 0, 0, this.length);
      this.#bytes = wider;
    }
    this.#bytes.set(bytes, this.length);
    this.length = length;
    return true;
  }

  /** What is kept, until the next time that something is added. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  /** Forgets it; what took much room gives it back. */
  clear(): void {
    this.length = 0;
    if (this.#bytes.length > ROOM_BYTES_MAX) this.#bytes = Buffer.alloc(0);
  }
}

const ROOM_BYTES_MAX = 1 << 16;

/** A JSON object out of bytes. */
export interface ReadObject {
  /** `undefined` where it is none, or nests beyond reason. */
  readonly members: Readonly<Record<string, unknown>> | undefined;
  /** The bytes are not UTF-8: clients put a sign in the place of what is not, and so do we. */
  readonly isOdd: boolean;
}

/** Reads `bytes` as clients do. Of a name that stands twice the last counts, as for them. */
export function readObject(bytes: Uint8Array): ReadObject {
  const text = new TextDecoder().decode(bytes);
  // The sign itself may stand there as well: only then the bytes are looked at once more.
  const isOdd = text.includes("\uFFFD") && !isUtf8(bytes);
  return { members: isDeep(text) ? undefined : asRecord(parseJson(text)), isOdd };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** Whether `text` nests so deeply that nothing should walk through it. Most of it is strings, which are skipped. */
function isDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = endOfString(text, at);
      if (at < 0) return false; // No JSON, which its parser says.
    } else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > DEPTH_MAX) return true;
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return false;
}

/** Where the string that begins at `start` ends: at a quote behind an even number of backslashes. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let at = end;
    while (text.charCodeAt(at - 1) === 0x5c) at -= 1;
    if ((end - at) % 2 === 0) return end;
  }
  return -1;
}
