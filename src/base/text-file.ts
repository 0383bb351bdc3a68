/**
 * Reading a file that somebody else may have laid out: never a pipe that waits for ever, a device without
 * end, or more than there is a use for.
 *
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { Fault } from "./fault.ts";

/** Largest file that is read, in bytes: a bundle of every public authority has a quarter of it. */
export const TEXT_FILE_BYTES_MAX = 1 << 20;

/**
 * The text of the file at `path`. With `mayWait`, that may also be a pipe that a person's shell made, for as
 * long as they like.
 *
 * @throws {Fault} `base.file` where it is of another kind, or larger than 1 MiB; and the system's own errors.
 */
export function readTextFile(path: string, { mayWait }: { readonly mayWait: boolean }): string {
  // Not blocking: to open a FIFO would wait for a writer.
  const flags = mayWait ? constants.O_NOCTTY : constants.O_NOCTTY | constants.O_NONBLOCK;
  const file = openSync(path, constants.O_RDONLY | flags);
  try {
    const about = fstatSync(file);
    if (!about.isFile() && !(mayWait && about.isFIFO())) {
      throw new Fault("base.file", `${path} is not a file to read`);
    }
    const bytes = Buffer.alloc(TEXT_FILE_BYTES_MAX + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got) {
      got = readSync(file, bytes, length, bytes.length - length, null);
    }
    if (length === bytes.length) throw new Fault("base.file", `${path} is larger than 1 MiB`);
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(file);
  }
}
