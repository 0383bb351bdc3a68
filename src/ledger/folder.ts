/**
 * The ledger's folder: whole files put in place at once, and made durable where that is asked.
 *
 * What only touches the page cache is done at once (some ten microseconds a call); only what waits for
 * the disk is awaited. So a commit costs its fsyncs, and not thirty turns of a thread pool that name
 * look-ups may have filled.
 *
 * @module
 */
import * as fs from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { Fault } from "../base/index.ts";
import { tryLock } from "../sys/index.ts";
import { TILE_WIDTH } from "./merkle.ts";
import { SCRATCH_FILES, scratchPath, tilePath, type TileName } from "./tile.ts";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const syncFile = promisify(fs.fsync);
const syncData = promisify(fs.fdatasync);

async function withDescriptor(
  descriptor: number,
  use: (fd: number) => Promise<void>,
): Promise<void> {
  try {
    await use(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Makes the names in the folder `path` durable. */
async function syncFolder(path: string): Promise<void> {
  await withDescriptor(fs.openSync(path, "r"), syncFile);
}

/** Makes `path` and what is missing above it, durably. */
export async function makeFolder(path: string): Promise<void> {
  const first = fs.mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    await syncFolder(dirname(made));
  }
}

/**
 * Takes the ledger's folder for this process and returns the descriptor that holds it. The lock is the
 * folder's own flock: nothing is written, nothing stays behind a kill -9, and a second opener in the
 * same process is refused too.
 *
 * @throws {Fault} `ledger.locked` where another opener has it.
 */
export function lockFolder(dir: string): number {
  const descriptor = fs.openSync(dir, "r");
  let locked = false;
  try {
    locked = tryLock(descriptor);
  } finally {
    if (!locked) fs.closeSync(descriptor);
  }
  if (locked) return descriptor;
  throw new Fault("ledger.locked", `the ledger is in use by another process: ${dir}`, {
    hint: "one daemon at a time; stop the other one, or use another COFFERDAM_HOME",
  });
}

/** For `.catch` on a file that may be absent: any other failure goes on. */
export function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

export async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(absent);
}

/** Writes whole files into the folder `dir`, through scratch files. */
export class Folder {
  readonly dir: string;
  /** Folders whose names changed since the last {@link Folder.sync}. */
  readonly #changed = new Set<string>();

  constructor(dir: string) {
    this.dir = dir;
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  /** Puts `bytes` in place at once. Where `durable`, its bytes are on disk before, its name after {@link sync}. */
  async write(name: string, bytes: Buffer | string, durable: boolean, n = 0): Promise<void> {
    const scratch = this.path(scratchPath(n));
    await withDescriptor(fs.openSync(scratch, "w", FILE_MODE), async (descriptor) => {
      fs.writeFileSync(descriptor, bytes);
      if (durable) await syncFile(descriptor);
    });
    await makeFolder(dirname(this.path(name)));
    fs.renameSync(scratch, this.path(name));
    if (durable) this.changed(name);
  }

  /** Puts several files in place, durably; their ways to the disk are one. */
  async writeAll(files: readonly (readonly [name: string, bytes: Buffer])[]): Promise<void> {
    for (let at = 0; at < files.length; at += SCRATCH_FILES) {
      const some = files.slice(at, at + SCRATCH_FILES);
      await Promise.all(some.map(([name, bytes], n) => this.write(name, bytes, true, n)));
    }
  }

  async move(from: string, to: string): Promise<void> {
    await makeFolder(dirname(this.path(to)));
    fs.renameSync(this.path(from), this.path(to));
    this.changed(from).changed(to);
  }

  remove(name: string): void {
    fs.rmSync(this.path(name), { force: true });
    this.changed(name);
  }

  /** Notes that `name` came or went, for the next {@link Folder.sync}. */
  changed(name: string): this {
    this.#changed.add(dirname(this.path(name)));
    return this;
  }

  /** Makes what was written to the open file `descriptor` durable. */
  async syncData(descriptor: number): Promise<void> {
    await syncData(descriptor);
  }

  /** Makes the names beside `name` durable at once; {@link sync} will do it again. */
  async syncNames(name: string): Promise<void> {
    await syncFolder(dirname(this.path(name)));
  }

  /** Makes every change of names so far durable. */
  async sync(): Promise<void> {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const folder of changed) await syncFolder(folder);
  }

  /** Removes the partial tiles beside `keep` or, where that is a full tile, all of its partial ones. */
  prune(keep: TileName): void {
    const folder = dirname(this.path(tilePath({ ...keep, width: 1 })));
    if (!fs.existsSync(folder)) return;
    for (const name of fs.readdirSync(folder)) {
      if (name !== String(keep.width)) fs.unlinkSync(join(folder, name));
    }
    if (keep.width === TILE_WIDTH) fs.rmdirSync(folder);
  }
}
