import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { Fault } from "./fault.ts";
import { openOwnDatabase, type DatabaseForm } from "./own-database.ts";

const ONE = "CREATE TABLE IF NOT EXISTS a (x TEXT NOT NULL) STRICT";
const TWO = "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 7";
const form = (...steps: string[]): DatabaseForm => ({
  steps,
  fault: (why, cause) => new Fault("base.test", why, { cause }),
});

function fileOf(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), "cofferdam-database-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return join(root, "a.db");
}

test("INV-234: an older form is brought to the newest, with a copy kept as it was", (t) => {
  const file = fileOf(t);
  const old = openOwnDatabase(file, form(ONE));
  old.exec("INSERT INTO a VALUES ('kept')");
  old.close();
  const db = openOwnDatabase(file, form(ONE, TWO));
  assert.deepEqual({ ...db.prepare("SELECT * FROM a").get() }, { x: "kept", y: 7 });
  db.close();
  for (const path of [file, `${file}.format-1`]) assert.equal(statSync(path).mode & 0o777, 0o600);
  const copy = new DatabaseSync(`${file}.format-1`);
  assert.deepEqual({ ...copy.prepare("SELECT * FROM a").get() }, { x: "kept" });
  copy.close();
  openOwnDatabase(file, form(ONE, TWO)).close(); // Nothing to be done twice.
});

test("INV-234: a step that fails leaves the form before, whole", (t) => {
  const file = fileOf(t);
  openOwnDatabase(file, form(ONE)).close();
  assert.throws(() => openOwnDatabase(file, form(ONE, `${TWO}; nonsense`)), { code: "base.test" });
  const db = openOwnDatabase(file, form(ONE, TWO));
  assert.equal(db.prepare("PRAGMA user_version").get()?.["user_version"], 2);
  db.close();
});

test("INV-234: fault base.format: a newer form is refused, with both numbers, and left as it is", (t) => {
  const file = fileOf(t);
  openOwnDatabase(file, form(ONE, TWO, "SELECT 1")).close();
  assert.throws(() => openOwnDatabase(file, form(ONE, TWO)), {
    code: "base.format",
    message: /format 3; this Cofferdam reads formats up to 2/,
    hint: /restore a backup/,
  });
  openOwnDatabase(file, form(ONE, TWO, "SELECT 1")).close();
});

test("a database of before there were numbers is the first form", (t) => {
  const file = fileOf(t);
  const old = new DatabaseSync(file);
  old.exec(`${ONE}; INSERT INTO a VALUES ('old')`);
  old.close();
  const db = openOwnDatabase(file, form(ONE));
  assert.deepEqual({ ...db.prepare("SELECT * FROM a").get() }, { x: "old" });
  db.close();
});

test("what is no database, or held by another, is the fault of its owner", (t) => {
  const file = fileOf(t);
  const db = openOwnDatabase(file, form(ONE));
  assert.throws(() => openOwnDatabase(file, form(ONE)), { code: "base.test", message: /locked/ });
  db.close();
  writeFileSync(file, "x".repeat(5000));
  assert.throws(() => openOwnDatabase(file, form(ONE)), { code: "base.test" });
});
