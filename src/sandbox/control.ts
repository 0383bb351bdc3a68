/**
 * The words between daemon and launcher: frames in, JSON lines out (native/control.c).
 *
 * A frame is a u32 length, then fields of u32 length, bytes and a NUL; host byte order, which is
 * little-endian on both architectures.
 *
 * @module
 */
import { z } from "zod";
import { Fault } from "../base/index.ts";

/** Longest line that the launcher may send: its own buffer holds 16 KiB. */
const LINE_BYTES_MAX = 65_536;

const reportSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("descriptors"), label: z.string(), count: z.number() }),
  z.object({ type: z.literal("no-socket"), label: z.string() }),
  z.object({ type: z.literal("sealed") }),
  z.object({ type: z.literal("proof"), control: z.string(), found: z.string() }),
  z.object({ type: z.literal("proved"), status: z.number() }),
  /** Of a command for a live run by its label; of the agent without one. */
  z.object({
    type: z.literal("not-started"),
    command: z.string(),
    errno: z.number(),
    label: z.string().optional(),
  }),
  z.object({
    type: z.literal("exec-failed"),
    label: z.string(),
    call: z.string(),
    errno: z.number(),
  }),
  z.object({
    type: z.literal("exec-ended"),
    label: z.string(),
    code: z.number().optional(),
    signal: z.number().optional(),
  }),
  z.object({
    type: z.literal("exited"),
    code: z.number().optional(),
    signal: z.number().optional(),
  }),
  z.object({
    type: z.literal("failed"),
    step: z.string(),
    call: z.string(),
    about: z.string(),
    errno: z.number(),
  }),
]);

/** One line of the launcher. */
export type Report = z.infer<typeof reportSchema>;

/** A field of a frame; numbers go as decimal text. */
export type Field = string | number | Buffer;

/** The bytes of one frame. @throws {Fault} `sandbox.field` where text holds a NUL byte. */
export function encodeFrame(fields: readonly Field[]): Buffer {
  const values = fields.map((field) => (Buffer.isBuffer(field) ? field : String(field)));
  // A launch has hundreds of fields: one buffer for all of them.
  const length = values.reduce((sum, value) => sum + Buffer.byteLength(value) + 5, 0);
  const frame = Buffer.alloc(4 + length);
  let at = frame.writeUInt32LE(length, 0);
  for (const value of values) {
    const start = at + 4;
    const size = Buffer.isBuffer(value) ? value.copy(frame, start) : frame.write(value, start);
    if (!Buffer.isBuffer(value) && value.includes("\0")) {
      throw new Fault("sandbox.field", `a NUL byte in ${JSON.stringify(value)}`, {
        hint: "names, arguments and variables cannot hold one",
      });
    }
    frame.writeUInt32LE(size, at);
    at = start + size + 1; // The NUL behind it is there already.
  }
  return frame;
}

/** Splits the launcher's bytes into reports; `push` returns those that are complete. */
export function createReportReader(): { push(bytes: Buffer): readonly Report[] } {
  let rest = Buffer.alloc(0);
  return {
    push(bytes) {
      const all = Buffer.concat([rest, bytes]);
      const end = all.lastIndexOf(10);
      rest = all.subarray(end + 1);
      if (rest.length > LINE_BYTES_MAX) throw new Fault("sandbox.report", "a line without an end");
      if (end < 0) return [];
      return all.subarray(0, end).toString().split("\n").map(parseReport);
    },
  };
}

/** @throws {Fault} `sandbox.report` for a line that the launcher never writes. */
export function parseReport(line: string): Report {
  try {
    return reportSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new Fault("sandbox.report", "a line of the launcher could not be read", { cause });
  }
}
