/** `sync` means on disk: shown by an fdatasync that the test holds up, lets fail, and counts. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { test } from "node:test";

type Done = (error: NodeJS.ErrnoException | null) => void;
const real = fs.fdatasync;
let held: Done[] | undefined;
let failing: NodeJS.ErrnoException | undefined;
let count = 0;
// Before the ledger is loaded, which takes the function as it finds it.
fs.fdatasync = Object.assign(
  (descriptor: number, done: Done) => {
    count += 1;
    const waiting = held;
    real(descriptor, (error) => {
      const result = failing ?? error;
      if (waiting === undefined) done(result);
      else waiting.push(() => done(result));
    });
  },
  { __promisify__: real.__promisify__ },
);
Reflect.deleteProperty(fs.fdatasync, "__promisify__");
syncBuiltinESMExports();
const { ledgerHome, sampleEvent } = await import("../../test/support/ledger.ts");

const turns = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("INV-11: with sync, an append resolves after its entry is on disk and not before", async (t) => {
  const ledger = await ledgerHome(t).open();
  const waiting: Done[] = [];
  held = waiting;
  let resolved = false;
  const append = ledger.append(sampleEvent(0), { sync: true }).then(() => (resolved = true));
  await ledger.append(sampleEvent(1)); // Without, nobody waits for the disk.
  while (waiting.length === 0) await turns(1);
  assert.equal(resolved, false);
  held = undefined;
  for (const done of waiting) done(null);
  await append;
  await ledger.close();
});

test("those who wait for the disk together wait once", async (t) => {
  const ledger = await ledgerHome(t).open();
  await ledger.append(sampleEvent(0), { sync: true });
  await ledger.checkpoint();
  count = 0;
  const appends = Array.from({ length: 200 }, (_, n) =>
    ledger.append(sampleEvent(n + 1), { sync: true }),
  );
  await Promise.all(appends);
  assert.ok(count <= 4, `${count} waits for 200 entries`);
  await ledger.close();
});

test("INV-9: fault ledger.failed: what does not reach the disk is not acknowledged, nor anything later", async (t) => {
  const ledger = await ledgerHome(t).open();
  failing = Object.assign(new Error("no"), { code: "EIO" });
  await assert.rejects(ledger.append(sampleEvent(0), { sync: true }), { code: "ledger.failed" });
  failing = undefined;
  await assert.rejects(ledger.append(sampleEvent(1)), { code: "ledger.failed" });
  await assert.rejects(ledger.close(), { code: "ledger.failed" });
});
