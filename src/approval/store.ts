/**
 * Approvals on disk: one SQLite file, one writer, every change durable before it is told of.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Json } from "../action/index.ts";
import { assert, describeError, Fault, openOwnDatabase, type DatabaseForm } from "../base/index.ts";
import {
  headOf,
  type ActionHead,
  type Approval,
  type ApprovalRequest,
  type ApprovalSummary,
  type Spool,
  type StoredAnswer,
} from "./approval.ts";
import { APPROVAL_STATES, isOver, OPEN_STATES, type ApprovalState } from "./machine.ts";

const OPEN = sqlList(OPEN_STATES);
const OVER = sqlList(APPROVAL_STATES.filter(isOver));
const IN_ORDER = "ORDER BY created, id";
/** How long the content of what is over is kept: to look at it, and for an agent that comes back for its answer. */
export const KEPT_MS = 7 * 864e5;
/** Tables that hold nothing but content. */
const CONTENT = ["spools", "answers", "asked"] as const;
const REACHED_MAX = 2000; // Read while everything else waits: a recipient of long ago is new again.
const FORGOTTEN_AT_ONCE = 50; // Overwritten while everything else waits.

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
`;
/** Since version 2 its content goes at a time; of what was over before, as if it had been so to its last moment. */
const FORGETTING = `
ALTER TABLE approvals ADD COLUMN forget_at INTEGER NOT NULL DEFAULT 0;
UPDATE approvals SET forget_at = expires + ${KEPT_MS} WHERE state IN (${OVER});
CREATE INDEX approvals_by_forget_at ON approvals (forget_at) WHERE forget_at > 0;
`;
/** What agents had asked for, of those that a person edited: some files of version 2 have it. */
const ASKED = "CREATE TABLE IF NOT EXISTS asked (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT";

const formOf = (file: string): DatabaseForm => ({
  steps: [SCHEMA, FORGETTING, ASKED],
  secureDelete: true,
  fault: (why, cause) =>
    new Fault("approval.store", `approvals cannot be kept in ${file}: ${why}`, {
      cause,
      hint: "nothing waits for a person until it can; move the file away to start with an empty one",
    }),
});

/** Fields of a row that change. */
export type Change = Partial<
  Pick<ApprovalSummary, "state" | "notBeforeMs" | "by" | "reason" | "note" | "joins" | "head">
> & {
  /** When it was over. */
  readonly overMs?: number;
};

const COLUMN: Readonly<Record<keyof Change, string>> = {
  state: "state",
  notBeforeMs: "not_before",
  by: "by",
  reason: "reason",
  note: "note",
  joins: "joins",
  head: "head",
  overMs: "forget_at",
};

type Row = Readonly<Record<string, string | number>>;

export class Store {
  readonly #db: DatabaseSync;
  readonly #known = new Map<string, StatementSync>();
  /** What is not over, as it stands on disk, in the order in which it was asked for: lists are made of it. */
  readonly #open = new Map<string, ApprovalSummary>();

  /** @throws {Fault} `approval.store` where the file is no store of ours, or is held by another. */
  constructor(file: string) {
    const form = formOf(file);
    this.#db = openOwnDatabase(file, form);
    try {
      const open = this.#db.prepare(`SELECT * FROM approvals WHERE state IN (${OPEN}) ${IN_ORDER}`);
      for (const row of open.iterate()) this.#keep(row as Row);
    } catch (cause) {
      throw form.fault(describeError(cause), cause);
    }
  }

  /** The database, to be copied. */
  get database(): DatabaseSync {
    return this.#db;
  }

  /** Removes all approvals of `run`, none of which may be open. @throws {Fault} `approval.store` */
  forgetRun(run: string): void {
    const isOpen = [...this.#open.values()].some((one) => one.run === run);
    assert(!isOpen, "an approval that waits is not forgotten");
    this.#all(() => {
      for (const table of [...CONTENT, "actions"]) {
        this.#run(`DELETE FROM ${table} WHERE id IN (SELECT id FROM approvals WHERE run = ?)`, run);
      }
      this.#run("DELETE FROM approvals WHERE run = ?", run);
      return undefined;
    });
  }

  add(id: string, request: ApprovalRequest, at: { createdMs: number; variantOf: string }): void {
    const { run, task, action, pin, limits, spool } = request;
    this.#all(() => {
      this.#run(
        "INSERT INTO actions VALUES (?,?,?)",
        ...[id, JSON.stringify(action), JSON.stringify(pin)],
      );
      this.#run(
        "INSERT INTO spools VALUES (?,?,?)",
        ...[id, JSON.stringify(spool.request), spool.body ?? null],
      );
      return this.#row(
        `INSERT INTO approvals VALUES (?,?,?,?,?,?,?,?,?,'requested',?,?,0,'[]','','',?,0,0) RETURNING *`,
        ...[id, run, task, action.system, action.verb, action.target, action.digest],
        ...[JSON.stringify(headOf(action)), JSON.stringify(limits)],
        ...[at.createdMs, at.createdMs + limits.expiresMs, at.variantOf],
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
    if (!all) return [...this.#open.values()];
    return (this.#prepare(`SELECT * FROM approvals ${IN_ORDER}`).all() as Row[]).map(summaryOf);
  }

  /** Those of `run`, the newest `max`, in the order in which they were asked for. */
  ofRun(run: string, max: number): readonly ApprovalSummary[] {
    const sql = "SELECT * FROM approvals WHERE run = ? ORDER BY created DESC, id DESC LIMIT ?";
    return (this.#prepare(sql).all(run, max) as Row[]).map(summaryOf).toReversed();
  }

  /** Everyone whom the newest things that were performed at systems of `kind` have reached. */
  reached(kind: string): ReadonlySet<string> {
    const sql = `SELECT DISTINCT value FROM (
        SELECT id FROM approvals WHERE state = 'performed' AND json_extract(head, '$.kind') = ? ORDER BY expires DESC LIMIT ${REACHED_MAX}
      ) JOIN actions USING (id), json_each(action, '$.impact.recipients')`;
    return new Set((this.#prepare(sql).all(kind) as Row[]).map(({ value }) => String(value)));
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
    return this.#all(() => this.#change(id, from, change));
  }

  #change(id: string, from: readonly ApprovalState[], change: Change): Row | undefined {
    const { overMs, ...rest } = change;
    const whole = overMs === undefined ? rest : { ...rest, overMs: overMs + KEPT_MS };
    const entries = Object.entries(whole) as [keyof Change, unknown][];
    const sets = entries.map(([key]) => `${COLUMN[key]} = ?`).join(", ");
    const values = entries.map(([, value]) =>
      typeof value === "object" ? JSON.stringify(value) : (value as string | number),
    );
    const sql = `UPDATE approvals SET ${sets} WHERE id = ? AND state IN (${sqlList(from)}) RETURNING *`;
    return this.#row(sql, ...values, id);
  }

  /** `approved` to `performing`, once, only when its time has come, and only of what was approved. */
  consume({ id, head: { digest } }: ApprovalSummary, nowMs: number): boolean {
    const sql =
      "UPDATE approvals SET state = 'performing' WHERE id = ? AND digest = ? AND state = 'approved' AND not_before <= ? RETURNING *";
    return this.#all(() => this.#row(sql, id, digest, nowMs));
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
    { action, note, pin }: Pick<Approval, "action" | "note" | "pin">,
    body: Uint8Array,
  ): boolean {
    const asked = JSON.stringify(this.get(id)?.action.fields["body"] ?? null);
    return this.#all(() => {
      const change = { head: headOf(action), note, by: [] };
      const row = this.#change(id, ["requested", "shown"], change);
      if (row === undefined) return undefined;
      this.#run("INSERT OR IGNORE INTO asked VALUES (?,?)", id, asked); // Of the first edit.
      this.#run("UPDATE approvals SET digest = ? WHERE id = ?", action.digest, id);
      const kept = [JSON.stringify(action), JSON.stringify(pin)] as const;
      this.#run("UPDATE actions SET action = ?, pin = ? WHERE id = ?", ...kept, id);
      this.#run("UPDATE spools SET body = ? WHERE id = ?", body, id);
      return row;
    });
  }

  /** The end of a performance, with what the system answered. */
  finish(id: string, change: Change, answer: StoredAnswer): boolean {
    return this.#all(() => {
      const row = this.#change(id, ["performing"], change);
      if (row === undefined) return undefined;
      const { status, headers, body, isCut } = answer;
      this.#run(
        "INSERT OR REPLACE INTO answers VALUES (?,?,?,?,?,0)",
        ...[id, status, JSON.stringify(headers), body, isCut ? 1 : 0],
      );
      return row;
    });
  }

  /**
   * Removes the content of what has been over for {@link KEPT_MS}: the request, the answer, and what the action
   * shows of them. Its head, its digest and what was decided by whom stay.
   */
  forget(nowMs: number): void {
    const sql = `SELECT id FROM approvals WHERE forget_at BETWEEN 1 AND ? AND state IN (${OVER}) ORDER BY forget_at LIMIT ${FORGOTTEN_AT_ONCE}`;
    const due = this.#guard(() => this.#prepare(sql).all(nowMs) as Row[]);
    if (due.length === 0) return;
    this.#all(() => {
      for (const { id = "" } of due) {
        for (const table of CONTENT) this.#run(`DELETE FROM ${table} WHERE id = ?`, id);
        this.#run(
          "UPDATE actions SET action = json_set(action, '$.fields', json('{}')), pin = 'null' WHERE id = ?",
          id,
        );
        this.#run("UPDATE approvals SET forget_at = 0 WHERE id = ?", id);
      }
      return undefined;
    });
    // What was overwritten stands in SQLite's log until that is.
    this.#guard(() => this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)"));
  }

  hasAnswer(id: string): boolean {
    return this.#prepare("SELECT 1 FROM answers WHERE id = ? AND taken = 0").get(id) !== undefined;
  }

  /** The answer, to the first who asks. */
  takeAnswer(id: string): StoredAnswer | undefined {
    const sql = "UPDATE answers SET taken = 1 WHERE id = ? AND taken = 0 RETURNING *";
    const row = this.#guard(
      () => this.#row(sql, id) as Readonly<Record<string, unknown>> | undefined,
    );
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

  /** Makes a change whole or not at all; the row that it gives is what lists have from then on. */
  #all(change: () => Row | undefined): boolean {
    const row = this.#guard(() => {
      this.#db.exec("BEGIN IMMEDIATE");
      try {
        const changed = change();
        this.#db.exec("COMMIT");
        return changed;
      } catch (error) {
        this.#db.exec("ROLLBACK");
        throw error;
      }
    });
    if (row !== undefined) this.#keep(row);
    return row !== undefined;
  }

  #keep(row: Row): void {
    const summary = summaryOf(row);
    if (isOver(summary.state)) this.#open.delete(summary.id);
    else this.#open.set(summary.id, summary);
  }

  #run(sql: string, ...values: readonly (string | number | Uint8Array | null)[]): void {
    this.#prepare(sql).run(...values);
  }

  /** The row that a change gives back. Asked for to its end: only then does a failed write fail here. */
  #row(sql: string, ...values: readonly (string | number)[]): Row | undefined {
    const [row] = this.#prepare(sql).all(...values) as Row[];
    return row;
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

function sqlList(states: readonly ApprovalState[]): string {
  return states.map((state) => `'${state}'`).join(",");
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
