/**
 * The record as the console searches it: an index beside the ledger, made and followed in a thread of its own.
 *
 * The index (`console/index.db` in the home) holds nothing that the ledger does not hold and is thrown away
 * where it does not fit it. Entries themselves are always read from the ledger's folder, by number.
 *
 * @module
 */
import type {
  Entry,
  Facets,
  Found,
  RecordQuery,
  RecordRow,
  RecordStatus,
} from "../../api/index.ts";

import type { RunFacts } from "../now/index.ts";

export type { Facets, Found, RecordQuery, RecordRow, RecordStatus };

/** A piece of a result, in ascending order; `rows.length` is less than asked for only at its end. */
export interface Page extends Found {
  readonly rows: readonly RecordRow[];
}

/**
 * The searchable record. Every answer is of the entries that are indexed by then, which is all but the last
 * fraction of a second; while an index is first made, `status()` says how far it is.
 *
 * @throws {Fault} `console.record` where the index or the ledger cannot be read; `console.record_busy` where
 *   too many questions wait; an AbortError where `signal` says so.
 */
export interface Record {
  status(): RecordStatus;
  /** How much matches. */
  search(query: RecordQuery, signal?: AbortSignal): Promise<Found>;
  /** Rows `offset` to before `offset + limit` of what matches: as quick at any depth. */
  page(
    query: RecordQuery,
    at: { readonly offset: number; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<Page>;
  /** The place in the result of the first match whose number is not below `seq`. */
  locate(query: RecordQuery, seq: number, signal?: AbortSignal): Promise<number>;
  facets(query: RecordQuery, signal?: AbortSignal): Promise<Facets>;
  /** One entry, whole. @throws {Fault} `console.no_such_entry` */
  entry(seq: number): Promise<Entry>;
  /**
   * All that matches, whole and in order, in batches of at most 256, from entry `from` on: for a run's timeline and for
   * exports.
   */
  entries(query: RecordQuery, signal?: AbortSignal, from?: number): AsyncIterable<readonly Entry[]>;
  /** What the record says of runs: all that live, and those that ended last. */
  runs(): readonly RunFacts[];
  /** The ledger has grown to `size` entries; where it `isOpened` anew, it is looked whether it still is the same. */
  grown(size: number, isOpened?: boolean): void;
  /** Calls `listener` with the number of entries that can be found, whenever it grows, at most four times a second; returns the way to stop that. */
  onGrowth(listener: (indexed: number) => void): () => void;
  close(): Promise<void>;
}

/** Where the record lies. */
export interface RecordOptions {
  /** The home's root: the ledger is in `ledger/`, the index in `console/`. */
  readonly root: string;
}

export { openRecord } from "./record.ts";
