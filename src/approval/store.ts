/**
 * Approvals on disk: one SQLite file, one writer, every change durable before it is told of.
 *
 * @module
 */
import { chmodSync, closeSync, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Json } from "../action/index.ts";
import { describeError, Fault } from "../base/index.ts";
import {
  headOf,
  type ActionHead,
  type Approval,
  type ApprovalRequest,
  type ApprovalSummary,
  type Spool,
  type StoredAnswer,
} from "./approval.ts";
import { OPEN_STATES, type ApprovalState } from "./machine.ts";

const VERSION = 1;
const SCHEMA = `
CREATE TABLE approvals (
  id TEXT PRIMARY KEY, run TEXT NOT NULL, task TEXT NOT NULL, grant_name TEXT NOT NULL, verb TEXT NOT NULL,
  target TEXT NOT NULL, digest TEXT NOT NULL, head TEXT NOT NULL, limits TEXT NOT NULL,
  state TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, not_before INTEGER NOT NULL,
  by TEXT NOT NULL, reason TEXT NOT NULL, note TEXT NOT NULL, variant_of TEXT NOT NULL, joins INTEGER NOT NULL
) STRICT;
CREATE INDEX approvals_by_state ON approvals (state, expires);
CREATE INDEX approvals_by_run ON approvals (run, digest);
CREATE TABLE actions (id TEXT PRIMARY KEY, action TEXT NOT NULL, pin TEXT NOT NULL) STRICT;
CREATE TABLE spools (id TEXT PRIMARY KEY, request TEXT NOT NULL, body BLOB) STRICT;
CREATE TABLE answers (
  id TEXT PRIMARY KEY, status INTEGER NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL, is_cut INTEGER NOT NULL,
  taken INTEGER NOT NULL
) STRICT;
PRAGMA user_version = ${VERSION};
`;
/** What agents had asked for, of those that a person edited: files of earlier builds lack it. */
const ASKED = "CREATE TABLE IF NOT EXISTS asked (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT";
const OPEN = OPEN_STATES.map((state) => `'${state}'`).join(",");

/** Fields of a row that change. */
export type Change = Partial<
  Pick<ApprovalSummary, "state" | "notBeforeMs" | "by" | "reason" | "note" | "joins" | "head">
>;

const COLUMN: Readonly<Record<keyof Change, string>> = {
  state: "state",
  notBeforeMs: "not_before",
  by: "by",
  reason: "reason",
  note: "note",
  joins: "joins",
  head: "head",
};

type Row = Readonly<Record<string, string | number>>;

export class Store {
  readonly #db: DatabaseSync;
  readonly #known = new Map<string, StatementSync>();

