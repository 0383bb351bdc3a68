/**
 * The index in its thread: it takes entries in from the ledger's folder and answers what is asked of those it has.
 *
 * Everything is synchronous; what may take long is a generator, which yields where the thread may look whether it is still
 * wanted. What a search costs in memory is a byte an entry while it runs; columns cost 21 (docs/decisions/0426).
 *
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { EVENT_TYPES, type Event } from "../../action/index.ts";
import type { Entry, Facets, RecordQuery, RecordRow } from "../../api/index.ts";
import { Fault } from "../../base/index.ts";
import { decodeEvent, leafHash, prunedFault, type LedgerReader } from "../../ledger/index.ts";
import { factsSchema, KnownRuns } from "../now/index.ts";
import { Columns } from "./columns.ts";
import { rowOf } from "./row.ts";
import { ResultSets, type ResultSet } from "./sets.ts";
import { removeStore, Store, type Covered } from "./store.ts";
import { termsOf, textOf } from "./words.ts";

/** Entries that are filtered between two looks at what else there is to do. */
const FILTERED_AT_ONCE = 262_144;
/** Where the index lies in the home. */
export const INDEX_FILE = join("console", "index.db");

/** What a search gave; numbers ascend. */
export type Result = Pick<ResultSet, "count" | "slice" | "locate" | "each">;

// The ledger has checked them when it wrote them; here only what the columns stand on.
const eventShape = z.looseObject({ type: z.enum(EVENT_TYPES), at: z.string() });

export class RecordIndex {
  readonly #reader: LedgerReader;
  readonly #store: Store;
  readonly #columns = new Columns();
  readonly #sets = new ResultSets();
  readonly #ledger: string;
  /** The newest pruning when this index was begun. */
  readonly #pruning: number;
  readonly runs = new KnownRuns();
  #first = "";
  #last = "";
  #committed = 0;

  private constructor(reader: LedgerReader, store: Store, covered: Covered | undefined) {
    this.#reader = reader;
    this.#store = store;
    this.#ledger = covered?.ledger ?? reader.verifierKey;
    this.#pruning = covered?.pruning ?? pruningIn(reader);
    if (covered === undefined) return;
    store.load(this.#columns, covered.size);
    for (const card of store.cards()) this.runs.put(factsSchema.parse(JSON.parse(card)));
    this.#first = covered.first;
    this.#last = covered.last;
    this.#committed = covered.size;
  }

  /**
   * Opens the index at `path`. Where it is none, is damaged or does not fit the ledger, a new one takes its place; where
   * another console has it, or nothing can be written there, one that goes with this process; so with an empty `path`.
   */
  static open(reader: LedgerReader, path: string): RecordIndex {
    try {
      return RecordIndex.#openKept(reader, path);
    } catch (error) {
      if (isBusy(error)) return RecordIndex.#openOwn(reader);
    }
    try {
      removeStore(path); // It holds nothing that the ledger does not hold.
      return new RecordIndex(reader, new Store(path), undefined);
    } catch {
      return RecordIndex.#openOwn(reader); // A disk that takes nothing: searching goes on.
    }
  }

  static #openOwn(reader: LedgerReader): RecordIndex {
    return new RecordIndex(reader, new Store(""), undefined);
  }

