import assert from "node:assert/strict";
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { ftruncateSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as sys from "./beneath.ts";

const base = mkdtempSync(join(tmpdir(), "cofferdam-beneath-"));
after(() => rmSync(base, { recursive: true }));
mkdirSync(join(base, "root/in/deep"), { recursive: true });
writeFileSync(join(base, "outside"), "outside");
writeFileSync(join(base, "root/in/file"), "inside");
symlinkSync("../outside", join(base, "root/out"));
symlinkSync("in", join(base, "root/alias"));
const root = openSync(join(base, "root"), constants.O_RDONLY | constants.O_DIRECTORY);
after(() => closeSync(root));

const OPENS: readonly (readonly [string, string | undefined, string])[] = [
  ["in/file", undefined, "a plain path beneath opens"],
  [".", undefined, "the root itself"],
  ["out", "ELOOP", "a link is not followed, whatever it names"],
  ["alias/file", "ELOOP", "nor one on the way, although it stays inside"],
  ["../outside", "EXDEV", "no way up"],
  ["in/../../outside", "EXDEV", "nor through a folder"],
  ["/etc/passwd", "EXDEV", "nor an absolute path"],
  ["absent", "ENOENT", "absence is told apart"],
  [`in/${"x".repeat(5000)}`, "ENAMETOOLONG", "longer than the kernel takes"],
];
for (const [path, code, why] of OPENS) {
  test(`openBeneath ${path.slice(0, 20)}: ${why}`, () => {
    const open = () => sys.openBeneath(root, Buffer.from(path), constants.O_RDONLY);
    if (code === undefined) return closeSync(open());
    assert.throws(open, (error) => sys.errorCode(error) === code);
  });
}

test("openBeneath does not cross a mount", () => {
  const proc = openSync("/", constants.O_RDONLY);
  const open = () => sys.openBeneath(proc, Buffer.from("proc/self"), constants.O_RDONLY);
  assert.throws(open, (error) => sys.errorCode(error) === "EXDEV");
  closeSync(proc);
});

test("an entry path is one component, with any bytes but zero and slash", () => {
  const name = Buffer.from([0x2d, 0xff, 0x0a]);
  writeFileSync(sys.entryPath(root, name), "odd");
  assert.equal(readFileSync(sys.entryPath(root, name), "utf8"), "odd");
  for (const bad of ["", ".", "..", "a/b", "a\0"]) {
    assert.throws(() => sys.entryPath(root, Buffer.from(bad)), { code: "sys.call" });
  }
});

test("rename keeps what is there, or swaps, and never loses one", () => {
  writeFileSync(join(base, "root/a"), "a");
  writeFileSync(join(base, "root/b"), "b");
  const [a, b] = [Buffer.from("a"), Buffer.from("b")];
  const keep = () => sys.renameEntry(root, a, b, "keep");
  assert.throws(keep, (error) => sys.errorCode(error) === "EEXIST");
  sys.renameEntry(root, a, b, "exchange");
  assert.equal(readFileSync(join(base, "root/a"), "utf8"), "b");
  sys.renameEntry(root, a, Buffer.from("c"), "keep");
  assert.equal(readFileSync(join(base, "root/c"), "utf8"), "b");
});

test("attributes, holes and the rest of the small calls", async () => {
  const file = openSync(join(base, "root/sparse"), "w+");
  ftruncateSync(file, 1 << 24);
  writeSync(file, Buffer.alloc(4096, 1), 0, 4096, 1 << 22);
  assert.deepEqual(sys.nextData(file, 0), [1 << 22, (1 << 22) + 4096]);
  assert.equal(sys.nextData(file, 1 << 23), undefined);
  assert.equal(sys.readAttribute(file, "user.none"), undefined);
  sys.writeAttribute(file, "user.some", Buffer.from("value"));
  assert.equal(sys.readAttribute(file, "user.some")?.toString(), "value");
  assert.deepEqual(sys.listAttributes(file), ["user.some"]);
  for (const time of [1_700_000_000_123_456_789n, -1n, 0n]) {
    sys.setModified(file, time);
    assert.equal(statSync(join(base, "root/sparse"), { bigint: true }).mtimeNs, time);
  }
  const { uid, gid } = statSync(join(base, "root/sparse"));
  sys.changeOwner(file, uid, gid);
  await sys.syncFileSystem(file);
  closeSync(file);
  assert.throws(() => sys.changeOwner(file, uid, gid), { code: "sys.call" });
});
