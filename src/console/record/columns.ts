/**
 * What entries are filtered by, a column for each member: 21 bytes an entry, so that a million of them is
 * looked through in some ten milliseconds.
 *
 *   at       f64   milliseconds since the epoch
 *   run      u32   number of the name; 0 is none
 *   system   u32
 *   effects  u16   a bit for each
 *   type     u8    place in EVENT_TYPES; verdict and finding count from 1, 0 is none
 *   verdict  u8
 *   finding  u8
 *
 * A chunk of rows is one buffer, and stands in the index as it is.
 *
 * @module
 */
import { EFFECTS, EVENT_TYPES, FINDING_KINDS, VERDICTS, type Event } from "../../action/index.ts";
import type { Facets, RecordQuery } from "../../api/index.ts";
import { assert } from "../../base/index.ts";
import { effectsOf, findingOf } from "./row.ts";

/** Rows of a chunk. */
export const CHUNK_ROWS = 4096;
const ROW_BYTES = 21;
const FACET_VALUES_MAX = 200;
/** The type of a row that stands for nothing. */
const ABSENT = 255;

interface Chunk {
  readonly bytes: Uint8Array;
  readonly at: Float64Array;
  readonly run: Uint32Array;
  readonly system: Uint32Array;
  readonly effects: Uint16Array;
  readonly type: Uint8Array;
  readonly verdict: Uint8Array;
  readonly finding: Uint8Array;
}

/** Numbers for names, in the order in which they came. */
export class Names {
  readonly list: string[] = [];
  readonly #numbers = new Map<string, number>();

  /** 0 for none; else its place in `list`, from 1. */
  take(name: string | undefined): number {
    if (name === undefined) return 0;
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.list.push(name);
    this.#numbers.set(name, this.list.length);
    return this.list.length;
  }

  find(name: string): number | undefined {
    return this.#numbers.get(name);
  }
}

/** The columns of all entries so far. */
export class Columns {
  size = 0;
  readonly runs = new Names();
  readonly systems = new Names();
  readonly #chunks: Chunk[] = [];

  push(event: Event): void {
    const place = this.size % CHUNK_ROWS;
    if (place === 0) this.#chunks.push(chunkOf(new Uint8Array(CHUNK_ROWS * ROW_BYTES)));
    const chunk = this.#chunk(this.#chunks.length - 1);
    chunk.at[place] = Date.parse(event.at);
    chunk.run[place] = this.runs.take(event.run);
    chunk.system[place] = this.systems.take(event.system);
    chunk.effects[place] = effectsOf(event).reduce((bits, one) => bits | bitOf(EFFECTS, one), 0);
    chunk.type[place] = numberIn(EVENT_TYPES, event.type);
    chunk.verdict[place] = numberIn(VERDICTS, event.verdict);
    chunk.finding[place] = numberIn(FINDING_KINDS, findingOf(event));
    this.size += 1;
  }

  /** Rows of entries whose content was pruned, up to `size`: they have no type, and nothing matches them. */
  skipTo(size: number): void {
    for (; this.size < size; this.size += 1) {
      const place = this.size % CHUNK_ROWS;
      if (place === 0) this.#chunks.push(chunkOf(new Uint8Array(CHUNK_ROWS * ROW_BYTES)));
      this.#chunk(this.#chunks.length - 1).type[place] = ABSENT;
    }
  }

  /** The buffer of chunk `n`, whole. */
  bytes(n: number): Uint8Array {
    return this.#chunk(n).bytes;
  }

  /** Takes a buffer back that {@link bytes} gave, with its first `rows` rows. */
  restore(bytes: Uint8Array, rows: number): void {
    assert(bytes.length === CHUNK_ROWS * ROW_BYTES, "a chunk has another length");
    this.#chunks.push(chunkOf(Uint8Array.from(bytes)));
    this.size += rows;
  }

  /** Calls `take` with each of the rows `from` to before `to` that matches, in order. */
  match(query: RecordQuery, from: number, to: number, take: (seq: number) => void): void {
    const test = this.#testOf(query);
    const [start, end] = [Math.max(from, query.from ?? 0), Math.min(to, query.to ?? Infinity)];
    for (let seq = start; seq < end;) {
      const chunk = this.#chunk(Math.floor(seq / CHUNK_ROWS));
      const stop = Math.min(end, seq - (seq % CHUNK_ROWS) + CHUNK_ROWS);
      for (; seq < stop; seq += 1) if (test(chunk, seq % CHUNK_ROWS)) take(seq);
    }
  }

