/**
 * For the tests of HTTP/2: frames written by hand, for what no well-behaved client sends.
 *
 * @module
 */
import type { Duplex } from "node:stream";

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;

/** A frame (RFC 9113, 4.1): `length` u24, `type` u8, `flags` u8, `stream` u31, payload. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer | string = "",
): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** A header block of literals that are not indexed and not compressed (RFC 7541, 6.2.2). */
export function block(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

function text(of: string): Buffer {
  const bytes = Buffer.from(of, "latin1");
  return Buffer.concat([integer(bytes.length, 7), bytes]);
}

/** An integer with a prefix of `bits` (RFC 7541, 5.1). */
export function integer(value: number, bits: number): Buffer {
  const max = 2 ** bits - 1;
  if (value < max) return Buffer.of(value);
  const out = [max];
  let rest = value - max;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128);
  return Buffer.from([...out, rest]);
}

export const USUAL: readonly (readonly [string, string])[] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":authority", "a.test"],
  [":path", "/ok"],
];

/** What a peer said: whole frames only. */
export interface SeenFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Splits what came into frames. */
export function framesIn(bytes: Buffer): SeenFrame[] {
  const seen: SeenFrame[] = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    if (at + 9 + length > bytes.length) break;
    seen.push({
      type: bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      stream: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return seen;
}

/** Sends raw bytes after the preface and empty settings; resolves with what came until `enough` or the end. */
export async function converse(
  socket: Duplex,
  bytes: Buffer,
  enough: (seen: readonly SeenFrame[]) => boolean,
): Promise<readonly SeenFrame[]> {
  let all = Buffer.alloc(0);
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => {
    all = Buffer.concat([all, chunk]);
    if (enough(framesIn(all))) resolve();
  });
  for (const event of ["end", "close", "error"]) socket.once(event, () => resolve());
  socket.write(Buffer.concat([PREFACE, frame(TYPE.settings, 0, 0), bytes]));
  await promise;
  return framesIn(all);
}
