/**
 * The attach stream: what a terminal and a run say to each other, in frames.
 *
 * ```
 * +------+---------------+=================+
 * | type | length (u32BE)| payload         |
 * +------+---------------+=================+
 * ```
 *
 * @module
 */
import { Fault } from "../base/index.ts";

/** Longest payload of one frame, in bytes. */
export const FRAME_BYTES_MAX = 1 << 20;
const HEADER_BYTES = 5;

export const FRAME_TYPES = [
  "stdin", // bytes for the run
  "stdin-end", // no more of them
  "stdout",
  "stderr",
  "resize", // JSON {columns, rows}
  "signal", // the signal's name: SIGINT
  "notice", // JSON {text}: Cofferdam speaking to the person, not the run
  "exit", // JSON RunEnd; the last frame
] as const;
export type FrameType = (typeof FRAME_TYPES)[number];

export interface Frame {
  readonly type: FrameType;
  readonly payload: Buffer;
}

/** The bytes of one frame. */
export function encodeFrame(type: FrameType, payload: Buffer | string): Buffer {
  const body = typeof payload === "string" ? Buffer.from(payload) : payload;
  if (body.length > FRAME_BYTES_MAX) throw new Fault("api.frame", "a frame above 1 MiB");
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(FRAME_TYPES.indexOf(type), 0);
  header.writeUInt32BE(body.length, 1);
  return Buffer.concat([header, body]);
}

/**
 * A reader of frames from any split of the stream.
 *
 * @throws {Fault} `api.frame` from `push` on an unknown type or a frame above 1 MiB.
 */
export function createFrameReader(): { push(chunk: Buffer): readonly Frame[] } {
  let rest: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const frames: Frame[] = [];
      while (rest.length >= HEADER_BYTES) {
        const type = FRAME_TYPES[rest.readUInt8(0)];
        const length = rest.readUInt32BE(1);
        if (type === undefined) throw new Fault("api.frame", "a frame of unknown type");
        if (length > FRAME_BYTES_MAX) throw new Fault("api.frame", "a frame above 1 MiB");
        if (rest.length < HEADER_BYTES + length) break;
        frames.push({ type, payload: rest.subarray(HEADER_BYTES, HEADER_BYTES + length) });
        rest = rest.subarray(HEADER_BYTES + length);
      }
      return frames;
    },
  };
}
