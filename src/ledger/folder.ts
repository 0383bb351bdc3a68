/**
 * The ledger's folder: whole files put in place at once, and made durable where that is asked.
 *
 * @module
 */
import { closeSync, openSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, rmdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Fault } from "../base/index.ts";
import { tryLock } from "../sys/index.ts";
import { absent } from "./key.ts";
import { TILE_WIDTH } from "./merkle.ts";
import { SCRATCH_FILE, tilePath, type TileName } from "./tile.ts";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Makes `path` and what is missing above it, durably. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    await syncFolder(dirname(made));
  }
}

/** Makes the names in `path` durable. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Takes the ledger's folder for this process and returns the descriptor that holds it. The lock is the
 * folder's own flock: nothing is written, nothing stays behind a kill -9, and a second opener in the
 * same process is refused too.
 *
 * @throws {Fault} `ledger.locked` where another process has it.
 */
export function lockFolder(dir: string): number {
  const descriptor = openSync(dir, "r");
  let locked = false;
  try {
    locked = tryLock(descriptor);
  } finally {
    if (!locked) closeSync(descriptor);
  }
  if (locked) return descriptor;
  throw new Fault("ledger.locked", `the ledger is in use by another process: ${dir}`, {
    hint: "one daemon at a time; stop the other one, or use another COFFERDAM_HOME",
  });
}

export async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(absent);
}

/** Writes `scratch` and renames it to `path`; where `durable`, after the bytes reached the disk. */
export async function putFile(
  file: { readonly scratch: string; readonly path: string },
  bytes: Buffer | string,
  durable: boolean,
): Promise<void> {
  const handle = await open(file.scratch, "w", FILE_MODE);
  try {
    await handle.writeFile(bytes);
    if (durable) await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(file.scratch, file.path);
}

/** Writes whole files into the folder `dir`, one at a time, through one scratch file. */
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

  /** Puts `bytes` in place at once; where `durable`, after they reached the disk ({@link putFile}). */
  async write(name: string, bytes: Buffer | string, durable: boolean): Promise<void> {
    const path = this.path(name);
    await makeFolder(dirname(path));
    await putFile({ scratch: this.path(SCRATCH_FILE), path }, bytes, durable);
    if (durable) this.changed(name);
  }

  async move(from: string, to: string): Promise<void> {
    const target = this.path(to);
    await makeFolder(dirname(target));
    await rename(this.path(from), target);
    this.changed(from).changed(to);
  }

  /** Notes that `name` came or went, for the next {@link Folder.sync}. */
  changed(name: string): this {
    this.#changed.add(dirname(this.path(name)));
    return this;
  }

  /** Makes every change of names so far durable. */
  async sync(): Promise<void> {
    for (const folder of this.#changed) await syncFolder(folder);
    this.#changed.clear();
  }

  /** Removes the partial tiles beside `keep` or, where that is a full tile, all of its partial ones. */
  async prune(keep: TileName): Promise<void> {
    const folder = dirname(this.path(tilePath({ ...keep, width: 1 })));
    const names = (await readdir(folder).catch(absent)) ?? [];
    for (const name of names) if (name !== String(keep.width)) await unlink(join(folder, name));
    if (keep.width === TILE_WIDTH && names.length > 0) await rmdir(folder);
  }

  async remove(name: string): Promise<void> {
    await rm(this.path(name), { force: true });
    this.changed(name);
  }
}
