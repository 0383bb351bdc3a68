/**
 * The ledger's one writer: events in, an append-only Merkle log with signed checkpoints out.
 *
 * Two grades of acknowledgement. An append resolves once its entry is written (it survives a kill -9 of
 * this process at any instant). With `sync` it resolves once the entry is on disk (it survives a power
 * loss); appends that wait share one wait for the disk. A commit follows by itself, so that no entry
 * stays longer than about 100 ms outside a signed checkpoint (docs/decisions/0014).
 *
 * Whatever cannot be written ends the writing: every later append is refused, for no access may happen
 * without a record. A failed ledger is mended by opening it anew.
 *
 * @module
 */
import { closeSync } from "node:fs";
import type { Event } from "../action/index.ts";
import { Fault, createId, isFault, type Clock } from "../base/index.ts";
import { writeCommit } from "./commit.ts";
import { decodeEvent, encodeEvent } from "./entry.ts";
import { Folder, lockFolder, makeFolder, readIfThere } from "./folder.ts";
import { Journal } from "./journal.ts";
import {
  Frontier,
  TILE_WIDTH,
  inclusionPath,
  leafHash,
  leafHashWithin,
  splitHashes,
  type FullTile,
} from "./merkle.ts";
import { signCheckpoint, type Signer } from "./note.ts";
import {
  endOfRange,
  joinRanges,
  parsePointer,
  prunedFault,
  pruningOf,
  RANGES_AT_ONCE,
  RANGES_MAX,
  removeBundles,
  rootOf,
  writePointer,
  type Pruning,
  type Range,
} from "./pruned.ts";
import { formatProof, verifyProof } from "./proof.ts";
import { openSigner, recover, type Recovered } from "./recover.ts";
import * as tile from "./tile.ts";

/** How long after its first entry a commit starts; with the commit itself this stays below 100 ms. */
export const COMMIT_DELAY_MS = 50;
/** How much may wait for its first commit before appends are refused until the disk has caught up. */
export const UNCOMMITTED_BYTES_MAX = 64 * 1024 * 1024;
/** The same in bundles, each of which holds a descriptor until its commit. */
const UNCOMMITTED_BUNDLES_MAX = 512;
const VERIFY_HINT = "run `cofferdam verify`";

/** Where the ledger lies and as what it signs. */
export interface LedgerOptions {
  /** The ledger's own folder; made where it is missing. */
  readonly dir: string;
  /** The folder of the private key, `ledger.key`; the key is made (0600) with a new ledger. */
  readonly keys: string;
  /** Gives a new ledger's name its time. */
  readonly clock: Clock;
  /** Told once when the ledger fails: nothing more can be recorded, so nothing more may happen. */
  readonly onFailure?: (fault: Fault) => void;
}

/** An event and its place in the log. */
export interface Recorded {
  readonly seq: number;
  readonly event: Event;
}

/** The open log. One holder at a time. */
export interface Ledger {
  /** Number of entries written. */
  readonly size: number;
  /** The public half of the key, as a signed-note verifier key; also in the file `vkey`. */
  readonly verifierKey: string;
  /** What opening found beyond the last checkpoint. */
  readonly recovered: Pick<Recovered, "unsigned" | "cutBytes">;
  /** Why nothing more is accepted, or `undefined`. */
  readonly failure: Fault | undefined;
  append(event: Event, options?: { readonly sync?: boolean }): Promise<number>;
  /** The newest pruning: what is not here any more; `undefined` where nothing ever was pruned. */
  readonly pruning: Pruning | undefined;
  /** Entries `from` to before `to`: by default all that are written at the time of the call; less what was pruned. */
  read(from?: number, to?: number): AsyncIterable<Recorded>;
  /** Calls `listener` for every entry appended from now on; returns the way to stop that. */
  subscribe(listener: (entry: Recorded) => void): () => void;
  /** Commits, and returns a signed checkpoint over every entry written so far. */
  checkpoint(): Promise<string>;
  /** A tlog-proof of entry `seq`, with the entry itself: all that {@link verifyProof} needs. */
  prove(seq: number): Promise<string>;
  /**
   * Puts on record that the content of `ranges` goes, by a retention of `months`, and removes it. `pace` is waited for
   * between any two steps. Stopped at any point, it goes on at the next opening.
   *
   * @throws {Fault} `ledger.range` where `ranges` are not whole bundles under the checkpoint, in order.
   */
  prune(ranges: readonly Range[], about: PruneOptions): Promise<Pruning>;
  close(): Promise<void>;
}

