/**
 * The small databases of a home: one SQLite file each, closed to other users, one writer, every change on disk before it
 * is told of, and a number for its form (`user_version`).
 *
 * @module
 */
import { chmodSync, closeSync, openSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describeError, Fault, isFault } from "./fault.ts";

/** What a database is. */
export interface DatabaseForm {
  /**
   * SQL of each form: the first makes one from nothing, the others each the next of the one before. Never changed once
   * released; the newest form is their number. Forms before there were numbers count as nothing: the first step passes
   * over what is there.
   */
  readonly steps: readonly string[];
  /** The fault where it cannot be opened. */
  fault(why: string, cause: unknown): Fault;
  /** Overwrites what is deleted. */
  readonly secureDelete?: boolean;
}

/**
 * Opens the database in `file`, made or brought to the newest form. Of one that is brought there a copy is kept as it
 * was, beside it: `FILE.format-N`.
 *
 * @throws {Fault} `base.format` where a newer Cofferdam wrote it; that of `form` where it is none, or is held by another.
 */
export function openOwnDatabase(file: string, form: DatabaseForm): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    // SQLite gives its log the mode of the file: it is closed to others before there is one.
    closeSync(openSync(file, "a", 0o600));
    chmodSync(file, 0o600);
    db = new DatabaseSync(file);
    db.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
    );
    if (form.secureDelete === true) db.exec("PRAGMA secure_delete = ON");
    bringToForm(db, file, form.steps);
    return db;
  } catch (cause) {
    db?.close();
    if (isFault(cause, "base.format")) throw cause;
    throw form.fault(describeError(cause), cause);
  }
}

function bringToForm(db: DatabaseSync, file: string, steps: readonly string[]): void {
  const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
  requireFormat(file, version, steps.length);
  if (version === steps.length) return;
  if (version > 0) {
    const kept = `${file}.format-${version}`;
    rmSync(kept, { force: true }); // Of an upgrade that was cut short.
    closeSync(openSync(kept, "wx", 0o600));
    db.prepare("VACUUM INTO ?").run(kept);
  }
  const todo = steps.slice(version).join(";\n");
  db.exec(`BEGIN IMMEDIATE; ${todo}; PRAGMA user_version = ${steps.length}; COMMIT;`);
}

/**
 * Passes where `format` of `what` is known to this Cofferdam, which reads those up to `newest`.
 *
 * @throws {Fault} `base.format`
 */
export function requireFormat(what: string, format: number, newest: number): void {
  if (Number.isSafeInteger(format) && format >= 0 && format <= newest) return;
  throw new Fault(
    "base.format",
    `${what} is of format ${format}; this Cofferdam reads formats up to ${newest}`,
    {
      hint: "use the Cofferdam that wrote it, or a newer one; or restore a backup that this one made",
    },
  );
}
