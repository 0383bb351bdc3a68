/**
 * The rows of a result, at any depth: pieces of it are asked for where one looks, and kept for a while. A place in a result
 * never moves while the record grows, so a piece that is full stays true.
 *
 * @module
 */
import { useEffect, useMemo, useReducer } from "react";
import type { RecordQuery, RecordRow } from "../../../src/api/index.ts";
import { ask } from "../../calls/index.ts";

const PIECE_ROWS = 200;
const PIECES_MAX = 60;

export function useRows(query: RecordQuery): Rows {
  const [, redraw] = useReducer((turn: number) => turn + 1, 0);
  const key = JSON.stringify(query);
  const rows = useMemo(() => new Rows(JSON.parse(key) as RecordQuery, redraw), [key]);
  useEffect(() => () => rows.leave(), [rows]);
  return rows;
}

export class Rows {
  readonly #query: RecordQuery;
  readonly #changed: () => void;
  /** In the order in which they were last wanted. */
  readonly #pieces = new Map<number, readonly RecordRow[]>();
  readonly #asked = new Map<number, AbortController>();
  failure: unknown;

  constructor(query: RecordQuery, changed: () => void) {
    this.#query = query;
    this.#changed = changed;
  }

  at(offset: number): RecordRow | undefined {
    return this.#pieces.get(Math.floor(offset / PIECE_ROWS))?.[offset % PIECE_ROWS];
  }

  /** Sees to it that places `first` to `last` are there; what was asked for elsewhere is given up. */
  want(first: number, last: number): void {
    const [from, to] = [Math.floor(first / PIECE_ROWS), Math.floor(last / PIECE_ROWS)];
    for (const [piece, ending] of this.#asked) if (piece < from || piece > to) ending.abort();
    for (let piece = from; piece <= to; piece += 1) {
      const rows = this.#pieces.get(piece);
      const needed = Math.min(last - piece * PIECE_ROWS, PIECE_ROWS - 1);
      if (rows !== undefined) {
        this.#pieces.delete(piece);
        this.#pieces.set(piece, rows);
      }
      if ((rows?.length ?? 0) <= needed && !this.#asked.has(piece)) void this.#fetch(piece);
    }
  }

  leave(): void {
    for (const ending of this.#asked.values()) ending.abort();
  }

  async #fetch(piece: number): Promise<void> {
    const ending = new AbortController();
    this.#asked.set(piece, ending);
    try {
      const asks = { query: this.#query, offset: piece * PIECE_ROWS, limit: PIECE_ROWS };
      const { rows } = await ask("ledger.page", asks, ending.signal);
      this.#pieces.set(piece, rows);
      for (const old of this.#pieces.keys()) {
        if (this.#pieces.size <= PIECES_MAX) break;
        this.#pieces.delete(old);
      }
      this.failure = undefined;
    } catch (error) {
      if (!ending.signal.aborted) this.failure = error;
    } finally {
      this.#asked.delete(piece);
      if (!ending.signal.aborted) this.#changed();
    }
  }
}
