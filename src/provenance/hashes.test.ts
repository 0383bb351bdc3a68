import assert from "node:assert/strict";
import { closeSync, openSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Hashes, HASH_FILE_BYTES_MAX, HASH_QUEUE_MAX } from "./hashes.ts";
import { identityOfDescriptor } from "./proc-files.ts";

const path = join(tmpdir(), `cofferdam-hashes-${process.pid}`);
const hashes = new Hashes();
after(async () => {
  await hashes.close();
  rmSync(path);
});

function open(): { file: string; descriptor: number } {
  const descriptor = openSync(path, "r");
  return { file: identityOfDescriptor(descriptor), descriptor };
}

test("a file is hashed off this thread, and remembered", async () => {
  writeFileSync(path, "abc");
  const { file, descriptor } = open();
  assert.equal(hashes.add(file, descriptor), true);
  assert.equal(hashes.isPending(file), true);
  await hashes.settled(file, 5000);
  const expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2
  assert.equal(hashes.get(file), expected);
  const again = open();
  assert.equal(hashes.add(again.file, again.descriptor), true, "no second time");
  assert.equal(hashes.isPending(file), false);
  assert.throws(() => closeSync(again.descriptor), { code: "EBADF" }, "its descriptor is closed");
});

test("a file that changed under another's name has no hash", async () => {
  writeFileSync(path, "abcd");
  const { descriptor } = open();
  hashes.add("1:2:3:4:5", descriptor);
  await hashes.settled("1:2:3:4:5", 5000);
  assert.equal(hashes.get("1:2:3:4:5"), undefined);
});

test("a file beyond the limit has no hash", async () => {
  truncateSync(path, HASH_FILE_BYTES_MAX + 1); // Sparse: no block is written.
  const { file, descriptor } = open();
  hashes.add(file, descriptor);
  await hashes.settled(file, 5000);
  assert.equal(hashes.get(file), undefined);
  assert.equal(hashes.isPending(file), false);
});

test("a queue that is full refuses, and says so", async () => {
  truncateSync(path, 1 << 20);
  const taken = Array.from({ length: HASH_QUEUE_MAX + 10 }, (_, n) =>
    hashes.add(`other:${n}`, open().descriptor),
  );
  assert.ok(taken.slice(0, HASH_QUEUE_MAX).every(Boolean));
  assert.ok(taken.slice(HASH_QUEUE_MAX).every((one) => !one));
  await hashes.settled(`other:${HASH_QUEUE_MAX - 1}`, 5000);
  assert.equal(hashes.isPending("other:0"), false);
});
