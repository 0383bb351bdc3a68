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
import { readDecimal } from "./note.ts";
import * as tile from "./tile.ts";

/** Sealed bundles that are kept: some 16 MiB at most where each entry is as long as it may be. */
const KEPT_MAX = 4;

interface Read {
  readonly entries: readonly Buffer[];
  /** Hashes of its leaves; absent while it grows, or is not under a checkpoint yet. */
  readonly hashes: Buffer | undefined;
}

/** A reader of one folder. */
export class LedgerReader {
  readonly #dir: string;
  readonly #kept = new Map<number, Read>();

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

  /**
   * The bytes of entry `from` and of those behind it in the same bundle; empty where none is written.
   *
   * @throws {Fault} `ledger.corrupt` where they are not those that a checkpoint covers.
   */
  from(from: number): readonly Buffer[] {
    const read = this.#bundle(Math.floor(from / TILE_WIDTH));
    const first = from % TILE_WIDTH;
    const entries = read?.entries.slice(first) ?? [];
    for (const [n, entry] of entries.entries()) check(read, entry, from + n);
    return entries;
  }

  /** The bytes of entry `seq`. @throws {Fault} `ledger.corrupt` */
  entry(seq: number): Buffer | undefined {
    const read = this.#bundle(Math.floor(seq / TILE_WIDTH));
    const entry = read?.entries[seq % TILE_WIDTH];
    if (entry !== undefined) check(read, entry, seq);
    return entry;
  }

  /** The hash of entry `seq` as a leaf of the tree, in hex. */
  leaf(seq: number): string | undefined {
    const entry = this.entry(seq);
    return entry && leafHash(entry).toString("hex");
  }

  #bundle(n: number): Read | undefined {
    const kept = this.#kept.get(n);
    if (kept !== undefined) return kept;
    const name = tile.tilePath({ level: "entries", n, width: TILE_WIDTH });
    // A journal that is sealed between the two looks has become the bundle.
    const sealed = this.#read(name) ?? this.#grown(n) ?? this.#read(name);
    if (sealed === undefined) return undefined;
    if (!Buffer.isBuffer(sealed)) return sealed;
    const hashes = this.#read(tile.tilePath({ level: 0, n, width: TILE_WIDTH }));
    const read = { entries: tile.splitBundle(sealed, () => true).entries, hashes };
    if (hashes === undefined) return read;
    this.#kept.set(n, read);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_MAX && oldest !== undefined) this.#kept.delete(oldest);
    return read;
  }

  #grown(n: number): Read | undefined {
    const journal = this.#read(tile.journalPath(n));
    if (journal === undefined) return undefined;
    return { entries: tile.splitBundle(journal, () => true).entries, hashes: undefined };
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

function check(read: Read | undefined, entry: Buffer, seq: number): void {
  if (read?.hashes === undefined) return;
  const at = (seq % TILE_WIDTH) * HASH_BYTES;
  if (leafHash(entry).equals(read.hashes.subarray(at, at + HASH_BYTES))) return;
  throw new Fault("ledger.corrupt", `entry ${seq} is missing or damaged on disk`, {
    hint: "run `cofferdam verify`",
  });
}
