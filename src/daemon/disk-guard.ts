/**
 * Keeps room for the record: where the disk that holds it gets full, the run that wrote most is paused, before
 * an entry could not be written and every run had to end (INV-9, INV-91).
 *
 * Paused and not ended, since a person may want what it wrote: `resume` lets it go on when there is room. It
 * need not be its fault, for others write to the same disk; so only one is paused at a time, and the next
 * only where the rest of the room goes on shrinking.
 *
 * @module
 */
import { statfs } from "node:fs/promises";
import { describeError, type Log } from "../base/index.ts";

/** What is kept for the record, in bytes, or a share of a small disk. */
export const ROOM_BYTES = 2 * 2 ** 30;
export const ROOM_SHARE = 0.05;
/** Files that may still be made, as a share of all that the file system can hold. */
export const ROOM_FILES_SHARE = 0.02;
/** Less than this a run has not filled a disk with. */
export const WRITTEN_BYTES_MIN = 1 << 20;
const LOOK_MS = 250; // A fast disk takes half a gigabyte in that time.
/** A further run is paused where this share of what was left is gone as well. */
const STEP_SHARE = 1 / 8;

/** What a file system says of itself: bytes, and files (0 where it has no such limit). */
export interface Space {
  readonly bytes: number;
  readonly bytesFree: number;
  readonly files: number;
  readonly filesFree: number;
}

/** A run that may be what fills the disk. */
export interface Writer {
  readonly id: string;
  /** Bytes on disk that are its doing. */
  written(): Promise<number>;
  pause(reason: string): Promise<void>;
  stop(reason: string, detail: string): void;
}

/** How much of the room kept for the record is there: 1 and more is enough. */
export function roomOf({ bytes, bytesFree, files, filesFree }: Space): number {
  const ofBytes = bytesFree / Math.min(ROOM_BYTES, bytes * ROOM_SHARE);
  const ofFiles = files === 0 ? Number.POSITIVE_INFINITY : filesFree / (files * ROOM_FILES_SHARE);
  return Math.min(ofBytes, ofFiles);
}

export class DiskGuard {
  readonly #look: () => Promise<Space>;
  readonly #writers: () => readonly Writer[];
  readonly #log: Log;
  /** The room at which the last run was paused. */
  #actedAt = Number.POSITIVE_INFINITY;

  constructor(look: () => Promise<Space>, writers: () => readonly Writer[], log: Log) {
    this.#look = look;
    this.#writers = writers;
    this.#log = log;
  }

  /** Looks once, and pauses one run where that must be. */
  async check(): Promise<void> {
    const writers = this.#writers();
    if (writers.length === 0) return;
    const space = await this.#look();
    const room = roomOf(space);
    if (room >= 1) this.#actedAt = Number.POSITIVE_INFINITY;
    if (room >= Math.min(1, this.#actedAt * (1 - STEP_SHARE))) return;
    this.#actedAt = room;
    const sizes = await Promise.all(
      writers.map(async (one) => [one, await one.written()] as const),
    );
    const [most] = sizes.toSorted(([, a], [, b]) => b - a);
    if (most === undefined || most[1] < WRITTEN_BYTES_MIN) return;
    await this.#hold(most[0], most[1], space);
    this.#actedAt = roomOf(await this.#look()); // What it wrote until it stood still was its own doing.
  }

  async #hold(writer: Writer, written: number, { bytesFree, filesFree }: Space): Promise<void> {
    const detail = `the disk of the record is nearly full; this run wrote most, ${written} bytes`;
    this.#log.warn("disk.guard", { run: writer.id, written, bytesFree, filesFree });
    try {
      await writer.pause(detail);
    } catch (error) {
      // What cannot be paused is ended: the record comes first.
      writer.stop("limit", `${detail}; and pausing failed: ${describeError(error)}`);
    }
  }
}

/** Guards the disk of `folder` until the returned function is called. */
export function guardDisk(folder: string, writers: () => readonly Writer[], log: Log): () => void {
  const look = async () => {
    const { blocks, bavail, bsize, files, ffree } = await statfs(folder);
    return { bytes: blocks * bsize, bytesFree: bavail * bsize, files, filesFree: ffree };
  };
  const guard = new DiskGuard(look, writers, log);
  let isBusy = false;
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    guard
      .check()
      .catch((error: unknown) => log.warn("disk.guard.failed", { error: describeError(error) }))
      .finally(() => (isBusy = false));
  }, LOOK_MS).unref();
  return () => clearInterval(timer);
}
