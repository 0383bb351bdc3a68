/**
 * `tasks/` of the home: the only folder in which a browser's session writes (INV-195). A name is a file of it and no way out
 * of it; what is a link there is neither read nor written through; a text takes the place of exactly the one that its writer
 * saw, at once, and only where it is a task file.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { TASK_FILE_NAME } from "../../api/index.ts";
import { describeError, Fault, readTextFile, requireOwnFolder } from "../../base/index.ts";

/** Files that are listed; more are told, not shown. */
const FILES_MAX = 500;
/** As many bytes as 64 Ki characters may have. */
const BYTES_MAX = 256 << 10;
const WRITABLE_BY_OTHERS = 0o022;

export interface OwnTask {
  readonly name: string;
  readonly file: string;
  readonly source: string;
  /** Milliseconds since the epoch. */
  readonly writtenMs: number;
}

export class TaskFolder {
  readonly path: string;

  /** Of the home at `root`; it is made when something is written. */
  constructor(root: string) {
    this.path = join(root, "tasks");
  }

  /** The file of a name. @throws {Fault} `console.task_name` where it is not one of this folder. */
  fileOf(name: string): string {
    if (!TASK_FILE_NAME.test(name)) {
      throw new Fault("console.task_name", `not a name of a task file: ${JSON.stringify(name)}`, {
        hint: "letters, digits, - and _, and .yaml at its end: ops.yaml",
      });
    }
    return join(this.path, name);
  }

  /** Every task file, by name. Whatever else lies there is passed over. */
  list(): readonly OwnTask[] {
    if (!this.#isThere()) return [];
    const names = readdirSync(this.path)
      .filter((name) => TASK_FILE_NAME.test(name))
      .sort();
    return names.slice(0, FILES_MAX).flatMap((name) => {
      try {
        return this.read(name) ?? [];
      } catch {
        return []; // A link, a folder, a file of others: whoever asks for it by name is told why.
      }
    });
  }

  /** @throws {Fault} `console.task_file` where it is no file of one's own. */
  read(name: string): OwnTask | undefined {
    const file = this.fileOf(name);
    if (!this.#isThere()) return undefined;
    const about = lstatSync(file, { throwIfNoEntry: false });
    if (about === undefined) return undefined;
    if ((about.mode & WRITABLE_BY_OTHERS) !== 0 && !about.isSymbolicLink()) {
      throw refused(file, "can be written by other users", `chmod go-w '${file}'`);
    }
    try {
      const source = readTextFile(file, { mayWait: false, isNoLink: true, bytesMax: BYTES_MAX });
      return { name, file, source, writtenMs: Math.round(about.mtimeMs) };
    } catch (cause) {
      const hint = "it must be a plain file, and no link";
      throw refused(file, `cannot be read: ${describeError(cause)}`, hint, cause);
    }
  }

  /**
   * Writes `source` in place of the text with the digest `base`, or as a new file; nobody sees half of it. Another program
   * that writes in the very same moment may be overtaken; another session of this console is not.
   *
   * @throws {Fault} `console.task_changed` where it is another text by now; `console.task_file`
   */
  save(name: string, source: string, base: string | undefined): OwnTask {
    const file = this.fileOf(name);
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    const present = this.read(name);
    if ((present === undefined ? undefined : digestOf(present.source)) !== base) {
      throw changed(name, present === undefined);
    }
    const next = join(this.path, `.${randomBytes(8).toString("hex")}.new`);
    try {
      write(next, source);
      // A link is not made where there is a file, whoever made it since.
      if (base === undefined) linkSync(next, file);
      else renameSync(next, file);
    } catch (cause) {
      if (isExisting(cause)) throw changed(name, false);
      throw refused(file, `cannot be written: ${describeError(cause)}`, "is the disk full?", cause);
    } finally {
      rmSync(next, { force: true });
    }
    return { name, file, source, writtenMs: Math.round(statSync(file).mtimeMs) };
  }

  /** @throws {Fault} where the folder is a link, or others may write to it. */
  #isThere(): boolean {
    const about = lstatSync(this.path, { throwIfNoEntry: false });
    if (about === undefined) return false;
    if (!about.isDirectory()) {
      throw refused(this.path, "is no folder", "move it away; a link is not followed");
    }
    requireOwnFolder(this.path, { isVisit: false });
    return true;
  }
}

/** SHA-256 of a text, in hexadecimal. */
export function digestOf(source: string): string {
  return createHash("sha256").update(source).digest("hex");
}

function write(path: string, text: string): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    const bytes = Buffer.from(text, "utf8");
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function isExisting(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "EEXIST";
}

function changed(name: string, isGone: boolean): Fault {
  const what = isGone ? "is not there any more" : "is another text by now";
  return new Fault("console.task_changed", `${name} ${what}: somebody else wrote it`, {
    hint: "look at both, and save what shall hold",
  });
}

function refused(path: string, why: string, hint: string, cause?: unknown): Fault {
  return new Fault("console.task_file", `${path} ${why}`, { hint, cause });
}
