/**
 * What is watched, on disk: approvals whose effect lies ahead, what stood there, and what is to be done about
 * it. One SQLite file, each change on disk before anything follows from it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Json } from "../action/index.ts";
import { describeError, Fault, openOwnDatabase, type DatabaseForm } from "../base/index.ts";

/** What is kept of a compared value beside its hash, to be shown. */
const SHOWN_CHARS_MAX = 120;

export const WATCH_STATES = [
  "sending", // the request may be under way; nobody knows yet what it left
  "answered", // the system answered: what stands there is read now
  "waiting", // what stood there is kept, and compared at its time
  "stopping", // `why` it is stopped is settled; `tries` is how often that may have been sent
  "told", // `why` is what came of it, to be told; then it is over
] as const;
export type WatchState = (typeof WATCH_STATES)[number];

/** A value that is compared: its hash, and as much of it as can be shown. */
export interface KeptValue {
  readonly sha256: string;
  readonly shown: string;
}

export type Kept = Readonly<Record<string, KeptValue>>;

/** One approval that is watched. */
export interface Watch {
  /** The approval's id. */
  readonly id: string;
  readonly state: WatchState;
  /** What its answer said of where it is. */
  readonly answer: Json;
  /** What it is about: a later approval of the same takes its place. Empty while that is not known. */
  readonly thing: string;
  readonly kept: Kept;
  /** When it takes effect, and when it is looked at next. */
  readonly dueMs: number;
  readonly nextMs: number;
  /** How often it was compared before its time. */
  readonly looks: number;
  readonly tries: number;
  readonly why: string;
  /** What became of it, in a word. */
  readonly end: string;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS watches (
  id TEXT PRIMARY KEY, state TEXT NOT NULL, answer TEXT NOT NULL, thing TEXT NOT NULL, kept TEXT NOT NULL,
  due INTEGER NOT NULL, next INTEGER NOT NULL, looks INTEGER NOT NULL, tries INTEGER NOT NULL, why TEXT NOT NULL,
  end TEXT NOT NULL
) STRICT;
`;

const formOf = (file: string): DatabaseForm => ({
  steps: [SCHEMA],
  fault: (why, cause) =>
    new Fault("daemon.watches", `what takes effect later cannot be kept in ${file}: ${why}`, {
      cause,
      hint: "nothing that was approved is performed until it can; look at what that file is",
    }),
});

const NEW: Omit<Watch, "id"> = {
  state: "sending",
  ...{ answer: {}, thing: "", kept: {}, dueMs: 0, nextMs: 0, looks: 0, tries: 0, why: "", end: "" },
};

export class WatchStore {
  readonly #db: DatabaseSync;

  /** @throws {Fault} `daemon.watches` */
  constructor(file: string) {
    this.#db = openOwnDatabase(file, formOf(file));
  }

  /** The database, to be copied. */
  get database(): DatabaseSync {
    return this.#db;
  }

  /** @throws {Fault} `daemon.watches` where it cannot be written: then nothing may be sent. */
  add(id: string, thing: string): void {
    this.#put({ ...NEW, id, thing });
  }

  get(id: string): Watch | undefined {
    return this.#all("WHERE id = ?", id)[0];
  }

  list(): readonly Watch[] {
    return this.#all("ORDER BY next, id");
  }

  /** Others about the same thing. */
  about(thing: string, id: string): readonly Watch[] {
    return this.#all("WHERE thing = ? AND id <> ?", thing, id);
  }

  /** @throws {Fault} `daemon.watches` */
  change(watch: Watch, change: Partial<Omit<Watch, "id">>): Watch {
    const changed = { ...watch, ...change };
    this.#put(changed);
    return changed;
  }

  remove(id: string): void {
    this.#run("DELETE FROM watches WHERE id = ?", id);
  }

  close(): void {
    this.#db.close();
  }

  #put(watch: Watch): void {
    const { id, state, answer, thing, kept, dueMs, nextMs, looks, tries, why, end } = watch;
    this.#run(
      "INSERT OR REPLACE INTO watches VALUES (?,?,?,?,?,?,?,?,?,?,?)",
      ...[id, state, JSON.stringify(answer), thing, JSON.stringify(kept)],
      ...[dueMs, nextMs, looks, tries, why, end],
    );
  }

  #all(where: string, ...values: readonly string[]): readonly Watch[] {
    const rows = this.#db.prepare(`SELECT * FROM watches ${where}`).all(...values);
    return rows.map((row) => {
      const text = (name: string) => String(row[name]);
      const number = (name: string) => Number(row[name]);
      return {
        id: text("id"),
        state: text("state") as WatchState,
        answer: JSON.parse(text("answer")) as Json,
        thing: text("thing"),
        kept: JSON.parse(text("kept")) as Kept,
        dueMs: number("due"),
        nextMs: number("next"),
        looks: number("looks"),
        tries: number("tries"),
        why: text("why"),
        end: text("end"),
      };
    });
  }

  #run(sql: string, ...values: readonly (string | number)[]): void {
    try {
      this.#db.prepare(sql).run(...values);
    } catch (cause) {
      throw new Fault("daemon.watches", `cannot be written down: ${describeError(cause)}`, {
        cause,
        hint: "see to the disk that holds Cofferdam's home",
      });
    }
  }
}

/** `values` as they are kept. */
export function keep(values: Readonly<Record<string, string>>): Kept {
  return Object.fromEntries(
    Object.entries(values).map(([name, text]) => {
      const sha256 = createHash("sha256").update(text).digest("hex");
      const shown = text.slice(0, SHOWN_CHARS_MAX).toWellFormed();
      return [name, { sha256, shown: shown === text ? text : `${shown}...` }];
    }),
  );
}

/** What differs between what is kept and `now`, each a part of a sentence; `isSecret` names are not shown. */
export function changesSince(
  kept: Kept,
  now: Kept,
  isSecret: (name: string) => boolean,
): readonly string[] {
  const names = new Set([...Object.keys(kept), ...Object.keys(now)]);
  return [...names].flatMap((name) => {
    const [was, is] = [kept[name], now[name]];
    if (was?.sha256 === is?.sha256) return [];
    if (isSecret(name)) return [`${name} is another`];
    return [`${name} was ${was?.shown || "not there"} and is ${is?.shown || "not there"}`];
  });
}
