/**
 * Logins in a run's HOME: files with placeholders, so that an agent finds itself logged in and holds nothing.
 *
 * The HOME may be a kept one, which an earlier run filled as it liked: no link in it is followed.
 *
 * @module
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  mkdirSync,
  openSync,
  rmSync,
  writeSync,
} from "node:fs";
import { describeError, Fault } from "../base/index.ts";
import { RUN_UID } from "../sandbox/index.ts";
import { entryPath, errorCode, openBeneath } from "../sys/index.ts";
import type { LoginFile } from "../vault/index.ts";

const { O_RDONLY, O_DIRECTORY, O_WRONLY, O_CREAT, O_EXCL } = constants;

/**
 * Writes `files` into the folder `home`, in place of what is there under their names.
 *
 * @throws {Fault} `daemon.login` where a folder on the way is none, or a link, or where the file is a folder.
 */
export function writeLogins(home: string, files: readonly LoginFile[]): void {
  for (const { path, content } of files) {
    const opened: number[] = [openSync(home, O_RDONLY | O_DIRECTORY)];
    try {
      const parts = path.split("/").map((part) => Buffer.from(part));
      const name = parts.pop() ?? Buffer.alloc(0);
      for (const part of parts) opened.push(openFolder(opened.at(-1) ?? -1, part));
      const folder = opened.at(-1) ?? -1;
      const file = openNew(folder, name);
      opened.push(file);
      own(file, 0o600);
      writeSync(file, content);
    } catch (cause) {
      const why = describeError(cause);
      throw new Fault("daemon.login", `the login cannot be put into the run's ~/${path}: ${why}`, {
        cause,
        hint: "remove what stands there in the kept home, or start with home: fresh",
      });
    } finally {
      for (const descriptor of opened.toReversed()) closeSync(descriptor);
    }
  }
}

/** The file `name` of `folder`, in the place of what stands there. */
function openNew(folder: number, name: Buffer): number {
  try {
    return openBeneath(folder, name, O_WRONLY | O_CREAT | O_EXCL, 0o600);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  // Never a folder: a run could leave one that takes minutes to remove, and everybody waits meanwhile.
  rmSync(entryPath(folder, name), { force: true });
  return openBeneath(folder, name, O_WRONLY | O_CREAT | O_EXCL, 0o600);
}

/** The folder `name` of `parent`, made where it is not there: in a fresh home, which is most, it is not. */
function openFolder(parent: number, name: Buffer): number {
  let isMade = true;
  try {
    mkdirSync(entryPath(parent, name), { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    isMade = false;
  }
  const folder = openBeneath(parent, name, O_RDONLY | O_DIRECTORY);
  if (isMade) own(folder, 0o700);
  return folder;
}

/** The run's own, as everything in its HOME is. */
function own(descriptor: number, mode: number): void {
  fchmodSync(descriptor, mode);
  if (process.geteuid?.() === 0) fchownSync(descriptor, RUN_UID, RUN_UID);
}
