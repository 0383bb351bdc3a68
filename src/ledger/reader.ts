/**
 * Reading the ledger's folder beside its writer: no lock, no key, nothing written.
 *
 * Sealed bundles never change; the journal of one that grows may end in an entry that is written just now,
 * which is not there yet for a reader. A power loss can take entries back that no checkpoint covers, so
 * whoever keeps what it read compares {@link LedgerReader.leaf} again (docs/decisions/0425).
 *
 * Reads are synchronous: they are for a thread that does nothing else.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../base/index.ts";
import { HASH_BYTES, TILE_WIDTH, leafHash } from "./merkle.ts";
import { decodeEvent } from "./entry.ts";
import { readDecimal } from "./note.ts";
import { endOfRange, parsePointer, pruningOf, type Pruning } from "./pruned.ts";
import * as tile from "./tile.ts";

/** Bytes of sealed bundles that are kept for the next question. */
const KEPT_BYTES_MAX = 32 * 2 ** 20;

/** A bundle as it lies there. */
interface Read {
  readonly bytes: Buffer;
  /** Hashes of its leaves; absent while it grows, or is not under a checkpoint yet. */
  readonly hashes: Buffer | undefined;
}

/** A reader of one folder. */
export class LedgerReader {
  readonly #dir: string;
  /** Those used last are at the end. */
  readonly #kept = new Map<number, Read>();
  #keptBytes = 0;
  #pruning: { readonly text: string; readonly value: Pruning | undefined } | undefined;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Which ledger this is: its verifier key; empty where there is none. */
  get verifierKey(): string {
    return this.#read(tile.VERIFIER_KEY_FILE)?.toString().trim() ?? "";
  }

  /** Entries under the last checkpoint; there may be more. */
  get signedSize(): number {
    const line = this.#read(tile.CHECKPOINT_FILE)?.toString().split("\n")[1];
    return (line === undefined ? undefined : readDecimal(line)) ?? 0;
  }

  /** The newest pruning, where its entry bears it out. */
  get pruning(): Pruning | undefined {
    const text = this.#read(tile.PRUNED_FILE)?.toString().replace(" done", "") ?? "";
    if (this.#pruning?.text === text) return this.#pruning.value;
    const seq = parsePointer(text)?.seq;
    const bytes = seq === undefined || seq >= this.signedSize ? undefined : this.entry(seq);
    const value = bytes && seq !== undefined ? pruningOf(decodeEvent(bytes, seq), seq) : undefined;
    this.#pruning = { text, value };
    for (const n of this.#kept.keys()) {
      if (endOfRange(value?.all ?? [], n * TILE_WIDTH) !== undefined) this.#forget(n);
    }
    return value;
  }

  /** The first entry from `from` on that was not pruned. */
  next(from: number): number {
    return endOfRange(this.pruning?.all ?? [], from) ?? from;
  }

  /**
   * The bytes of entry `from` and of those behind it in the same bundle; empty where none is written.
   *
   * @throws {Fault} `ledger.corrupt` where they are not those that a checkpoint covers.
   */
  from(from: number): readonly Buffer[] {
    const read = this.#bundle(Math.floor(from / TILE_WIDTH));
    if (read === undefined) return [];
    const { entries } = tile.splitBundle(read.bytes, () => true);
    const wanted = entries.slice(from % TILE_WIDTH);
    for (const [n, entry] of wanted.entries()) check(read, entry, from + n);
    return wanted;
  }

  /** The bytes of entry `seq`. @throws {Fault} `ledger.corrupt` */
  entry(seq: number): Buffer | undefined {
    const read = this.#bundle(Math.floor(seq / TILE_WIDTH));
    const entry = read && tile.entryOf(read.bytes, seq % TILE_WIDTH);
    if (read !== undefined && entry !== undefined) check(read, entry, seq);
    return entry;
  }

  /** The hash of entry `seq` as a leaf of the tree, in hex; also where its content was pruned. */
  leaf(seq: number): string | undefined {
    const entry = this.entry(seq);
    if (entry !== undefined) return leafHash(entry).toString("hex");
    if (this.next(seq) === seq) return undefined;
    const n = Math.floor(seq / TILE_WIDTH);
    const at = (seq % TILE_WIDTH) * HASH_BYTES;
    const hashes = this.#read(tile.tilePath({ level: 0, n, width: TILE_WIDTH }));
    return hashes?.subarray(at, at + HASH_BYTES).toString("hex");
  }

  #bundle(n: number): Read | undefined {
    const kept = this.#kept.get(n);
    if (kept !== undefined) {
      this.#kept.delete(n);
      this.#kept.set(n, kept);
      return kept;
    }
    const name = tile.tilePath({ level: "entries", n, width: TILE_WIDTH });
    const sealed = this.#read(name);
    const journal = sealed ?? this.#read(tile.journalPath(n));
    // A journal that is sealed between the two looks has become the bundle.
    const bytes = journal ?? this.#read(name);
    if (bytes === undefined) return undefined;
    const isSealed = sealed !== undefined || journal === undefined;
    const hashes = isSealed
      ? this.#read(tile.tilePath({ level: 0, n, width: TILE_WIDTH }))
      : undefined;
    const read = { bytes, hashes };
    if (hashes !== undefined) this.#keep(n, read);
    return read;
  }

  #keep(n: number, read: Read): void {
    this.#kept.set(n, read);
    this.#keptBytes += read.bytes.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= KEPT_BYTES_MAX || oldest === n) return;
      this.#forget(oldest);
    }
  }

  #forget(n: number): void {
    this.#keptBytes -= this.#kept.get(n)?.bytes.length ?? 0;
    this.#kept.delete(n);
  }

  #read(name: string): Buffer | undefined {
    try {
      return readFileSync(join(this.#dir, name));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  }
}

function check(read: Read, entry: Buffer, seq: number): void {
  if (read.hashes === undefined) return;
  const at = (seq % TILE_WIDTH) * HASH_BYTES;
  if (leafHash(entry).equals(read.hashes.subarray(at, at + HASH_BYTES))) return;
  throw new Fault("ledger.corrupt", `entry ${seq} is missing or damaged on disk`, {
    hint: "run `cofferdam verify`",
  });
}
