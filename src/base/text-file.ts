/**
 * Reading a file that somebody else may have laid out: never a pipe that waits for ever, a device without
 * end, or more than there is a use for.
 *
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { Fault } from "./fault.ts";

/** Largest file that is read unless more is asked for, in bytes: a bundle of every public authority has a quarter of it. */
export const TEXT_FILE_BYTES_MAX = 1 << 20;
const MEBIBYTE = 1 << 20;
const CHUNK_BYTES = 1 << 20;

export interface TextFileOptions {
  /** It may also be a pipe that a person's shell made, for as long as they like. */
  readonly mayWait: boolean;
  /** What is only a link to a file is refused, by the system's own error (ELOOP). */
  readonly isNoLink?: boolean;
  /** Default {@link TEXT_FILE_BYTES_MAX}. */
  readonly bytesMax?: number;
}

/**
 * The text of the file at `path`.
 *
 * @throws {Fault} `base.file` where it is of another kind, or larger than it may be; and the system's own errors.
 */
export function readTextFile(
  path: string,
  { mayWait, isNoLink = false, bytesMax = TEXT_FILE_BYTES_MAX }: TextFileOptions,
): string {
  // Not blocking: to open a FIFO would wait for a writer.
  const flags = mayWait ? constants.O_NOCTTY : constants.O_NOCTTY | constants.O_NONBLOCK;
  const link = isNoLink ? constants.O_NOFOLLOW : 0;
  const file = openSync(path, constants.O_RDONLY | flags | link);
  try {
    const about = fstatSync(file);
    if (!about.isFile() && !(mayWait && about.isFIFO())) {
      throw new Fault("base.file", `${path} is not a file to read`);
    }
    const chunks: Buffer[] = [];
    for (let length = 0; length <= bytesMax;) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, bytesMax + 1));
      const got = readSync(file, chunk, 0, chunk.length, null);
      if (got === 0) return Buffer.concat(chunks).toString("utf8");
      chunks.push(chunk.subarray(0, got));
      length += got;
    }
    throw new Fault("base.file", `${path} is larger than ${bytesMax / MEBIBYTE} MiB`);
  } finally {
    closeSync(file);
  }
}
