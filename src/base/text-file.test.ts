import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readTextFile, TEXT_FILE_BYTES_MAX } from "./text-file.ts";

const place = mkdtempSync(join(tmpdir(), "cofferdam-text-"));
after(() => rmSync(place, { recursive: true, force: true }));
const plain = join(place, "plain");
const large = join(place, "large");
const fifo = join(place, "fifo");
writeFileSync(plain, "words\n");
writeFileSync(large, "");
truncateSync(large, TEXT_FILE_BYTES_MAX + 1);
execFileSync("mkfifo", [fifo]);

for (const [path, why] of [
  [fifo, "waits for a writer that never comes"],
  ["/dev/zero", "has no end"],
  [place, "is a folder"],
  [large, "is more than anybody writes"],
] as const) {
  test(`fault base.file: what ${why} is refused at once`, () =>
    assert.throws(() => readTextFile(path, { mayWait: false }), { code: "base.file" }));
}
test("an ordinary file is read", () =>
  assert.equal(readTextFile(plain, { mayWait: false }), "words\n"));

test("a pipe of a person's own shell is read, and still not without end", () => {
  for (const [name, writes] of [
    ["said", "echo words"],
    ["endless", "cat /dev/zero"],
  ] as const) {
    execFileSync("mkfifo", [join(place, name)]);
    spawn("sh", ["-c", `${writes} > '${join(place, name)}'`]);
  }
  assert.equal(readTextFile(join(place, "said"), { mayWait: true }), "words\n");
  const endless = () => readTextFile(join(place, "endless"), { mayWait: true });
  assert.throws(endless, { code: "base.file" });
});
