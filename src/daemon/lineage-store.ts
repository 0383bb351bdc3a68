/**
 * What is kept of lineages, on disk: which stand still, what each has used up, and which names one secret has
 * (docs/decisions/0447, 0448). No daemon that comes later has any of it anew.
 *
 * Counts are written ahead: the file says more than was used, by a small part of the budget at most, so that a request
 * need not wait for the disk and a daemon that dies gives nothing back.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { describeError, Fault, openOwnDatabase, type DatabaseForm } from "../base/index.ts";

/** Lineages of which anything is kept; beyond, no further one is taken in. */
export const KEPT_MAX = 10_000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS paused (lineage TEXT PRIMARY KEY, at INTEGER NOT NULL, why TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS used (
    lineage TEXT NOT NULL, what TEXT NOT NULL, amount TEXT NOT NULL, PRIMARY KEY (lineage, what)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS met (
    lineage TEXT NOT NULL, what TEXT NOT NULL, item TEXT NOT NULL, PRIMARY KEY (lineage, what, item)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, id TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS keys (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`;

const formOf = (file: string): DatabaseForm => ({
  steps: [SCHEMA],
  fault: (why, cause) =>
    new Fault("lineage.store", `lineages cannot be kept in ${file}: ${why}`, {
      cause,
      hint: "without it budgets would be given again, and what was paused would go on; look at what that file is",
    }),
});

/** Why and since when a lineage stands still. */
export interface PausedLineage {
  readonly atMs: number;
  readonly why: string;
}

/** What a lineage used up, as it was written: by name of what is counted, or `amount:EUR`. */
export interface KeptUse {
  readonly used: ReadonlyMap<string, string>;
  readonly met: readonly (readonly [what: string, item: string])[];
}

export class LineageStore {
  readonly #db: DatabaseSync;
  readonly #paused = new Map<string, PausedLineage>();
  readonly #secrets = new Map<string, { readonly fingerprint: string; readonly id: string }>();

  /** @throws {Fault} `lineage.store` */
  constructor(file: string) {
    const form = formOf(file);
    this.#db = openOwnDatabase(file, form);
    try {
      for (const { lineage, at, why } of this.#db.prepare("SELECT * FROM paused").all()) {
        this.#paused.set(String(lineage), { atMs: Number(at), why: String(why) });
      }
      for (const { name, fingerprint, id } of this.#db.prepare("SELECT * FROM secrets").all()) {
        this.#secrets.set(String(name), { fingerprint: String(fingerprint), id: String(id) });
      }
    } catch (cause) {
      this.#db.close();
      throw form.fault(describeError(cause), cause);
    }
  }

  /** The database, to be copied. */
  get database(): DatabaseSync {
    return this.#db;
  }

  get paused(): ReadonlyMap<string, PausedLineage> {
    return this.#paused;
  }

  /** On disk when it returns. @throws {Fault} `lineage.store` */
  pause(lineage: string, { atMs, why }: PausedLineage): void {
    this.#change("INSERT OR REPLACE INTO paused VALUES (?, ?, ?)", [lineage, atMs, why]);
    this.#paused.set(lineage, { atMs, why });
  }

  /** @throws {Fault} `lineage.store` */
  resume(lineage: string): void {
    this.#change("DELETE FROM paused WHERE lineage = ?", [lineage]);
    this.#paused.delete(lineage);
  }

  useOf(lineage: string): KeptUse {
    const used = this.#db.prepare("SELECT what, amount FROM used WHERE lineage = ?").all(lineage);
    const met = this.#db.prepare("SELECT what, item FROM met WHERE lineage = ?").all(lineage);
    return {
      used: new Map(used.map(({ what, amount }) => [String(what), String(amount)])),
      met: met.map(({ what, item }) => [String(what), String(item)] as const),
    };
  }

  /** How many lineages have used anything. */
  get size(): number {
    const row = this.#db.prepare("SELECT count(DISTINCT lineage) AS n FROM used").get();
    return Number(row?.["n"] ?? 0);
  }

  /** On disk when it returns. @throws {Fault} `lineage.store` */
  use(lineage: string, what: string, amount: string): void {
    this.#change("INSERT OR REPLACE INTO used VALUES (?, ?, ?)", [lineage, what, amount]);
  }

  /** On disk when it returns. @throws {Fault} `lineage.store` */
  meet(lineage: string, what: string, item: string): void {
    this.#change("INSERT OR IGNORE INTO met VALUES (?, ?, ?)", [lineage, what, item]);
  }

  /**
   * Which secret a name stands for: that of the same fingerprint whatever it is called, else the one that the name had
   * before it was rotated. @throws {Fault} `lineage.store`
   */
  secret(name: string, fingerprint: string): string {
    const known = this.#secrets.get(name);
    if (known?.fingerprint === fingerprint) return known.id;
    const same = [...this.#secrets.values()].find((one) => one.fingerprint === fingerprint);
    const id = same?.id ?? known?.id ?? fingerprint;
    this.#change("INSERT OR REPLACE INTO secrets VALUES (?, ?, ?)", [name, fingerprint, id]);
    this.#secrets.set(name, { fingerprint, id });
    return id;
  }

  /** The same of a secret that has no name of its own: it is known by itself alone. */
  passing(fingerprint: string): string {
    const same = [...this.#secrets.values()].find((one) => one.fingerprint === fingerprint);
    return same?.id ?? fingerprint;
  }

  /** What the secret `id` is called. */
  namesOf(id: string): readonly string[] {
    return [...this.#secrets].flatMap(([name, one]) => (one.id === id ? [name] : []));
  }

  /** The secret that is called `name`, or is `name`. */
  idOf(name: string): string | undefined {
    const ids = [...this.#secrets.values()].map(({ id }) => id);
    return this.#secrets.get(name)?.id ?? ids.find((id) => id === name);
  }

  /** 32 random bytes that are this home's own, in hex. @throws {Fault} `lineage.store` */
  key(name: string): string {
    const row = this.#db.prepare("SELECT value FROM keys WHERE name = ?").get(name);
    if (row !== undefined) return String(row["value"]);
    const value = randomBytes(32).toString("hex");
    this.#change("INSERT INTO keys VALUES (?, ?)", [name, value]);
    return value;
  }

  close(): void {
    this.#db.close();
  }

  #change(sql: string, values: readonly (string | number)[]): void {
    try {
      this.#db.prepare(sql).run(...values);
    } catch (cause) {
      throw new Fault(
        "lineage.store",
        `a lineage cannot be written down: ${describeError(cause)}`,
        {
          cause,
          hint: "see to the disk that holds Cofferdam's home",
        },
      );
    }
  }
}
