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
import { Fault } from "../base/fault.ts";

/** Longest payload of one frame, in bytes. */
export const FRAME_BYTES_MAX = 1 << 20;
/** Longest `start` and `environment`: a task file, a command line and variables, as execve(2) takes them. */
export const START_BYTES_MAX = 4 << 20;
const HEADER_BYTES = 5;

export const FRAME_TYPES = [
  "stdin", // bytes for the run
  "stdin-end", // no more of them
  "stdout",
  "stderr",
  "resize", // JSON {columns, rows}
  "signal", // the signal's name: SIGINT
  "notice", // JSON {text, asks}: Cofferdam speaking to the person, not the run; asks: it waits for them
  "exit", // JSON RunEnd; the last frame
  // Before them, on a stream that starts its run (`/v1/run`) instead of finding it (`/v1/attach`):
  "start", // JSON RunStart without the environment, from the command line; the first frame
  "needs", // JSON [name]: variables that the task passes in; asked for only where it names any
  "environment", // JSON {name: value} of those, and of nothing else
  "started", // JSON RunInfo; from here on as above
  "refused", // JSON {code, message, hint}; the last frame
] as const;
export type FrameType = (typeof FRAME_TYPES)[number];

export interface Frame {
  readonly type: FrameType;
  readonly payload: Buffer;
}

/** The bytes of one frame. */
export function encodeFrame(type: FrameType, payload: Buffer | string): Buffer {
  const body = typeof payload === "string" ? Buffer.from(payload) : payload;
  if (body.length > limitOf(type)) throw tooLong(type);
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
        if (length > limitOf(type)) throw tooLong(type);
        if (rest.length < HEADER_BYTES + length) break;
        frames.push({ type, payload: rest.subarray(HEADER_BYTES, HEADER_BYTES + length) });
        rest = rest.subarray(HEADER_BYTES + length);
      }
      return frames;
    },
  };
}

function limitOf(type: FrameType): number {
  return type === "start" || type === "environment" ? START_BYTES_MAX : FRAME_BYTES_MAX;
}

function tooLong(type: FrameType): Fault {
  return new Fault("api.frame", `a ${type} frame above ${limitOf(type) >> 20} MiB`);
}
