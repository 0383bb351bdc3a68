/**
 * The journal: bundles from their first entry on until a commit seals them.
 *
 * What is taken in one turn is written by one call, and who waits for the disk at one moment waits
 * together. After a failure everything fails: what a file then holds is known to the next opening only.
 *
 * @module
 */
import { closeSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { syncSegment, type OpenSegment } from "./commit.ts";
import type { Folder } from "./folder.ts";
import { TILE_WIDTH } from "./merkle.ts";
import type { Segment } from "./recover.ts";
import * as tile from "./tile.ts";

/** From so many bytes on what was taken is written without waiting for the end of the turn. */
const WRITE_BYTES = 1024 * 1024;
/** A flush below this costs less than handing it to another thread and hearing of its end. */
const QUICK_FLUSH_MS = 0.5;
/** After a longer one the thread pool has them, for so many times as long: 5 % of the time is lost at most. */
const CALM_FACTOR = 20;

/** The open bundles of one ledger. Every method throws what the file system says. */
export class Journal {
  /** Oldest first; the last one grows. */
  readonly segments: OpenSegment[];
  readonly #folder: Folder;
  /** Records of the last segment that are not written yet. */
  #unwritten: Buffer[] = [];
  #unwrittenBytes = 0;
  #writing: Promise<void> | undefined;
  #syncing: Promise<void> = Promise.resolve();
  #nextSync: Promise<void> | undefined;
  /** How many share `#nextSync`. */
  #waiting = 0;
  /** Until when no flush is waited for on this thread, as `performance.now()` has it. */
  #calmUntil = 0;
  #broken: { readonly cause: unknown } | undefined;

  constructor(folder: Folder, found: readonly Segment[]) {
    this.#folder = folder;
    this.segments = found.map((segment) => ({ ...segment, ...this.#open(segment.n, "a") }));
  }

  /** Takes the record of entry `seq`; it is written when {@link written} resolves. */
  take(seq: number, record: Buffer): void {
    const n = Math.floor(seq / TILE_WIDTH);
    let segment = this.segments.at(-1);
    if (segment?.n !== n) {
      this.write();
      segment = { n, entries: [], bytes: 0, ...this.#open(n, "ax") };
      this.segments.push(segment);
    }
    this.#unwritten.push(record);
    this.#unwrittenBytes += record.length;
    segment.entries.push(record.subarray(tile.LENGTH_BYTES));
    if (this.#unwrittenBytes >= WRITE_BYTES) this.write();
  }

  /** Resolves once all that was taken so far is written. */
  written(): Promise<void> {
    return (this.#writing ??= Promise.resolve().then(() => this.write()));
  }

  /** Writes what was taken, now. */
  write(): void {
    this.#writing = undefined;
    if (this.#broken !== undefined) throw this.#broken.cause;
    const segment = this.segments.at(-1);
    const records = this.#unwritten.splice(0);
    const [first] = records;
    if (segment === undefined || first === undefined) return;
    const bytes = records.length === 1 ? first : Buffer.concat(records, this.#unwrittenBytes);
    this.#unwrittenBytes = 0;
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(segment.descriptor, bytes, written);
    } catch (cause) {
      this.#broken = { cause };
      // What was not acknowledged must not stand before a later opener's next entry.
      ftruncateSync(segment.descriptor, segment.bytes);
      throw cause;
    }
    segment.bytes += bytes.length;
  }

  /** Resolves once all that was written so far is on disk. */
  synced(): Promise<void> {
    this.#waiting += 1;
    return (this.#nextSync ??= this.idle().then(() => {
      const alone = this.#waiting === 1;
      this.#waiting = 0;
      this.#nextSync = undefined;
      this.#syncing = alone && this.#flushQuickly() ? Promise.resolve() : this.#sync();
      return this.#syncing;
    }));
  }

  /** Resolves when nobody waits for the disk any more; never rejects. */
  async idle(): Promise<void> {
    await this.#syncing.catch(() => undefined); // Whoever waited for it was told.
  }

  /** Lets go of the oldest `count` bundles, which a commit has sealed. */
  async release(count: number): Promise<void> {
    const sealed = this.segments.splice(0, count);
    await this.idle(); // A wait for the disk may be using them, and is the last to.
    for (const { descriptor } of sealed) closeSync(descriptor);
  }

  #open(n: number, flags: "a" | "ax"): Pick<OpenSegment, "descriptor" | "synced" | "named"> {
    const name = tile.journalPath(n);
    const path = this.#folder.changed(name).path(name);
    return { descriptor: openSync(path, flags, 0o600), synced: 0, named: false };
  }

  /**
   * Flushes on this thread for one who waits alone, where that is all it takes and the disk has been
   * quick; returns whether it did (docs/decisions/0015).
   */
  #flushQuickly(): boolean {
    const [first, ...more] = this.segments.filter(({ synced, bytes }) => synced < bytes);
    const start = performance.now();
    if (first?.named !== true || more.length > 0 || start < this.#calmUntil) return false;
    const { bytes } = first;
    fdatasyncSync(first.descriptor);
    first.synced = Math.max(first.synced, bytes);
    const took = performance.now() - start;
    if (took > QUICK_FLUSH_MS) this.#calmUntil = start + took * CALM_FACTOR;
    return true;
  }

  async #sync(): Promise<void> {
    const segments = [...this.segments];
    await Promise.all(segments.map((segment) => syncSegment(this.#folder, segment)));
    const unnamed = segments.filter(({ named }) => !named);
    if (unnamed.length > 0) await this.#folder.syncNames(tile.journalPath(0));
    for (const segment of unnamed) segment.named = true;
  }
}
