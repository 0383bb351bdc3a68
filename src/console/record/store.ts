/**
 * The index on disk: one SQLite file that can be thrown away at any time, and is, where it does not fit the ledger.
 *
 * It holds words (FTS5, without the text that they are of), the columns as they stand in memory, names, and the cards of
 * runs. All that a transaction says fits together, so a console that was killed goes on where its last commit was.
 *
 * @module
 */
import { chmodSync, closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { z } from "zod";
import { Columns, CHUNK_ROWS, type Names } from "./columns.ts";
import { TOKENIZER } from "./words.ts";

/** Another form, or another way to fill it: what stands in an older file is made anew. */
const VERSION = 3;

const SCHEMA = `
CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='${TOKENIZER}');
CREATE TABLE chunks (n INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
CREATE TABLE names (kind TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (kind, number)) STRICT;
CREATE TABLE cards (run TEXT PRIMARY KEY, card TEXT NOT NULL) STRICT;
CREATE TABLE covered (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, ledger TEXT NOT NULL,
  first TEXT NOT NULL, last TEXT NOT NULL, pruning INTEGER NOT NULL) STRICT;
PRAGMA user_version = ${VERSION};
`;

/** Which entries an index covers, so that it can be held against a ledger. */
const coveredSchema = z.object({
  size: z.int().nonnegative(),
  /** The ledger's verifier key. */
  ledger: z.string(),
  /** Hashes of the first and the last entry, as leaves; empty where there is none. */
  first: z.string(),
  last: z.string(),
  /** The newest pruning when it was begun: what is pruned since goes from the index as well. */
  pruning: z.int(),
});
export type Covered = z.infer<typeof coveredSchema>;

const NAMES = ["runs", "systems"] as const;

/** An open index. Writes wait in one transaction until {@link Store.commit}. */
export class Store {
  readonly #db: DatabaseSync;
  readonly #known = new Map<string, StatementSync>();
  /** How much of the columns is on disk. */
  readonly #saved = { rows: 0, runs: 0, systems: 0 };

  /** @throws what SQLite throws where the file is none of ours, damaged, or another process has it. */
  constructor(path: string) {
    if (path !== "") {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      closeSync(openSync(path, "a", 0o600)); // SQLite makes its other files with the mode of the first.
      chmodSync(path, 0o600);
    }
    this.#db = new DatabaseSync(path);
    try {
      // NORMAL: after a power loss the file is whole, and perhaps some commits behind.
      this.#db.exec(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; PRAGMA journal_size_limit = 67108864",
      );
      const { user_version: version } = this.#db.prepare("PRAGMA user_version").get() ?? {};
      if (version === 0) this.#db.exec(SCHEMA);
      else if (version !== VERSION) throw new Error(`an index of version ${String(version)}`);
      this.#db.exec("BEGIN");
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** What it covers; nothing in a new one. */
  get covered(): Covered | undefined {
    const row = this.#run("SELECT size, ledger, first, last, pruning FROM covered").get();
    return row === undefined ? undefined : coveredSchema.parse(row);
  }

  /** Puts the columns of `size` entries back. */
  load(columns: Columns, size: number): void {
    for (const kind of NAMES) {
      const rows = this.#run("SELECT name FROM names WHERE kind = ? ORDER BY number").all(kind);
      for (const { name } of rows) columns[kind].take(String(name));
      this.#saved[kind] = rows.length;
    }
    for (const { bytes } of this.#run("SELECT bytes FROM chunks ORDER BY n").iterate()) {
      if (!(bytes instanceof Uint8Array)) throw new Error("a chunk is no blob");
      columns.restore(bytes, Math.min(CHUNK_ROWS, size - columns.size));
    }
    if (columns.size !== size) throw new Error(`columns of ${columns.size} entries, not ${size}`);
    this.#saved.rows = size;
  }

  *cards(): Iterable<string> {
    for (const { card } of this.#run("SELECT card FROM cards").iterate()) yield String(card);
  }

  addWords(seq: number, text: string): void {
    this.#run("INSERT INTO words (rowid, text) VALUES (?, ?)").run(seq, text);
  }

  /** Numbers of the entries with what `term` asks for, in order. */
  withTerm(term: string, from: number): readonly number[] {
    // One text of all numbers: a row of its own for each takes five times as long.
    const found = this.#run(
      "SELECT json_group_array(rowid) AS found FROM words WHERE words MATCH ? AND rowid >= ?",
    ).get(term, from);
    return z.array(z.number()).parse(JSON.parse(String(found?.["found"])));
  }

  /** Keeps all of it: words that were added, the columns since the last time, and `cards`; none but of runs `kept`. */
  commit(
    columns: Columns,
    covered: Covered,
    cards: Iterable<readonly [run: string, card: string]>,
    kept: readonly string[],
  ): void {
    for (let n = Math.floor(this.#saved.rows / CHUNK_ROWS); n * CHUNK_ROWS < columns.size; n += 1) {
      this.#run("INSERT OR REPLACE INTO chunks (n, bytes) VALUES (?, ?)").run(n, columns.bytes(n));
    }
    for (const kind of NAMES) this.#saveNames(kind, columns[kind]);
    for (const [run, card] of cards) {
      this.#run("INSERT OR REPLACE INTO cards (run, card) VALUES (?, ?)").run(run, card);
    }
    this.#run("DELETE FROM cards WHERE run NOT IN (SELECT value FROM json_each(?))").run(
      JSON.stringify(kept),
    );
    const { size, ledger, first, last, pruning } = covered;
    this.#run(
      "INSERT OR REPLACE INTO covered (one, size, ledger, first, last, pruning) VALUES (1, ?, ?, ?, ?, ?)",
    ).run(size, ledger, first, last, pruning);
    this.#db.exec("COMMIT");
    this.#db.exec("BEGIN");
    this.#saved.rows = columns.size;
  }

  close(): void {
    this.#db.close();
  }

  #saveNames(kind: (typeof NAMES)[number], { list }: Names): void {
    for (const [n, name] of list.slice(this.#saved[kind]).entries()) {
      const number = this.#saved[kind] + n + 1;
      this.#run("INSERT INTO names (kind, number, name) VALUES (?, ?, ?)").run(kind, number, name);
    }
    this.#saved[kind] = list.length;
  }

  #run(sql: string): StatementSync {
    const known = this.#known.get(sql) ?? this.#db.prepare(sql);
    this.#known.set(sql, known);
    return known;
  }
}

/** Throws the index at `path` away. */
export function removeStore(path: string): void {
  for (const end of ["", "-wal", "-shm", "-journal"]) rmSync(`${path}${end}`, { force: true });
}
