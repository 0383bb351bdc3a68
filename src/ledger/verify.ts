/**
 * Checks a ledger's folder offline, every file of it, without trusting any of them but by signature.
 *
 * All entries are hashed again; each tile that is there must hold those hashes, and the tree of the
 * checkpoint's size must have the signed root. What this cannot see (docs/decisions/0012):
 *
 * - A folder put back whole to an earlier state, checkpoint included, is a true log of that time. Only a
 *   later checkpoint kept elsewhere (by a witness, or exported by hand) shows that more was there: give it
 *   as `since`.
 * - The file `vkey` says who the folder says it is from. That it is the right key only a copy of the key
 *   kept elsewhere shows: give it as `publicKey`.
 * - Entries beyond the checkpoint (`unsigned`: what a killed daemon wrote in its last 100 ms) carry no
 *   signature until the next start.
 *
 * The content of a bundle may be gone only where a signed entry of pruning says so; its hashes may never be. Any other
 * bundle that is missing was removed by nobody who may (docs/decisions/0438).
 *
 * The ledger may be in use meanwhile: files appear before the checkpoint that needs them and vanish after.
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { isFault } from "../base/index.ts";
import { decodeEvent, isEntry } from "./entry.ts";
import { absent, readIfThere } from "./folder.ts";
import {
  Frontier,
  HASH_BYTES,
  TILE_WIDTH,
  leafHash,
  splitHashes,
  tileRoot,
  type FullTile,
} from "./merkle.ts";
import { openCheckpoint, parseVerifierKey, type Checkpoint } from "./note.ts";
import {
  endOfRange,
  joinRanges,
  parsePointer,
  pruningOf,
  rootOf,
  type Pruning,
  type Range,
} from "./pruned.ts";
import * as tile from "./tile.ts";

/** How an entry of that type is written, in canonical JSON. */
const RECORD = '"type":"record"';
const EARLIER = "(earlier checkpoint)";
/** How often progress is told, in bundles: every 4096 entries, some 20 ms. */
const PROGRESS_BUNDLES = 16;
const SNAPSHOT_TRIES = 100; // A live writer replaces the checkpoint at most some twenty times a second.

export interface VerifyOptions {
  /** The verifier key that must have signed; by default the folder's own, from its file `vkey`. */
  readonly publicKey?: string;
  /** A checkpoint of this log from earlier, kept elsewhere: the log must continue it. */
  readonly since?: string;
  /** Called now and then with how many entries are hashed, of those that the checkpoint covers; at the end with all. */
  readonly onProgress?: (hashed: number, size: number) => void;
  /** Ends it early: the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** Something that is not as it was written. */
export interface Problem {
  /** The first entry that it touches, where that can be told. */
  readonly seq?: number;
  /** Path within the folder. */
  readonly file: string;
  /** One clause. */
  readonly what: string;
}

/** The result: `ok` where nothing was found. Problems of entries come in their order. */
export interface LedgerReport {
  readonly ok: boolean;
  /** How many entries the checkpoint covers, and its root in base64; 0 and "" where there is none. */
  readonly size: number;
  readonly root: string;
  /** Whole entries beyond the checkpoint, which no signature covers yet. */
  readonly unsigned: number;
  /** Entries whose content is gone by retention, as the record says; their hashes are verified. */
  readonly pruned: readonly Range[];
  /** The prunings that are on record still, oldest first. */
  readonly prunings: readonly Omit<Pruning, "all">[];
  readonly problems: readonly Problem[];
}

/** Verifies the ledger in `dir`, which need not be the place where it was written. */
export async function verifyLedger(
  dir: string,
  options: VerifyOptions = {},
): Promise<LedgerReport> {
  const check = await checkOnce(dir, options);
  // What was pruned meanwhile is on record behind the checkpoint that was checked.
  const again =
    check.isOvertaken && (await check.hasGrown()) ? await checkOnce(dir, options) : check;
  return again.report();
}

async function checkOnce(dir: string, options: VerifyOptions): Promise<Check> {
  const check = new Check(dir);
  // First the names, then the checkpoint: so whatever is named now has its entries written already.
  await check.listFiles();
  if (await check.readCheckpoint(options.publicKey)) {
    await check.readEntries(options);
    await check.checkPruned();
    await check.checkLeftFiles();
  }
  return check;
}

/** A bundle as read, up to the first thing in it that is no entry. */
interface Source {
  readonly path: string;
  readonly leaves: readonly Buffer[];
  /** Whether nothing but these entries was in it. */
  readonly whole: boolean;
}

class Check {
  readonly #dir: string;
  readonly #problems: Problem[] = [];
  /** Every file that was there at the start and is not accounted for yet. */
  readonly #left = new Set<string>();
  /** The tiles and bundles among them, by level and index. */
  readonly #named = new Map<string, tile.TileName[]>();
  /** The partial ones that the checkpoint needs, read together with it. */
  readonly #partials = new Map<string, Buffer>();
  readonly #tree = new Frontier();
  /** Bundles without content, whose hashes are as they were signed. */
  readonly #gone: Range[] = [];
  readonly #prunings: Pruning[] = [];
  #pruned: readonly Range[] = [];
  #note: Buffer | undefined;
  /** Whether content is gone of which the checkpoint says nothing. */
  isOvertaken = false;
  #key = "";
  #size = 0;
  #root: Buffer = Buffer.alloc(0);

