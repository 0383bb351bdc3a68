import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { requireOwnFolder } from "./own-folder.ts";

const place = mkdtempSync(join(tmpdir(), "cofferdam-own-"));
after(() => rmSync(place, { recursive: true, force: true }));

function folder(name: string, mode: number): string {
  const path = join(place, name);
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

for (const [mode, passes, why] of [
  [0o700, true, "closed"],
  [0o755, true, "others may look"],
  [0o770, false, "the group could put its own socket there"],
  [0o1777, false, "anybody could put keys there before us"],
] as const) {
  test(`INV-94 fault base.folder: mode ${mode.toString(8)} ${passes ? "passes" : "is refused"}: ${why}`, () => {
    const check = () => requireOwnFolder(folder(mode.toString(8), mode), { isVisit: false });
    if (passes) check();
    else assert.throws(check, { code: "base.folder" });
  });
}

test("a folder that is not there yet passes: it is made closed", () =>
  requireOwnFolder(join(place, "none"), { isVisit: false }));

const isRoot = process.geteuid?.() === 0;
test(
  "INV-94: another user's folder is refused, but for root that only visits",
  { skip: !isRoot },
  () => {
    const other = folder("other", 0o700);
    chownSync(other, 12_345, 12_345);
    assert.throws(() => requireOwnFolder(other, { isVisit: false }), { code: "base.folder" });
    requireOwnFolder(other, { isVisit: true });
  },
);