/** How a pruning is recorded and paced. */
export interface PruneOptions {
  readonly months: number;
  readonly at: Pick<Event, "at" | "monoMs">;
  /** More that its entry says. */
  readonly data?: NonNullable<Event["data"]>;
  pace(): Promise<void>;
}

/**
 * Opens the ledger in `options.dir`, or makes it.
 *
 * @throws {Fault} `ledger.locked` where another opener has it, `ledger.key` where key and ledger do not
 *   belong together, `ledger.corrupt` where the folder does not lead to its last checkpoint.
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const folder = new Folder(options.dir);
  await makeFolder(options.dir);
  const lock = lockFolder(options.dir);
  let writer: Writer | undefined;
  try {
    const origin = `cofferdam.local/${createId("log", options.clock.now().wallMs)}`;
    const signer = await openSigner(folder, options.keys, origin);
    await makeFolder(folder.path(tile.JOURNAL_FOLDER));
    const recovered = await recover(folder, signer);
    writer = new Writer({ folder, signer, recovered, onFailure: options.onFailure }, lock);
    await writer.start();
    return writer;
  } catch (error) {
    if (writer === undefined) closeSync(lock);
    else await writer.release();
    throw error;
  }
}

/** The state of the tree at the last commit. */
interface Published {
  readonly size: number;
  readonly rows: readonly (readonly Buffer[])[];
  readonly note: string;
}

interface Parts {
  readonly folder: Folder;
  readonly signer: Signer;
  readonly recovered: Recovered;
  readonly onFailure: ((fault: Fault) => void) | undefined;
}

class Writer implements Ledger {
  readonly recovered: Ledger["recovered"];
  failure: Fault | undefined;
  readonly #parts: Parts;
  readonly #lock: number;
  readonly #folder: Folder;
  readonly #tree: Frontier;
  readonly #journal: Journal;
  readonly #listeners = new Set<(entry: Recorded) => void>();
  /** Full tiles that no commit has written yet. */
  #tiles: FullTile[];
  #uncommittedBytes = 0;
  #published: Published = { size: 0, rows: [], note: "" };
  #timer: NodeJS.Timeout | undefined;
  /** The commit under way, and the one that waits for it. Neither ever rejects. */
  #running: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;
  #closed = false;
  #pruning: Pruning | undefined;

  constructor(parts: Parts, lock: number) {
    this.#parts = parts;
    this.#lock = lock;
    this.#folder = parts.folder;
    const { unsigned, cutBytes } = parts.recovered;
    this.recovered = { unsigned, cutBytes };
    this.#tree = parts.recovered.tree;
    this.#tiles = parts.recovered.tiles;
    this.#journal = new Journal(parts.folder, parts.recovered.segments);
  }

  /** Commits what was found: this also writes again whatever a crash left out. */
  async start(): Promise<void> {
    await this.#commitAll();
    await this.#resumePruning();
  }

  get pruning(): Pruning | undefined {
    return this.#pruning;
  }

  get size(): number {
    return this.#tree.size;
  }

  get verifierKey(): string {
    return this.#parts.signer.verifier.text;
  }