  constructor(dir: string) {
    this.#dir = dir;
  }

  report(): LedgerReport {
    const problems = this.#problems.toSorted((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity));
    const unsigned = Math.max(0, this.#tree.size - this.#size);
    const root = this.#root.toString("base64");
    const prunings = this.#prunings.map((one) => {
      const { all: _, ...pruning } = one;
      return pruning;
    });
    return {
      ...{ ok: problems.length === 0, size: this.#size, root, unsigned },
      ...{ pruned: this.#pruned, prunings, problems },
    };
  }

  #add(file: string, what: string, seq?: number): void {
    this.#problems.push({ ...(seq === undefined ? {} : { seq }), file, what });
  }

  async #read(path: string): Promise<Buffer | undefined> {
    return this.#partials.get(path) ?? readIfThere(join(this.#dir, path));
  }

  async listFiles(): Promise<void> {
    const found = await readdir(this.#dir, { recursive: true, withFileTypes: true }).catch(absent);
    for (const item of found ?? []) {
      const path = relative(this.#dir, join(item.parentPath, item.name));
      if (item.isFile()) this.#left.add(path);
      else if (!item.isDirectory()) this.#add(path, "neither a plain file nor a folder");
      const name = item.isFile() ? tile.parseTilePath(path) : undefined;
      if (name === undefined) continue;
      const place = `${name.level}/${name.n}`;
      this.#named.set(place, [...(this.#named.get(place) ?? []), name]);
    }
    // What an interrupted write left; never read.
    for (let n = 0; n <= tile.PRUNING_SCRATCH; n += 1) this.#left.delete(tile.scratchPath(n));
  }

  /** Reads the signed checkpoint, with the partial tiles that its size needs. */
  async readCheckpoint(publicKey: string | undefined): Promise<boolean> {
    const vkey = (await this.#read(tile.VERIFIER_KEY_FILE))?.toString().trim();
    this.#left.delete(tile.CHECKPOINT_FILE);
    this.#left.delete(tile.VERIFIER_KEY_FILE);
    this.#key = publicKey?.trim() ?? vkey ?? "";
    if (vkey !== this.#key) this.#add(tile.VERIFIER_KEY_FILE, "missing, or another key");
    for (let tries = 0; tries < SNAPSHOT_TRIES; tries += 1) {
      const note = await this.#read(tile.CHECKPOINT_FILE);
      if (note === undefined) break;
      const checkpoint = this.#open(note.toString(), tile.CHECKPOINT_FILE);
      if (checkpoint === undefined) return false;
      const partials = new Map<string, Buffer | undefined>();
      for (const name of tile.partialTiles(checkpoint.size)) {
        partials.set(tile.tilePath(name), await this.#read(tile.tilePath(name)));
      }
      if ((await this.#read(tile.CHECKPOINT_FILE))?.equals(note) !== true) continue;
      for (const [path, bytes] of partials)
        if (bytes !== undefined) this.#partials.set(path, bytes);
      this.#note = note;
      this.#size = checkpoint.size;
      this.#root = checkpoint.root;
      return true;
    }
    this.#add(tile.CHECKPOINT_FILE, "missing, or changing all the time");
    return false;
  }

  #open(note: string, file: string): Checkpoint | undefined {
    try {
      return openCheckpoint(note, parseVerifierKey(this.#key));
    } catch (error) {
      if (!isFault(error, "ledger.note")) throw error;
      this.#add(file, error.message);
      return undefined;
    }
  }

  /** Hashes every entry, and compares tiles and roots on the way. */
  async readEntries({ since: earlier, onProgress, signal }: VerifyOptions): Promise<void> {
    const since = earlier === undefined ? undefined : this.#open(earlier, EARLIER);
    if (since !== undefined && since.size > this.#size) {
      const what = `the log had ${since.size} entries and now has ${this.#size}: it was cut off`;
      this.#add(tile.CHECKPOINT_FILE, what, this.#size);
    }
    const checkRoots = (): void => {
      const { size } = this.#tree;
      const root = size === this.#size || size === since?.size ? this.#tree.root() : undefined;
      if (size === this.#size && root?.equals(this.#root) === false) {
        this.#add(tile.CHECKPOINT_FILE, "the entries are not those that were signed");
      }
      if (since?.size === size && root?.equals(since.root) === false) {
        this.#add(EARLIER, "the log does not continue it: its entries were changed since");
      }
    };
    checkRoots();
    for (let n = 0; this.#tree.size === n * TILE_WIDTH; n += 1) {
      signal?.throwIfAborted();
      if (n % PROGRESS_BUNDLES === 0)
        onProgress?.(Math.min(this.#tree.size, this.#size), this.#size);
      const leaves = await this.#readLeaves(n);
      for (const leaf of leaves) {
        const full: FullTile[] = [];
        this.#tree.append(leaf, (done) => full.push(done));
        checkRoots();
        for (const done of full) await this.#checkTile(done);
      }
    }
    onProgress?.(Math.min(this.#tree.size, this.#size), this.#size);
    for (const [level, hashes] of this.#tree.rows.entries()) {
      const n = Math.floor(this.#tree.size / TILE_WIDTH ** (level + 1));
      await this.#checkTile({ level, n, hashes });
    }
    if (this.#tree.size >= this.#size) return;
    const what = `entries are missing or damaged: the checkpoint covers ${this.#size}`;
    this.#add(tile.journalPath(Math.floor(this.#tree.size / TILE_WIDTH)), what, this.#tree.size);
  }

  /** The leaf hashes of bundle `n`: of its entries or, where those are wrong, of their tile. */
  async #readLeaves(n: number): Promise<readonly Buffer[]> {
    const first = n * TILE_WIDTH;
    const covered = Math.min(Math.max(this.#size - first, 0), TILE_WIDTH);
    const source = await this.#readSource(n, covered);
    const sealed = tile.tilePath({ level: "entries", n, width: TILE_WIDTH });
    const file = source?.path ?? (covered === TILE_WIDTH ? sealed : tile.journalPath(n));
    let leaves = source?.leaves ?? [];
    const width = covered === 0 ? TILE_WIDTH : covered;
    const stored = await this.#read(tile.tilePath({ level: 0, n, width }));
    const signed = splitHashes(stored ?? Buffer.alloc(0));
    const wrong = signed.findIndex((hash, place) => leaves[place]?.equals(hash) !== true);
    if (source === undefined && covered === TILE_WIDTH && (await this.#isSigned(n, signed))) {
      this.#gone.push({ from: first, to: first + TILE_WIDTH });
      this.#left.delete(sealed);
      return signed;
    }
    if (covered > 0 && wrong >= 0 && (await this.#isSigned(n, signed))) {
      const what = wrong < leaves.length ? "not the entry that was signed" : "missing or cut short";
      this.#add(file, what, first + wrong);
      leaves = [...signed, ...leaves.slice(covered)];
    } else if (source?.whole === false) {
      this.#add(file, "something that is no entry follows", first + leaves.length);
    } else if (covered === TILE_WIDTH && leaves.length === TILE_WIDTH && file !== sealed) {
      this.#add(sealed, "missing: its entries are still in the journal", first);
    }
    for (const name of this.#expected("entries", n)) await this.#checkPartialBundle(name, leaves);
    return leaves;
  }

  /** Bundle `n`: sealed, or still a journal, which is renamed to the other at some moment. */
  async #readSource(n: number, covered: number): Promise<Source | undefined> {
    const sealed = tile.tilePath({ level: "entries", n, width: TILE_WIDTH });
    for (const path of [sealed, tile.journalPath(n), sealed]) {
      const bytes = await this.#read(path);
      if (bytes === undefined) continue;
      this.#left.delete(path);
      let count = 0;
      const { entries, end } = tile.splitBundle(bytes, (entry) => {
        count += 1;
        return count <= covered || path === sealed || isEntry(entry);
      });
      // Behind the checkpoint a torn end is what a power loss leaves: opening cuts it off.
      const mayBeTorn = path !== sealed && entries.length >= covered && entries.length < TILE_WIDTH;
      this.#findPrunings(entries.slice(0, covered), n * TILE_WIDTH);
      const whole = mayBeTorn || (end === bytes.length && entries.length <= TILE_WIDTH);
      return { path, leaves: entries.slice(0, TILE_WIDTH).map(leafHash), whole };
    }
    return undefined;
  }

  /** Takes note of prunings among `entries`, all of which a checkpoint covers. */
  #findPrunings(entries: readonly Buffer[], first: number): void {
    for (const [n, entry] of entries.entries()) {
      if (!entry.includes(RECORD)) continue;
      const pruning = pruningOf(decodeEvent(entry, first + n), first + n);
      if (pruning !== undefined) this.#prunings.push(pruning);
    }
  }

  /** Whether the checkpoint is another by now. */
  async hasGrown(): Promise<boolean> {
    return (
      (await readIfThere(join(this.#dir, tile.CHECKPOINT_FILE)))?.equals(
        this.#note ?? Buffer.alloc(0),
      ) === false
    );
  }

  /** Holds what is gone against what the prunings say. */
  async checkPruned(): Promise<void> {
    for (const { seq, ranges } of this.#prunings) {
      for (const range of ranges) {
        const root = await rootOf(range, (path) => this.#read(path));
        if (root === range.root) continue;
        this.#add(tile.PRUNED_FILE, `not the root of entries ${range.from}-${range.to - 1}`, seq);
      }
    }
    const all = this.#prunings.reduce<readonly Range[]>((so, one) => joinRanges(so, one.all), []);
    const isOnRecord = ({ from }: Range) => endOfRange(all, from) !== undefined;
    this.#pruned = joinRanges(this.#gone.filter(isOnRecord), []);
    for (const { from, to } of joinRanges(
      this.#gone.filter((range) => !isOnRecord(range)),
      [],
    )) {
      const file = tile.tilePath({ level: "entries", n: from / TILE_WIDTH, width: TILE_WIDTH });
      this.isOvertaken = true;
      this.#add(file, `entries ${from}-${to - 1} are missing, and no pruning is on record`, from);
    }
    this.#left.delete(tile.PRUNED_FILE);
    const pointer = parsePointer((await this.#read(tile.PRUNED_FILE))?.toString())?.seq;
    const pointed = this.#prunings.find(({ seq }) => seq === pointer)?.all;
    for (const { from } of this.#pruned) {
      if (endOfRange(pointed ?? [], from) !== undefined) continue;
      this.#add(tile.PRUNED_FILE, `does not lead to the pruning of entry ${from}`);
      break;
    }
  }

  /** Reports whether leaves `signed` of bundle `n` lead to what stands above them. */
  async #isSigned(n: number, signed: readonly Buffer[]): Promise<boolean> {
    const tree = new Frontier();
    tree.rows.push(...this.#tree.rows.map((row) => [...row]));
    tree.size = this.#tree.size;
    for (const leaf of signed) tree.append(leaf, () => undefined);
    if (tree.size === this.#size) return tree.root().equals(this.#root);
    const count = Math.floor(this.#size / TILE_WIDTH);
    const start = n - (n % TILE_WIDTH);
    const width = Math.min(count - start, TILE_WIDTH);
    const above = await this.#read(tile.tilePath({ level: 1, n: start / TILE_WIDTH, width }));
    const parent = splitHashes(above ?? Buffer.alloc(0))[n - start];
    return signed.length === TILE_WIDTH && parent?.equals(tileRoot(signed)) === true;
  }

  /** The names of the tiles at a place: those that are there, and those that the checkpoint needs. */
  #expected(level: number | "entries", n: number): readonly tile.TileName[] {
    const named = this.#named.get(`${level}/${n}`) ?? [];
    const partial = tile.partialTiles(this.#size).filter((t) => t.level === level && t.n === n);
    const ends = (n + 1) * TILE_WIDTH ** (level === "entries" ? 1 : level + 1);
    const needed = ends <= this.#size ? [{ level, n, width: TILE_WIDTH }] : partial;
    const all = [...named, ...needed].map((name) => [tile.tilePath(name), name] as const);
    return [...new Map(all).values()];
  }

  async #checkTile(right: FullTile): Promise<void> {
    for (const name of this.#expected(right.level, right.n)) {
      const path = tile.tilePath(name);
      const bytes = await this.#readTile(path, name);
      if (bytes === undefined) continue;
      const stored = splitHashes(bytes);
      const differs = stored.findIndex((hash, place) => right.hashes[place]?.equals(hash) !== true);
      if (differs < 0 && bytes.length === name.width * HASH_BYTES) continue;
      const place =
        right.n * TILE_WIDTH + (differs < 0 ? Math.min(stored.length, name.width) : differs);
      this.#add(path, "not the hashes of the entries", place * TILE_WIDTH ** right.level);
    }
  }

  async #checkPartialBundle(name: tile.TileName, leaves: readonly Buffer[]): Promise<void> {
    if (name.width === TILE_WIDTH) return; // That is where `leaves` are from.
    const path = tile.tilePath(name);
    const bytes = await this.#readTile(path, name);
    if (bytes === undefined) return;
    const { entries, end } = tile.splitBundle(bytes, () => true);
    const right = leaves.slice(0, name.width);
    const differs = right.findIndex((leaf, n) => {
      const entry = entries[n];
      return entry === undefined || !leafHash(entry).equals(leaf);
    });
    if (differs < 0 && end === bytes.length && entries.length === name.width) return;
    this.#add(path, "not the entries", name.n * TILE_WIDTH + (differs < 0 ? name.width : differs));
  }

  /** A tile's bytes; where it is gone, that is a problem only if the checkpoint needs it. */
  async #readTile(path: string, name: tile.TileName): Promise<Buffer | undefined> {
    this.#left.delete(path);
    const bytes = await this.#read(path);
    const needed =
      name.width === TILE_WIDTH ||
      tile.partialTiles(this.#size).some((t) => tile.tilePath(t) === path);
    if (bytes === undefined && needed) this.#add(path, "missing");
    return bytes;
  }

  async checkLeftFiles(): Promise<void> {
    for (const path of this.#left) {
      if ((await this.#read(path)) !== undefined) this.#add(path, "no file of this log's");
    }
  }
}
