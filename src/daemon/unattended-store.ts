/**
 * What passed unattended by rules that say how much may in a time (`per: 1d`), on disk: the leave is that of a
 * credential at a system, and neither another run nor another daemon has it again (docs/decisions/0311).
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { digestOf } from "../action/index.ts";
import { describeError, Fault, openOwnDatabase, type DatabaseForm } from "../base/index.ts";
import type { Task } from "../policy/index.ts";

/** No leave is for a longer time than it lasts, and none lasts longer (src/policy/task-checks.ts). */
const KEPT_MS = 366 * 86_400_000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS uses (leave TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS taken (
    task TEXT PRIMARY KEY, at INTEGER NOT NULL, run TEXT NOT NULL, why TEXT NOT NULL
  ) STRICT;
`;

const formOf = (file: string): DatabaseForm => ({
  steps: [SCHEMA],
  fault: (why, cause) =>
    new Fault("daemon.unattended", `what passed unattended cannot be kept in ${file}: ${why}`, {
      cause,
      hint: "without it leave would be given again; look at what that file is",
    }),
});

/** Why and when a task lost its leave. */
export interface TakenLeave {
  readonly atMs: number;
  readonly run: string;
  readonly why: string;
}

/** When leave was used, in milliseconds since the epoch. */
export class UnattendedStore {
  readonly #db: DatabaseSync;
  /** All that is on disk: one daemon alone writes it. */
  readonly #uses = new Map<string, readonly number[]>();
  readonly #taken = new Map<string, TakenLeave>();

  /** @throws {Fault} `daemon.unattended` */
  constructor(file: string, nowMs: number) {
    const form = formOf(file);
    this.#db = openOwnDatabase(file, form);
    try {
      this.#db.prepare("DELETE FROM uses WHERE at < ?").run(nowMs - KEPT_MS);
      for (const { leave, at } of this.#db.prepare("SELECT leave, at FROM uses").all()) {
        this.#note(String(leave), [Number(at)]);
      }
      for (const { task, at, run, why } of this.#db.prepare("SELECT * FROM taken").all()) {
        this.#taken.set(String(task), { atMs: Number(at), run: String(run), why: String(why) });
      }
    } catch (cause) {
      throw form.fault(describeError(cause), cause);
    }
  }

  /** The database, to be copied. */
  get database(): DatabaseSync {
    return this.#db;
  }

  of(leave: string): readonly number[] {
    return this.#uses.get(leave) ?? [];
  }

  /** Uses `leave` up `times` times; on disk when it returns. @throws {Fault} `daemon.unattended` */
  add(leave: string, nowMs: number, times: number): void {
    const uses = Array.from({ length: times }, () => nowMs);
    const rows = uses.map(() => "(?, ?)").join();
    this.#change(
      `INSERT INTO uses VALUES ${rows}`,
      uses.flatMap((at) => [leave, at]),
    );
    this.#note(leave, uses);
  }

  #change(sql: string, values: readonly (string | number)[]): void {
    try {
      this.#db.prepare(sql).run(...values);
    } catch (cause) {
      const why = `what passes unattended cannot be written down: ${describeError(cause)}`;
      throw new Fault("daemon.unattended", why, {
        cause,
        hint: "see to the disk that holds Cofferdam's home",
      });
    }
  }

  /** Takes all leave from `task`, until {@link giveBack}; on disk when it returns. The first reason stays. @throws {Fault} `daemon.unattended` */
  take(task: string, { atMs, run, why }: TakenLeave): void {
    if (this.#taken.has(task)) return;
    this.#change("INSERT INTO taken VALUES (?, ?, ?, ?)", [task, atMs, run, why]);
    this.#taken.set(task, { atMs, run, why });
  }

  takenFrom(task: string): TakenLeave | undefined {
    return this.#taken.get(task);
  }

  /** At a person's word. @throws {Fault} `daemon.unattended` */
  giveBack(task: string): void {
    this.#change("DELETE FROM taken WHERE task = ?", [task]);
    this.#taken.delete(task);
  }

  close(): void {
    this.#db.close();
  }

  #note(leave: string, uses: readonly number[]): void {
    this.#uses.set(leave, [...this.of(leave), ...uses]);
  }
}

/**
 * The leave of each rule of `task` that says how much may pass in a time, by the rule's name. It is one with that of
 * another task where system, credential, place and all that the rule covers are the same, however much it lets pass.
 */
export function leavesOf({ grants }: Task): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>();
  for (const [
    at,
    { system, credential = "", hosts, ports, under = "", allow },
  ] of grants.entries()) {
    for (const [index, { unattended, ...rule }] of allow.entries()) {
      if (unattended?.perMs === undefined) continue;
      const leave = digestOf({ system, credential, hosts, ports, under, rule });
      leaves.set(`grants[${at}].allow[${index}]`, leave);
    }
  }
  return leaves;
}
