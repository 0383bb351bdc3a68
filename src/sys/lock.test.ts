import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { tryLock } from "./index.ts";

test("a folder has one holder of its lock at a time, also within one process", () => {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-lock-"));
  const [first, second] = [openSync(folder, "r"), openSync(folder, "r")];
  assert.equal(tryLock(first), true);
  assert.equal(tryLock(first), true, "its holder may ask again");
  assert.equal(tryLock(second), false);
  closeSync(first);
  assert.equal(tryLock(second), true, "closing lets go");
  closeSync(second);
  rmSync(folder, { recursive: true });
});

test("fault sys.call: a closed descriptor cannot be locked", () => {
  assert.throws(() => tryLock(99_999), { code: "sys.call", message: "flock: EBADF" });
});
