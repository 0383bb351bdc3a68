/**
 * WebSocket frames (RFC 6455, 5.2), read from one direction of a connection and written anew.
 *
 * ```
 * FIN u1, RSV u3, opcode u4 | MASK u1, length u7 | length u16 (126) or u64 (127) | mask 4 bytes | payload
 * ```
 *
 * One accepted encoding: no reserved bit (extensions are never agreed on), the shortest length, a mask
 * from clients and none from servers. Payload is handed out as it comes, so a frame may be of any length.
 *
 * @module
 */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** What a frame's head says. */
export interface FrameHead {
  readonly isFinal: boolean;
  readonly opcode: number;
  /** Bytes of payload. */
  readonly length: number;
}

/** What came, in order: a head, its payload in pieces without their mask, its end. `bad` is the last. */
export type FramePart =
  | { readonly kind: "head"; readonly head: FrameHead }
  | { readonly kind: "payload"; readonly bytes: Buffer }
  | { readonly kind: "end" }
  | { readonly kind: "bad"; readonly why: string };

export interface FrameReader {
  /** Takes the next bytes of the direction. */
  push(chunk: Buffer): readonly FramePart[];
}

const HEAD_BYTES_MAX = 14;
const CONTROL_BYTES_MAX = 125;

/** A reader for the direction in which frames are masked (from a client) or not (from a server). */
export function createFrameReader(isMasked: boolean): FrameReader {
  const head = Buffer.alloc(HEAD_BYTES_MAX);
  let headLength = 0;
  let frame: (FrameHead & { readonly mask: Buffer | undefined }) | undefined;
  let at = 0; // Bytes of the frame's payload that came.
  const order = createOrder();
  let isOver = false;

  /** Takes one byte of a head; returns what is wrong with it. */
  const takeHead = (byte: number): string | undefined => {
    head[headLength] = byte;
    headLength += 1;
    const seen = head.subarray(0, headLength);
    const wanted = headBytes(seen);
    const flaw = headFlaw(seen, isMasked);
    if (flaw !== undefined || headLength < wanted) return flaw;
    const read = readHead(seen, isMasked);
    frame = { ...read, mask: isMasked ? Buffer.from(seen.subarray(wanted - 4)) : undefined };
    headLength = 0;
    at = 0;
    return lengthFlaw(seen, read) ?? order(read);
  };

  return {
    push(chunk) {
      const parts: FramePart[] = [];
      for (let n = 0; n < chunk.length && !isOver;) {
        if (frame === undefined) {
          const why = takeHead(chunk[n] ?? 0);
          n += 1;
          if (why !== undefined) {
            isOver = true;
            parts.push({ kind: "bad", why });
          } else if (frame !== undefined) parts.push({ kind: "head", head: headOf(frame) });
        }
        if (isOver || frame === undefined) continue;
        const take = Math.min(frame.length - at, chunk.length - n);
        if (take > 0) {
          const bytes = chunk.subarray(n, n + take);
          parts.push({ kind: "payload", bytes: masked(bytes, frame.mask, at) });
          n += take;
          at += take;
        }
        if (at === frame.length) {
          parts.push({ kind: "end" });
          frame = undefined;
        }
      }
      return parts;
    },
  };
}

function headOf({ isFinal, opcode, length }: FrameHead): FrameHead {
  return { isFinal, opcode, length };
}

/** How many bytes the head has, as far as `seen` tells. */
function headBytes(seen: Buffer): number {
  const [, second] = seen;
  if (second === undefined) return 2;
  const length = second & 0x7f;
  const more = length === 127 ? 8 : length === 126 ? 2 : 0;
  return 2 + more + ((second & 0x80) === 0 ? 0 : 4);
}

/** What the first two bytes already show. */
function headFlaw([first = 0, second]: Buffer, isMasked: boolean): string | undefined {
  if ((first & 0x70) !== 0) return "a reserved bit is set";
  const opcode = first & 0x0f;
  const isControl = opcode >= OPCODE.close;
  if (opcode > OPCODE.pong || (opcode > OPCODE.binary && !isControl)) return "a reserved opcode";
  if (isControl && (first & 0x80) === 0) return "a control frame in pieces";
  if (second === undefined) return undefined;
  if (((second & 0x80) !== 0) !== isMasked) return isMasked ? "no mask" : "a mask";
  return isControl && (second & 0x7f) > CONTROL_BYTES_MAX ? "a long control frame" : undefined;
}

function readHead(seen: Buffer, isMasked: boolean): FrameHead {
  const [first = 0, second = 0] = seen;
  const short = second & 0x7f;
  const bytes = isMasked ? seen.subarray(2, -4) : seen.subarray(2);
  // Above 2^53 a length is not exact; `lengthFlaw` refuses it.
  const length = short < 126 ? short : Number(BigInt(`0x${bytes.toString("hex")}`));
  return { isFinal: (first & 0x80) !== 0, opcode: first & 0x0f, length };
}

function lengthFlaw([, second = 0]: Buffer, { opcode, length }: FrameHead): string | undefined {
  const short = second & 0x7f;
  if (short === 126 && length < 126) return "a length that is not the shortest";
  if (short === 127 && length < 65_536) return "a length that is not the shortest";
  if (length > Number.MAX_SAFE_INTEGER) return "a length beyond reason";
  return opcode === OPCODE.close && length === 1 ? "half a close code" : undefined;
}

/** Holds frames to their order: pieces of one message together, nothing behind a close. */
function createOrder(): (head: FrameHead) => string | undefined {
  let isOpen = false;
  let isClosed = false;
  return ({ opcode, isFinal }) => {
    if (isClosed) return "a frame behind the close";
    if (opcode === OPCODE.close) isClosed = true;
    if (opcode >= OPCODE.close) return undefined;
    if (opcode === OPCODE.continuation && !isOpen) return "a piece of no message";
    if (opcode !== OPCODE.continuation && isOpen) return "a message within a message";
    isOpen = !isFinal;
    return undefined;
  };
}

/** A frame's head as it is sent, with `mask` where a client sends it. */
export function encodeFrameHead({ isFinal, opcode, length }: FrameHead, mask?: Buffer): Buffer {
  const first = (isFinal ? 0x80 : 0) | opcode;
  const bit = mask === undefined ? 0 : 0x80;
  let head: Buffer;
  if (length < 126) head = Buffer.of(first, bit | length);
  else if (length < 65_536) head = Buffer.of(first, bit | 126, length >> 8, length & 0xff);
  else {
    head = Buffer.alloc(10);
    head.writeUInt8(first, 0);
    head.writeUInt8(bit | 127, 1);
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return mask === undefined ? head : Buffer.concat([head, mask]);
}

/** `bytes`, which stand at `at` in their frame, under `mask`; the same takes a mask off again. */
export function masked(bytes: Buffer, mask: Buffer | undefined, at: number): Buffer {
  if (mask === undefined) return bytes;
  const out = Buffer.allocUnsafe(bytes.length);
  for (let n = 0; n < bytes.length; n += 1) out[n] = (bytes[n] ?? 0) ^ (mask[(at + n) & 3] ?? 0);
  return out;
}

/** A close frame's payload: code u16, reason in UTF-8, together at most 125 bytes. */
export function closePayload(code: number, reason: string): Buffer {
  const text = Buffer.from(reason).subarray(0, CONTROL_BYTES_MAX - 2);
  const payload = Buffer.alloc(2 + text.length);
  payload.writeUInt16BE(code, 0);
  text.copy(payload, 2);
  return payload;
}
