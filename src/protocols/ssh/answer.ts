/**
 * What came of something that was performed after a person said so, in a form of our own:
 *
 * ```
 * uint32 length | JSON { exit, signal, file, stdout, stderr } | stdout | stderr
 * ```
 *
 * @module
 */
import { z } from "zod";

const headSchema = z.strictObject({
  exit: z.number().optional(),
  signal: z.string().optional(),
  file: z.strictObject({ code: z.number(), message: z.string() }).optional(),
  stdout: z.number(),
  stderr: z.number(),
  isCut: z.boolean(),
});

/** What a server said to a file operation, as an agent is told. */
export interface FileResult {
  readonly code: number;
  readonly message: string;
}

export interface Performed {
  readonly exit?: number | undefined;
  readonly signal?: string | undefined;
  readonly file?: FileResult | undefined;
  /** Of a push: the server did not take all of it, which it says itself. Not for the agent. */
  readonly isRefused?: true;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** There was more than is kept. */
  readonly isCut: boolean;
}

export function encodeAnswer({ stdout, stderr, isRefused: _told, ...rest }: Performed): Buffer {
  const head = Buffer.from(
    JSON.stringify({ ...rest, stdout: stdout.length, stderr: stderr.length }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, stdout, stderr]);
}

/** Reads it again. What is not of this form, as after a failure, has nothing in it. */
export function decodeAnswer(bytes: Buffer): Performed {
  try {
    const end = 4 + bytes.readUInt32BE(0);
    const { stdout, ...head } = headSchema.parse(JSON.parse(bytes.toString("utf8", 4, end)));
    const middle = end + stdout;
    return { ...head, stdout: bytes.subarray(end, middle), stderr: bytes.subarray(middle) };
  } catch {
    return { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), isCut: false };
  }
}
