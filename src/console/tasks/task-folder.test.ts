import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { digestOf, TaskFolder } from "./task-folder.ts";

let root = "";
before(() => {
  root = mkdtempSync(join(tmpdir(), "cofferdam-tasks-"));
});
after(() => rmSync(root, { recursive: true }));

test("INV-195: only a name of the folder is a file of it", () => {
  const folder = new TaskFolder(root);
  for (const name of ["../x.yaml", "/x.yaml", "a/x.yaml", ".x.yaml", "x.yaml\n", "x", ""]) {
    for (const act of [() => folder.read(name), () => folder.save(name, "x", undefined)]) {
      assert.throws(act, { code: "console.task_name" }, JSON.stringify(name));
    }
  }
  assert.deepEqual(readdirSync(root), [], "and nothing was made");
  assert.equal(folder.read("x.yaml"), undefined);
  folder.save("x.yaml", "text", undefined);
  assert.equal(folder.read("x.yaml")?.source, "text");
});

test("INV-195: a folder that is a link is not gone into", () => {
  const own = join(root, "linked");
  const elsewhere = join(root, "elsewhere");
  for (const path of [own, elsewhere]) mkdirSync(path);
  writeFileSync(join(elsewhere, "x.yaml"), "theirs");
  symlinkSync(elsewhere, join(own, "tasks"));
  const folder = new TaskFolder(own);
  const { code } = { code: "console.task_file" };
  assert.throws(() => folder.list(), { code });
  assert.throws(() => folder.read("x.yaml"), { code });
  assert.throws(() => folder.save("y.yaml", "text", undefined), { code });
  assert.throws(() => folder.save("x.yaml", "text", digestOf("theirs")), { code });
  assert.deepEqual(readdirSync(elsewhere), ["x.yaml"]);
});

test("a text is kept as it is, whatever is in it, and no half-written file is left", () => {
  const folder = new TaskFolder(join(root, "whole"));
  const text = `${"é🂡".repeat(20_000)}\r\n\t\0end`;
  mkdirSync(join(root, "whole"));
  folder.save("x.yaml", text, undefined);
  assert.equal(folder.read("x.yaml")?.source, text);
  assert.throws(() => folder.save("x.yaml", "y", undefined), { code: "console.task_changed" });
  assert.deepEqual(readdirSync(folder.path), ["x.yaml"]);
});
