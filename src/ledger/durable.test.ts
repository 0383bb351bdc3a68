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
      // What comes when the hold is over is not held: nobody would let it go.
      if (waiting === undefined || waiting !== held) done(result);
      else waiting.push(() => done(result));
    });
  },
  { __promisify__: real.__promisify__ },
);
Reflect.deleteProperty(fs.fdatasync, "__promisify__");
/** What was flushed on the ledger's own thread, and how long such a flush shall seem to take. */
const realSync = fs.fdatasyncSync;
const here = { count: 0, slowMs: 0 };
fs.fdatasyncSync = (descriptor) => {
  here.count += 1;
  if (failing !== undefined) throw failing;
  realSync(descriptor);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, here.slowMs);
};
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

test("who waits alone is served at once, but after a slow flush by the thread pool", async (t) => {
  const ledger = await ledgerHome(t).open();
  const append = (n: number) => ledger.append(sampleEvent(n), { sync: true });
  await append(0); // Its journal's name has to reach the disk, too.
  for (let n = 1; here.count === 0; n += 1) await append(n); // A busy disk may be slow at first.
  here.slowMs = 200;
  for (const before = here.count; here.count === before;) await append(1); // Calm by now, and then slow.
  here.slowMs = 0;
  [here.count, count] = [0, 0];
  await append(2);
  assert.deepEqual([here.count, count > 0], [0, true], "no stall after a stall");
  await ledger.close();
});

test("INV-9: a flush that fails at once fails the ledger as well", async (t) => {
  const ledger = await ledgerHome(t).open();
  await ledger.append(sampleEvent(0), { sync: true });
  failing = Object.assign(new Error("no"), { code: "EIO" });
  await assert.rejects(ledger.append(sampleEvent(1), { sync: true }), { code: "ledger.failed" });
  failing = undefined;
  await assert.rejects(ledger.append(sampleEvent(2)), { code: "ledger.failed" });
  await assert.rejects(ledger.close(), { code: "ledger.failed" });
});

test("INV-9: fault ledger.failed: what does not reach the disk is not acknowledged, nor anything later", async (t) => {
  const ledger = await ledgerHome(t).open();
  failing = Object.assign(new Error("no"), { code: "EIO" });
  await assert.rejects(ledger.append(sampleEvent(0), { sync: true }), { code: "ledger.failed" });
  failing = undefined;
  await assert.rejects(ledger.append(sampleEvent(1)), { code: "ledger.failed" });
  await assert.rejects(ledger.close(), { code: "ledger.failed" });
});
