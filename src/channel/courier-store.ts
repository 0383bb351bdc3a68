/**
 * What the courier remembers: where it has listened to, which message shows what, and how often a code was
 * wrong. One SQLite file, each change on disk before anything follows from it.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { describeError, Fault, openOwnDatabase, type DatabaseForm } from "../base/index.ts";
import { partsOf, type Sent } from "./channel.ts";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS messages (
  channel TEXT NOT NULL, ref TEXT NOT NULL, ord INTEGER NOT NULL, place TEXT NOT NULL,
  approval TEXT NOT NULL, digest TEXT NOT NULL, code TEXT NOT NULL, whole INTEGER NOT NULL, card INTEGER NOT NULL,
  settled INTEGER NOT NULL,
  PRIMARY KEY (channel, ref)
) STRICT;
CREATE INDEX IF NOT EXISTS messages_by_approval ON messages (channel, approval);
CREATE INDEX IF NOT EXISTS messages_by_code ON messages (channel, code);
CREATE INDEX IF NOT EXISTS messages_open ON messages (channel, ord) WHERE card = 1 AND settled = 0;
CREATE TABLE IF NOT EXISTS cursors (channel TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (channel, key)) STRICT;
CREATE TABLE IF NOT EXISTS wrong (approval TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT;
`;

const formOf = (file: string): DatabaseForm => ({
  steps: [SCHEMA],
  fault: (why, cause) =>
    new Fault("channel.store", `what channels said cannot be kept in ${file}: ${why}`, {
      cause,
      hint: "no channel is used until it can; move the file away to start with an empty one",
    }),
});

/** What a message of ours shows. */
export interface Shown extends Sent {
  readonly approval: string;
  readonly digest: string;
  readonly code: string;
  readonly isWhole: boolean;
  /** A card; else a question about one. */
  readonly isCard: boolean;
  readonly place: string;
}

export class CourierStore {
  readonly #db: DatabaseSync;

  /** The database, to be copied. */
  get database(): DatabaseSync {
    return this.#db;
  }

  /** @throws {Fault} `channel.store` */
  constructor(file: string) {
    this.#db = openOwnDatabase(file, formOf(file));
  }

  add(channel: string, shown: Omit<Shown, "place">): void {
    const { ref, order, approval, digest, code, isWhole, isCard } = shown;
    this.#run(
      "INSERT OR REPLACE INTO messages VALUES (?,?,?,?,?,?,?,?,?,0)",
      ...[channel, ref, order, partsOf(ref).place, approval, digest, code],
      ...[isWhole ? 1 : 0, isCard ? 1 : 0],
    );
  }

  message(channel: string, ref: string): Shown | undefined {
    return this.#all("WHERE channel = ? AND ref = ?", channel, ref)[0];
  }

  /** What was ever said about an approval, oldest first. */
  about(channel: string, approval: string): readonly Shown[] {
    return this.#all("WHERE channel = ? AND approval = ? ORDER BY ord", channel, approval);
  }

  /** Every card that ever had this code. */
  withCode(channel: string, code: string): readonly Shown[] {
    return this.#all("WHERE channel = ? AND code = ? AND card = 1 ORDER BY ord", channel, code);
  }

  /** Cards that nothing final was said about. */
  unsettled(channel: string): readonly Shown[] {
    return this.#all("WHERE channel = ? AND card = 1 AND settled = 0 ORDER BY ord", channel);
  }

  settle(channel: string, approval: string): void {
    const sql = "UPDATE messages SET settled = 1 WHERE channel = ? AND approval = ?";
    this.#run(sql, channel, approval);
  }

  cursor(channel: string, key: string): string | undefined {
    const sql = "SELECT value FROM cursors WHERE channel = ? AND key = ?";
    const value = this.#db.prepare(sql).get(channel, key)?.["value"];
    return typeof value === "string" ? value : undefined;
  }

  keep(channel: string, cursors: ReadonlyMap<string, string>): void {
    for (const [key, value] of cursors) {
      if (this.cursor(channel, key) === value) continue;
      this.#run("INSERT OR REPLACE INTO cursors VALUES (?,?,?)", channel, key, value);
    }
  }

  /** How often a wrong code was given for `approval`. */
  wrong(approval: string): number {
    const row = this.#db.prepare("SELECT count FROM wrong WHERE approval = ?").get(approval);
    return Number(row?.["count"] ?? 0);
  }

  /** Counts one more wrong code. */
  addWrong(approval: string): number {
    this.#run(
      "INSERT INTO wrong VALUES (?,1) ON CONFLICT (approval) DO UPDATE SET count = count + 1",
      approval,
    );
    return this.wrong(approval);
  }

  /** Removes what was said about approvals that are gone. @throws {Fault} `channel.store` */
  forget(approvals: readonly string[]): void {
    const ids = JSON.stringify(approvals);
    for (const table of ["messages", "wrong"]) {
      this.#run(`DELETE FROM ${table} WHERE approval IN (SELECT value FROM json_each(?))`, ids);
    }
  }

  close(): void {
    this.#db.close();
  }

  #all(where: string, ...values: readonly string[]): readonly Shown[] {
    const rows = this.#db.prepare(`SELECT * FROM messages ${where}`).all(...values);
    return rows.map((row) => ({
      ref: String(row["ref"]),
      order: Number(row["ord"]),
      place: String(row["place"]),
      approval: String(row["approval"]),
      digest: String(row["digest"]),
      code: String(row["code"]),
      isWhole: row["whole"] === 1,
      isCard: row["card"] === 1,
    }));
  }

  /** @throws {Fault} `channel.store` */
  #run(sql: string, ...values: readonly (string | number)[]): void {
    try {
      this.#db.prepare(sql).run(...values);
    } catch (cause) {
      throw new Fault("channel.store", `cannot be written down: ${describeError(cause)}`, {
        cause,
        hint: "see to the disk that holds Cofferdam's home",
      });
    }
  }
}