  /** @throws {Fault} `approval.store` where the file is no store of ours, or is held by another. */
  constructor(file: string) {
    try {
      // SQLite gives its log the mode of the file: it is closed to others before there is one.
      closeSync(openSync(file, "a", 0o600));
      chmodSync(file, 0o600);
      this.#db = new DatabaseSync(file);
      this.#db.exec(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
      );
      const version = this.#db.prepare("PRAGMA user_version").get()?.["user_version"];
      if (version === 0) this.#db.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
      else if (version !== VERSION) {
        throw new Fault("approval.store", `its version is ${String(version)}, not ${VERSION}`);
      }
      this.#db.exec(ASKED);
    } catch (cause) {
      const why = describeError(cause);
      throw new Fault("approval.store", `approvals cannot be kept in ${file}: ${why}`, {
        cause,
        hint: "nothing waits for a person until it can; move the file away to start with an empty one",
      });
    }
  }

  add(id: string, request: ApprovalRequest, at: { createdMs: number; variantOf: string }): void {
    const { run, task, action, pin, limits, spool } = request;
    this.#all(() => {
      this.#run(
        `INSERT INTO approvals VALUES (?,?,?,?,?,?,?,?,?,'requested',?,?,0,'[]','','',?,0)`,
        ...[id, run, task, action.system, action.verb, action.target, action.digest],
        ...[JSON.stringify(headOf(action)), JSON.stringify(limits)],
        ...[at.createdMs, at.createdMs + limits.expiresMs, at.variantOf],
      );
      this.#run(
        "INSERT INTO actions VALUES (?,?,?)",
        ...[id, JSON.stringify(action), JSON.stringify(pin)],
      );
      this.#run(
        "INSERT INTO spools VALUES (?,?,?)",
        id,
        JSON.stringify(spool.request),
        spool.body ?? null,
      );
    });
  }

  get(id: string): Approval | undefined {
    const sql = "SELECT * FROM approvals JOIN actions USING (id) WHERE id = ?";
    const row = this.#prepare(sql).get(id) as Row | undefined;
    if (row === undefined) return undefined;
    const asked = this.#prepare("SELECT body FROM asked WHERE id = ?").get(id)?.["body"];
    return {
      ...summaryOf(row),
      ...(asked === undefined ? {} : { asked: JSON.parse(String(asked)) as Json }),
      action: JSON.parse(String(row["action"])) as Approval["action"],
      pin: JSON.parse(String(row["pin"])) as Json,
    };
  }

  list(all: boolean): readonly ApprovalSummary[] {
    const where = all ? "" : `WHERE state IN (${OPEN})`;
    return (
      this.#prepare(`SELECT * FROM approvals ${where} ORDER BY created, id`).all() as Row[]
    ).map(summaryOf);
  }

  /** The newest of a run with this digest. */
  newest(run: string, digest: string): ApprovalSummary | undefined {
    const sql =
      "SELECT * FROM approvals WHERE run = ? AND digest = ? ORDER BY created DESC, id DESC LIMIT 1";
    const row = this.#prepare(sql).get(run, digest) as Row | undefined;
    return row && summaryOf(row);
  }

  /**
   * The first of a run that asks for the same verb on the same target of the same system: one that is open,
   * or of which nobody knows whether it was performed.
   */
  alike(run: string, { system, verb, target }: ActionHead): string {
    const sql = `SELECT id FROM approvals WHERE run = ? AND grant_name = ? AND verb = ? AND target = ? AND state IN (${OPEN},'failed') ORDER BY created LIMIT 1`;
    return String(this.#prepare(sql).get(run, system, verb, target)?.["id"] ?? "");
  }

  /** Those that nobody has answered in time. */
  expired(nowMs: number): readonly ApprovalSummary[] {
    const sql = "SELECT * FROM approvals WHERE state IN ('requested','shown') AND expires <= ?";
    return (this.#prepare(sql).all(nowMs) as Row[]).map(summaryOf);
  }

  openOf(run: string): number {
    const sql = `SELECT count(*) AS count FROM approvals WHERE run = ? AND state IN ('requested','shown')`;
    return Number(this.#prepare(sql).get(run)?.["count"]);
  }

  /** Changes a row that is still in one of the states `from`; tells whether it was. */
  change(id: string, from: readonly ApprovalState[], change: Change): boolean {
    const entries = Object.entries(change) as [keyof Change, unknown][];
    const sets = entries.map(([key]) => `${COLUMN[key]} = ?`).join(", ");
    const values = entries.map(([, value]) =>
      typeof value === "object" ? JSON.stringify(value) : (value as string | number),
    );
    const states = from.map((state) => `'${state}'`).join(",");
    const sql = `UPDATE approvals SET ${sets} WHERE id = ? AND state IN (${states})`;
    return this.#run(sql, ...values, id) === 1;
  }

  /** `approved` to `performing`, once, only when its time has come, and only of what was approved. */
  consume({ id, head: { digest } }: ApprovalSummary, nowMs: number): boolean {
    const sql =
      "UPDATE approvals SET state = 'performing' WHERE id = ? AND digest = ? AND state = 'approved' AND not_before <= ?";
    return this.#run(sql, id, digest, nowMs) === 1;
  }

  spool(id: string): Spool | undefined {
    const row = this.#prepare("SELECT * FROM spools WHERE id = ?").get(id);
    if (row === undefined) return undefined;
    const body = row["body"];
    return {
      request: JSON.parse(String(row["request"])) as Json,
      body: body instanceof Uint8Array ? body : undefined,
    };
  }

  /**
   * A person's edit: the bytes that are performed from now on, and the action that they are. Whoever had said
   * yes said it to others.
   */
  replace(
    id: string,
    { action, note }: Pick<Approval, "action" | "note">,
    body: Uint8Array,
  ): boolean {
    let isDone = false;
    const asked = JSON.stringify(this.get(id)?.action.fields["body"] ?? null);
    this.#all(() => {
      isDone = this.change(id, ["requested", "shown"], { head: headOf(action), note, by: [] });
      if (!isDone) return;
      this.#run("INSERT OR IGNORE INTO asked VALUES (?,?)", id, asked); // Of the first edit.
      this.#run("UPDATE approvals SET digest = ? WHERE id = ?", action.digest, id);
      this.#run("UPDATE actions SET action = ? WHERE id = ?", JSON.stringify(action), id);
      this.#run("UPDATE spools SET body = ? WHERE id = ?", body, id);
    });
    return isDone;
  }

  /** The end of a performance, with what the system answered. */
  finish(id: string, change: Change, answer: StoredAnswer): boolean {
    let isDone = false;
    this.#all(() => {
      isDone = this.change(id, ["performing"], change);
      if (!isDone) return;
      const { status, headers, body, isCut } = answer;
      this.#run(
        "INSERT OR REPLACE INTO answers VALUES (?,?,?,?,?,0)",
        ...[id, status, JSON.stringify(headers), body, isCut ? 1 : 0],
      );
    });
    return isDone;
  }

  hasAnswer(id: string): boolean {
    return this.#prepare("SELECT 1 FROM answers WHERE id = ? AND taken = 0").get(id) !== undefined;
  }

  /** The answer, to the first who asks. */
  takeAnswer(id: string): StoredAnswer | undefined {
    const sql = "UPDATE answers SET taken = 1 WHERE id = ? AND taken = 0 RETURNING *";
    const row = this.#prepare(sql).get(id);
    if (row === undefined) return undefined;
    return {
      status: Number(row["status"]),
      headers: JSON.parse(String(row["headers"])) as string[],
      body: row["body"] as Uint8Array,
      isCut: row["is_cut"] === 1,
    };
  }

  close(): void {
    this.#db.close();
  }

  #all(change: () => void): void {
    this.#guard(() => {
      this.#db.exec("BEGIN IMMEDIATE");
      try {
        change();
        this.#db.exec("COMMIT");
      } catch (error) {
        this.#db.exec("ROLLBACK");
        throw error;
      }
    });
  }

  #run(sql: string, ...values: readonly (string | number | Uint8Array | null)[]): number {
    return this.#guard(() => Number(this.#prepare(sql).run(...values).changes));
  }

  #prepare(sql: string): StatementSync {
    let known = this.#known.get(sql);
    if (known === undefined) this.#known.set(sql, (known = this.#db.prepare(sql)));
    return known;
  }

  /** @throws {Fault} `approval.store`: nothing has changed then. */
  #guard<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      if (cause instanceof Fault) throw cause;
      throw new Fault("approval.store", `an approval cannot be written: ${describeError(cause)}`, {
        cause,
        hint: "nothing was approved by this; see to the disk that holds Cofferdam's home",
      });
    }
  }
}

function summaryOf(row: Row): ApprovalSummary {
  const text = (name: string) => String(row[name]);
  const number = (name: string) => Number(row[name]);
  return {
    id: text("id"),
    run: text("run"),
    task: text("task"),
    head: JSON.parse(text("head")) as ActionHead,
    limits: JSON.parse(text("limits")) as Approval["limits"],
    state: text("state") as ApprovalState,
    createdMs: number("created"),
    expiresMs: number("expires"),
    notBeforeMs: number("not_before"),
    by: JSON.parse(text("by")) as string[],
    reason: text("reason"),
    note: text("note"),
    variantOf: text("variant_of"),
    joins: number("joins"),
  };
}