  async append(event: Event, options: { readonly sync?: boolean } = {}): Promise<number> {
    this.#checkOpen();
    const { record, event: recorded } = encodeEvent(event);
    const bytes = this.#uncommittedBytes + record.length;
    if (bytes > UNCOMMITTED_BYTES_MAX || this.#journal.segments.length > UNCOMMITTED_BUNDLES_MAX) {
      throw new Fault("ledger.busy", "the disk does not keep up with the record", {
        hint: `${this.#uncommittedBytes} bytes wait for it; try again in a second`,
      });
    }
    // From here to the end of this turn nothing awaits: the order of calls is the order of entries.
    const seq = this.#tree.size;
    await this.#try(() => {
      this.#journal.take(seq, record);
      this.#uncommittedBytes += record.length;
      const leaf = leafHashWithin(record, tile.LENGTH_BYTES, record.length);
      this.#tree.append(leaf, (full) => this.#tiles.push(full));
      return this.#journal.written();
    });
    for (const listener of this.#listeners) {
      // In its own turn: what a listener throws is not a failure to record.
      queueMicrotask(() => listener({ seq, event: recorded }));
    }
    this.#schedule();
    if (options.sync === true) await this.#try(() => this.#journal.synced());
    return seq;
  }

  async *read(from = 0, to = this.size): AsyncGenerator<Recorded> {
    const end = Math.min(to, this.size);
    for (let seq = Math.max(from, 0); seq < end;) {
      const n = Math.floor(seq / TILE_WIDTH);
      const entries = await this.#readBundle(n).catch((error: unknown) => {
        if (!isFault(error, "ledger.pruned")) throw error;
        return undefined;
      });
      if (entries === undefined) {
        seq = endOfRange(this.#pruning?.all ?? [], seq) ?? (n + 1) * TILE_WIDTH;
        continue;
      }
      for (; seq < end && Math.floor(seq / TILE_WIDTH) === n; seq += 1) {
        const entry = entries[seq % TILE_WIDTH];
        if (entry === undefined) throw damaged(seq);
        yield { seq, event: decodeEvent(entry, seq) };
      }
    }
  }

  subscribe(listener: (entry: Recorded) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async checkpoint(): Promise<string> {
    this.#checkOpen();
    if (this.#published.size < this.#tree.size) await this.#commitAll();
    return this.#published.note;
  }

  async prove(seq: number): Promise<string> {
    if (!Number.isSafeInteger(seq) || seq < 0 || seq >= this.size) {
      throw new Fault("ledger.range", `there is no entry ${seq}; the ledger has ${this.size}`);
    }
    if (seq >= this.#published.size) await this.checkpoint();
    const published = this.#published;
    const read = async (level: number, n: number): Promise<readonly Buffer[]> => {
      const count = Math.floor(published.size / TILE_WIDTH ** level);
      if (n === Math.floor(count / TILE_WIDTH)) return published.rows[level] ?? [];
      return splitHashes(await this.#readTile({ level, n, width: TILE_WIDTH }));
    };
    const path = await inclusionPath(seq, published.size, read);
    const entry = (await this.#readBundle(Math.floor(seq / TILE_WIDTH)))[seq % TILE_WIDTH];
    if (entry === undefined) throw damaged(seq);
    const proof = formatProof({ seq, entry, path, checkpoint: published.note });
    // Our own files could have been altered since: what does not hold is not handed out.
    verifyProof(proof, this.verifierKey);
    return proof;
  }

  async prune(ranges: readonly Range[], about: PruneOptions): Promise<Pruning> {
    this.#checkOpen();
    const all = joinRanges(this.#pruning?.all ?? [], ranges);
    const told = await this.#rootsOf(ranges, all);
    const { months, at, data = {}, pace } = about;
    await pace();
    const event: Event = {
      type: "record",
      ...at,
      data: {
        ...data,
        done: "prune",
        months,
        ranges: told.map(({ from, to, root }) => ({ from, to, count: to - from, root })),
        all: all.map(({ from, to }) => [from, to]),
      },
    };
    const seq = await this.append(event, { sync: true });
    await pace();
    await this.checkpoint(); // What no signature covers excuses nothing.
    await pace();
    const pruning = pruningOf(event, seq);
    if (pruning === undefined) throw damaged(seq);
    const folder = new Folder(this.#folder.dir);
    await writePointer(folder, seq, false);
    this.#pruning = pruning;
    await pace();
    await removeBundles(folder, told, pace);
    await writePointer(folder, seq, true);
    await pace();
    return pruning;
  }

  /** The root of each of `ranges`. */
  async #rootsOf(
    ranges: readonly Range[],
    all: readonly Range[],
  ): Promise<readonly (Range & { readonly root: string })[]> {
    const covered = this.#published.size - (this.#published.size % TILE_WIDTH);
    const told: (Range & { readonly root: string })[] = [];
    for (const { from, to } of ranges) {
      const isWhole = from % TILE_WIDTH === 0 && to % TILE_WIDTH === 0 && from < to;
      const isFresh = (told.at(-1)?.to ?? 0) <= from && to <= covered;
      const was = this.#pruning?.all.some((range) => range.from < to && from < range.to);
      const root =
        isWhole && isFresh && was !== true
          ? await rootOf({ from, to }, (path) => readIfThere(this.#folder.path(path)))
          : undefined;
      if (root === undefined) {
        throw new Fault("ledger.range", `entries ${from} to ${to} cannot be pruned`, {
          hint: `whole bundles of ${TILE_WIDTH} that a checkpoint covers can, each once`,
        });
      }
      told.push({ from, to, root });
    }
    if (told.length > 0 && told.length <= RANGES_AT_ONCE && all.length <= RANGES_MAX) return told;
    throw new Fault("ledger.range", `${told.length} ranges cannot be pruned at once`);
  }

  /** Finds the newest pruning, and removes what a daemon left of it that was stopped. */
  async #resumePruning(): Promise<void> {
    const text = await readIfThere(this.#folder.path(tile.PRUNED_FILE));
    const pointer = parsePointer(text?.toString());
    if (pointer === undefined || pointer.seq >= this.#published.size) return;
    const { seq, isDone } = pointer;
    for await (const { event } of this.read(seq, seq + 1)) this.#pruning = pruningOf(event, seq);
    if (isDone || this.#pruning === undefined) return;
    const folder = new Folder(this.#folder.dir);
    await removeBundles(folder, this.#pruning.all, () => Promise.resolve());
    await writePointer(folder, seq, true);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (this.#published.size < this.#tree.size) await this.#commitAll();
      await this.#running;
    } finally {
      await this.release();
    }
  }

  /** Lets go of everything without a commit. */
  async release(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#journal.release(Infinity);
    closeSync(this.#lock);
  }

  #checkOpen(): void {
    if (this.failure !== undefined) throw this.failure;
    if (this.#closed) throw new Fault("ledger.closed", "the ledger is closed");
  }

  #fail(cause: unknown): Fault {
    if (this.failure !== undefined) return this.failure;
    const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    this.failure = new Fault("ledger.failed", `the ledger could not be written${code}`, {
      hint: "nothing more is allowed without a record; mend the disk or free space, then restart",
      cause,
    });
    clearTimeout(this.#timer);
    this.#parts.onFailure?.(this.failure);
    return this.failure;
  }

  /** Waits for `act`; where it fails, the ledger has. */
  async #try(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      throw this.#fail(error);
    }
    if (this.failure !== undefined) throw this.failure;
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      // Who needs to know of a failure finds it in `failure`, set and told before this rejects.
      void this.#commitAll().catch(() => undefined);
    }, COMMIT_DELAY_MS);
  }

  /** Resolves once every entry written so far is under a checkpoint; callers share commits. */
  async #commitAll(): Promise<void> {
    this.#queued ??= this.#running.then(() => {
      this.#queued = undefined;
      this.#running = this.#tryCommit();
      return this.#running;
    });
    await this.#queued;
    if (this.failure !== undefined) throw this.failure;
  }

  async #tryCommit(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.failure !== undefined) return;
    try {
      await this.#commit();
    } catch (error) {
      this.#fail(error);
    }
    if (this.#published.size < this.#tree.size && this.failure === undefined) this.#schedule();
  }

  async #commit(): Promise<void> {
    this.#journal.write();
    // Taken in one turn, so that they are of one moment; entries go on being appended meanwhile.
    const { size } = this.#tree;
    const note = signCheckpoint({ size, root: this.#tree.root() }, this.#parts.signer);
    const rows = this.#tree.rows.map((row) => [...row]);
    const segments = [...this.#journal.segments];
    const tiles = this.#tiles.splice(0);
    const bytes = this.#uncommittedBytes;
    const written = { size, note, rows, segments, tiles, before: this.#published.size };
    const sealed = await writeCommit(this.#folder, written);
    this.#published = { size, rows, note };
    this.#uncommittedBytes -= bytes;
    await this.#journal.release(sealed);
  }

  /** The entries of bundle `n`, checked against their tile where they come from the disk. */
  async #readBundle(n: number): Promise<readonly Buffer[]> {
    if (this.#closed) throw new Fault("ledger.closed", "the ledger is closed");
    const segment = this.#journal.segments.find((open) => open.n === n);
    if (segment !== undefined) return segment.entries;
    const first = n * TILE_WIDTH;
    const isPruned = () => endOfRange(this.#pruning?.all ?? [], first) !== undefined;
    const bundle = isPruned()
      ? undefined
      : await this.#readTile({ level: "entries", n, width: TILE_WIDTH }).catch((error: unknown) => {
          if (!isPruned()) throw error; // It went while it was looked for.
        });
    if (bundle === undefined)
      throw this.#pruning ? prunedFault(first, this.#pruning) : damaged(first);
    const hashes = splitHashes(await this.#readTile({ level: 0, n, width: TILE_WIDTH }));
    const { entries } = tile.splitBundle(bundle, () => true);
    for (const [place, hash] of hashes.entries()) {
      const entry = entries[place];
      if (entry === undefined || !leafHash(entry).equals(hash))
        throw damaged(n * TILE_WIDTH + place);
    }
    return entries;
  }

  async #readTile(name: tile.TileName): Promise<Buffer> {
    const path = this.#folder.path(tile.tilePath(name));
    const bytes = await readIfThere(path);
    if (bytes !== undefined) return bytes;
    throw new Fault("ledger.corrupt", `a file of the ledger is gone: ${path}`, {
      hint: VERIFY_HINT,
    });
  }
}

function damaged(seq: number): Fault {
  return new Fault("ledger.corrupt", `entry ${seq} is missing or damaged on disk`, {
    hint: VERIFY_HINT,
  });
}
