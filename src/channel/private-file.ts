/**
 * Files that only their owner may read or write: who decides, and the keys to where they are asked.
 *
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { describeError, Fault } from "../base/index.ts";

const BYTES_MAX = 256 * 1024; // An approvers.yaml has at most 64 Ki characters.

/**
 * The text of the plain file at `path`, `undefined` where there is nothing at all.
 *
 * @throws {Fault} `channel.file` where it is not a plain file of this user's with mode 0600, or cannot be read.
 */
export function readPrivateFile(path: string): string | undefined {
  let file: number;
  try {
    // Not blocking, and no link: whoever may make one chooses the file.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw refused(path, describeError(cause), cause);
  }
  try {
    const about = fstatSync(file);
    if (!about.isFile()) throw refused(path, "it is not a plain file");
    if (about.uid !== process.geteuid?.()) throw refused(path, `user ${about.uid} owns it`);
    if ((about.mode & 0o077) !== 0) throw refused(path, "other users may read or write it");
    if (about.size > BYTES_MAX) throw refused(path, "it is larger than 256 KiB");
    const bytes = Buffer.alloc(about.size);
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(file);
  }
}

function refused(path: string, why: string, cause?: unknown): Fault {
  return new Fault("channel.file", `${path} is not read: ${why}`, {
    hint: "it must be a plain file of the user that runs Cofferdam, with mode 0600",
    ...(cause === undefined ? {} : { cause }),
  });
}