  /** How many of the rows that `each` gives have which value. */
  facets(each: (take: (seq: number) => void) => void): Omit<Facets, "count" | "size"> {
    const counts = {
      type: new Float64Array(EVENT_TYPES.length + 1),
      verdict: new Float64Array(VERDICTS.length + 1),
      finding: new Float64Array(FINDING_KINDS.length + 1),
      run: new Float64Array(this.runs.list.length + 1),
      system: new Float64Array(this.systems.list.length + 1),
    };
    const effects = new Float64Array(1 << EFFECTS.length);
    each((seq) => {
      const chunk = this.#chunk(Math.floor(seq / CHUNK_ROWS));
      const place = seq % CHUNK_ROWS;
      for (const name of COUNTED) add(counts[name], chunk[name][place]);
      add(effects, chunk.effects[place]);
    });
    const byEffect = EFFECTS.map((_, bit) =>
      effects.reduce((sum, count, bits) => ((bits & (1 << bit)) === 0 ? sum : sum + count), 0),
    );
    return {
      type: facetOf(EVENT_TYPES, counts.type.subarray(1)),
      verdict: facetOf(VERDICTS, counts.verdict.subarray(1)),
      finding: facetOf(FINDING_KINDS, counts.finding.subarray(1)),
      run: facetOf(this.runs.list, counts.run.subarray(1)),
      system: facetOf(this.systems.list, counts.system.subarray(1)),
      effect: facetOf(EFFECTS, byEffect),
    };
  }

  #chunk(n: number): Chunk {
    const chunk = this.#chunks[n];
    assert(chunk, "a chunk is missing");
    return chunk;
  }

  #testOf(query: RecordQuery): (chunk: Chunk, place: number) => boolean {
    const tests = [(chunk: Chunk, place: number) => chunk.type[place] !== ABSENT];
    const among = (name: (typeof COUNTED)[number], numbers: readonly number[]) => {
      const wanted = new Set(numbers);
      tests.push((chunk, place) => wanted.has(chunk[name][place] ?? 0));
    };
    if (query.type) among("type", numbersIn(EVENT_TYPES, query.type));
    if (query.verdict) among("verdict", numbersIn(VERDICTS, query.verdict));
    if (query.finding) among("finding", numbersIn(FINDING_KINDS, query.finding));
    // A name that no entry has yet has no number, and so nothing matches.
    if (query.run) among("run", known(this.runs, query.run));
    if (query.system) among("system", known(this.systems, query.system));
    if (query.effect) {
      const bits = query.effect.reduce((sum, one) => sum | bitOf(EFFECTS, one), 0);
      tests.push((chunk, place) => ((chunk.effects[place] ?? 0) & bits) !== 0);
    }
    const { since, until } = query;
    if (since !== undefined) {
      const ms = Date.parse(since);
      tests.push((chunk, place) => (chunk.at[place] ?? 0) >= ms);
    }
    if (until !== undefined) {
      const ms = Date.parse(until);
      tests.push((chunk, place) => (chunk.at[place] ?? 0) < ms);
    }
    return (chunk, place) => tests.every((test) => test(chunk, place));
  }
}

const COUNTED = ["type", "verdict", "finding", "run", "system"] as const;

function chunkOf(bytes: Uint8Array): Chunk {
  const { buffer } = bytes;
  assert(buffer instanceof ArrayBuffer && bytes.byteOffset === 0, "a chunk stands alone");
  const rows = CHUNK_ROWS;
  return {
    bytes,
    at: new Float64Array(buffer, 0, rows),
    run: new Uint32Array(buffer, 8 * rows, rows),
    system: new Uint32Array(buffer, 12 * rows, rows),
    effects: new Uint16Array(buffer, 16 * rows, rows),
    type: new Uint8Array(buffer, 18 * rows, rows),
    verdict: new Uint8Array(buffer, 19 * rows, rows),
    finding: new Uint8Array(buffer, 20 * rows, rows),
  };
}

/** From 1; 0 is none, and what a later version named. */
function numberIn(list: readonly string[], value: string | undefined): number {
  return value === undefined ? 0 : list.indexOf(value) + 1;
}

function numbersIn(list: readonly string[], values: readonly string[]): readonly number[] {
  return values.map((value) => numberIn(list, value));
}

function known(names: Names, values: readonly string[]): readonly number[] {
  return values.map((value) => names.find(value)).filter((number) => number !== undefined);
}

function bitOf(list: readonly string[], value: string): number {
  return 1 << list.indexOf(value);
}

function add(counts: Float64Array, number: number | undefined): void {
  counts[number ?? 0] = (counts[number ?? 0] ?? 0) + 1;
}

function facetOf(
  names: readonly string[],
  counts: ArrayLike<number>,
): Readonly<Record<string, number>> {
  const found = names.map((name, n) => [name, counts[n] ?? 0] as const).filter(([, n]) => n > 0);
  return Object.fromEntries(found.sort((a, b) => b[1] - a[1]).slice(0, FACET_VALUES_MAX));
}