  static #openKept(reader: LedgerReader, path: string): RecordIndex {
    const store = new Store(path);
    try {
      const { covered } = store;
      if (covered !== undefined && !fits(reader, covered)) throw new Error("of another ledger");
      return new RecordIndex(reader, store, covered);
    } catch (error) {
      store.close();
      throw error;
    }
  }

  /** Entries that can be found. */
  get size(): number {
    return this.#columns.size;
  }

  /** Whether the ledger still is what was taken in: a power loss takes entries back, and a person may put another there. */
  get fits(): boolean {
    return fits(this.#reader, this.#covered());
  }

  /**
   * Takes in what the ledger holds next, at most a bundle; returns how many entries that were.
   *
   * @throws {Fault} `ledger.corrupt`
   */
  advance(): number {
    this.#columns.skipTo(this.#reader.next(this.size));
    const entries = this.#reader.from(this.size);
    for (const bytes of entries) {
      const seq = this.size;
      const event = eventOf(bytes, seq);
      this.#store.addWords(seq, textOf(event));
      this.#columns.push(event);
      this.runs.take({ seq, ...event });
    }
    const last = entries.at(-1);
    if (this.#first === "" && last !== undefined) this.#first = this.#reader.leaf(0) ?? "";
    if (last !== undefined) this.#last = leafOf(last);
    return entries.length;
  }

  /** Keeps what was taken in. */
  commit(): void {
    if (this.uncommitted === 0) return;
    const cards = this.runs
      .since(this.#committed)
      .map((facts) => [facts.run, JSON.stringify(facts)] as const);
    const kept = this.runs.all().map(({ run }) => run);
    this.#store.commit(this.#columns, this.#covered(), cards, kept);
    this.#committed = this.size;
  }

  get uncommitted(): number {
    return this.size - this.#committed;
  }

  /** All that matches `query`; nothing else is asked before it has ended. @throws {Fault} `console.query` */
  *find(query: RecordQuery): Generator<void, Result> {
    const { size } = this;
    const terms = termsOf(query.text ?? "");
    const isAll = terms.length === 0 && CHOOSING.every((name) => query[name] === undefined);
    if (isAll && this.#pruning < 0) {
      return rangeOf(query, size);
    }
    const set = this.#sets.take(keyOf(query));
    const from = set.covered;
    if (from === size) return set;
    const marks = new Uint8Array(terms.length === 0 ? 0 : size - from);
    for (const [n, term] of terms.entries()) {
      for (const seq of this.#store.withTerm(term, from)) {
        if (marks[seq - from] === n) marks[seq - from] = n + 1;
      }
      yield;
    }
    // Taken at once: whoever asked may go in between, and a set is never half grown.
    const found: number[] = [];
    for (let start = from; start < size; start += FILTERED_AT_ONCE) {
      const end = Math.min(start + FILTERED_AT_ONCE, size);
      this.#columns.match(query, start, end, (seq) => {
        if (terms.length === 0 || marks[seq - from] === terms.length) found.push(seq);
      });
      yield;
    }
    for (const seq of found) set.push(seq);
    set.covered = size;
    this.#sets.trim();
    return set;
  }

  facets(result: Result): Omit<Facets, "count" | "size"> {
    return this.#columns.facets((take) => result.each(take));
  }

  row(seq: number): RecordRow {
    return rowOf(seq, eventOf(this.#bytes(seq), seq));
  }

  /** @throws {Fault} `console.no_such_entry` */
  entry(seq: number): { readonly entry: Entry; readonly bytes: number } {
    const bytes = this.#bytes(seq);
    return { entry: { seq, ...decodeEvent(bytes, seq) }, bytes: bytes.length };
  }

  close(): void {
    this.#store.close();
  }

  #bytes(seq: number): Buffer {
    const bytes = this.#reader.entry(seq);
    if (bytes !== undefined) return bytes;
    const { pruning } = this.#reader;
    if (pruning !== undefined && this.#reader.next(seq) !== seq) throw prunedFault(seq, pruning);
    throw new Fault("console.no_such_entry", `the record has no entry ${seq}`, {
      hint: `its last one is ${this.size - 1}`,
    });
  }

  #covered(): Covered {
    const [ledger, first, last] = [this.#ledger, this.#first, this.#last];
    return { size: this.size, ledger, first, last, pruning: this.#pruning };
  }
}

function leafOf(bytes: Buffer): string {
  return leafHash(bytes).toString("hex");
}

function eventOf(bytes: Buffer, seq: number): Event {
  const value: unknown = JSON.parse(bytes.toString());
  if (eventShape.safeParse(value).success) return value as Event;
  throw new Fault("ledger.corrupt", `entry ${seq} is no event`, { hint: "run `cofferdam verify`" });
}

/** The entry of the newest pruning, -1 where there is none. */
function pruningIn(reader: LedgerReader): number {
  return reader.pruning?.seq ?? -1;
}

function fits(reader: LedgerReader, { size, ledger, first, last, pruning }: Covered): boolean {
  if (ledger !== reader.verifierKey || pruning !== pruningIn(reader)) return false;
  return size === 0 || (reader.leaf(0) === first && reader.leaf(size - 1) === last);
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === 5; // SQLITE_BUSY
}

/** Members of a query that choose among the entries of a range. */
const CHOOSING = [
  "run",
  "type",
  "verdict",
  "system",
  "effect",
  "finding",
  "since",
  "until",
] as const;

/** All entries of a range: a result that nobody needs to keep. */
function rangeOf({ from = 0, to = Infinity }: RecordQuery, size: number): Result {
  const start = Math.min(from, size);
  const end = Math.max(start, Math.min(to, size));
  return {
    count: end - start,
    slice: (low, high) => {
      const length = Math.max(0, Math.min(high, end - start) - low);
      return Array.from({ length }, (_, n) => start + low + n);
    },
    locate: (seq) => Math.max(0, Math.min(seq, end) - start),
    each: (take) => {
      for (let seq = start; seq < end; seq += 1) take(seq);
    },
  };
}

/** Queries that ask the same have the same key. */
function keyOf(query: RecordQuery): string {
  const members = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(members.map(([name, value]) => [name, [value].flat().toSorted()]));
}
