import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { ledgerHome, sampleEvent, writtenLedger } from "../../test/support/ledger.ts";
import {
  UNCOMMITTED_BYTES_MAX,
  openLedger,
  verifyLedger,
  verifyProof,
  type Ledger,
  type Recorded,
} from "./index.ts";

async function readAll(ledger: Ledger, from?: number, to?: number): Promise<Recorded[]> {
  const all: Recorded[] = [];
  for await (const entry of ledger.read(from, to)) all.push(entry);
  return all;
}

test("what is appended comes back in the order of the calls, now and after opening again", async (t) => {
  const home = ledgerHome(t);
  const ledger = await home.open();
  const events = Array.from({ length: 600 }, (_, n) => sampleEvent(n));
  const seqs = await Promise.all(events.map((event) => ledger.append(event)));
  assert.deepEqual(seqs, [...events.keys()]);
  const expected = events.map((event, seq) => ({ seq, event }));
  assert.deepEqual(await readAll(ledger), expected);
  assert.deepEqual(await readAll(ledger, 250, 260), expected.slice(250, 260));
  await ledger.close();
  const again = await home.open();
  assert.deepEqual(again.recovered, { unsigned: 0, cutBytes: 0 });
  assert.equal(await again.append(sampleEvent(600)), 600);
  assert.deepEqual((await readAll(again)).slice(0, 600), expected);
  await again.close();
});

test("checkpoint() covers what was appended before, with sync or without", async (t) => {
  const home = ledgerHome(t);
  const ledger = await home.open();
  await Promise.all([1, 2, 3].map((n) => ledger.append(sampleEvent(n), { sync: n === 2 })));
  await ledger.checkpoint();
  const report = await verifyLedger(home.copy().dir);
  assert.deepEqual([report.ok, report.size, report.unsigned], [true, 3, 0]);
  await ledger.close();
});

test("without sync, a commit follows by itself", async (t) => {
  const home = ledgerHome(t);
  const ledger = await home.open();
  await ledger.append(sampleEvent(0));
  const before = await verifyLedger(home.copy().dir);
  assert.deepEqual([before.ok, before.size, before.unsigned], [true, 0, 1], "written at once");
  while ((await verifyLedger(home.dir)).size === 0) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await ledger.close();
});

test("of the partial tiles only those of the last checkpoint stay", async (t) => {
  const home = ledgerHome(t);
  const ledger = await home.open();
  for (let n = 0; n < 270; n += 1) {
    await ledger.append(sampleEvent(n), { sync: n % 13 === 0 || n > 250 });
  }
  await ledger.close();
  const names = readdirSync(home.dir, { recursive: true }).map(String);
  assert.deepEqual(names.filter((name) => name.includes(".p")).sort(), [
    "tile/0/001.p",
    "tile/0/001.p/14",
    "tile/1/000.p",
    "tile/1/000.p/1",
    "tile/entries/001.p",
    "tile/entries/001.p/14",
  ]);
});

test("a listener gets every entry from its subscription to its end", async (t) => {
  const ledger = await ledgerHome(t).open();
  const heard: number[] = [];
  await ledger.append(sampleEvent(0));
  const stop = ledger.subscribe(({ seq, event }) => heard.push(seq, event.monoMs));
  await ledger.append(sampleEvent(10));
  await ledger.append(sampleEvent(20));
  stop();
  await ledger.append(sampleEvent(30));
  assert.deepEqual(heard, [1, 10, 2, 20]);
  await ledger.close();
});

test("a proof needs nothing but the key, and holds for every entry of a growing log", async (t) => {
  const ledger = await ledgerHome(t).open();
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 120 }),
    fc.nat(),
    async (more, pick) => {
      for (let n = 0; n < more; n += 1) await ledger.append(sampleEvent(ledger.size));
      const seq = pick % ledger.size;
      const proven = verifyProof(await ledger.prove(seq), ledger.verifierKey);
      assert.equal(proven.seq, seq);
      assert.deepEqual(proven.event, sampleEvent(seq));
      assert.ok(proven.size > seq && proven.size <= ledger.size);
    },
  );
  await fc.assert(property, { numRuns: 15 });
  await ledger.close();
});

test("any order of appends, syncs, checkpoints and openings leaves one log that verifies", async (t) => {
  const step = fc.oneof(
    fc.record({ append: fc.integer({ min: 1, max: 300 }), sync: fc.boolean() }),
    fc.constantFrom("open", "checkpoint", "prove"),
  );
  const property = fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
    const home = ledgerHome(t);
    let ledger = await home.open();
    const kept = [await ledger.checkpoint()];
    let count = 0;
    for (const one of steps) {
      if (one === "open") {
        await ledger.close();
        ledger = await home.open();
      } else if (one === "checkpoint") kept.push(await ledger.checkpoint());
      else if (one === "prove") {
        if (count > 0) verifyProof(await ledger.prove(count - 1), ledger.verifierKey);
      } else if (typeof one === "object") {
        const writes = Array.from({ length: one.append }, (_, n) =>
          ledger.append(sampleEvent(count + n), { sync: one.sync }),
        );
        count += (await Promise.all(writes)).length;
      }
    }
    assert.equal(ledger.size, count);
    await ledger.close();
    for (const since of kept) {
      const report = await verifyLedger(home.dir, { since });
      assert.deepEqual(report.problems, []);
      assert.equal(report.size, count);
    }
  });
  await fc.assert(property, { numRuns: 12 });
});

test("INV-23: fault ledger.locked: one opener at a time, in this process or another", async (t) => {
  const home = ledgerHome(t);
  const ledger = await home.open();
  await assert.rejects(home.open(), { code: "ledger.locked" });
  const child = new URL("../../test/support/ledger-child.ts", import.meta.url).pathname;
  const args = [child, home.dir, home.options.keys];
  assert.throws(() => execFileSync(process.execPath, args, { stdio: "pipe" }), /ledger\.locked/);
  await ledger.append(sampleEvent(0), { sync: true });
  await ledger.close();
  await (await home.open()).close();
});

test("fault ledger.closed: a closed ledger takes and gives nothing", async (t) => {
  const ledger = await ledgerHome(t).open();
  await ledger.append(sampleEvent(0));
  await ledger.close();
  await ledger.close();
  await assert.rejects(ledger.append(sampleEvent(1)), { code: "ledger.closed" });
  await assert.rejects(ledger.checkpoint(), { code: "ledger.closed" });
  await assert.rejects(readAll(ledger), { code: "ledger.closed" });
});

test("fault ledger.range: there is no proof of what is not there", async (t) => {
  const ledger = await ledgerHome(t).open();
  await ledger.append(sampleEvent(0));
  for (const seq of [-1, 1, 0.5, Number.NaN]) {
    await assert.rejects(ledger.prove(seq), { code: "ledger.range" });
  }
  await ledger.close();
});

test("fault ledger.busy: more than the disk takes is refused for now, and nothing else is lost", async (t) => {
  const ledger = await ledgerHome(t).open();
  const large = sampleEvent(0, { data: { pad: "x".repeat(32_000) } });
  const writes = [];
  const count = Math.ceil(UNCOMMITTED_BYTES_MAX / 32_000);
  for (let n = 0; n < count; n += 1) writes.push(ledger.append(large));
  const results = await Promise.allSettled(writes);
  const refused = results.filter((result) => result.status === "rejected");
  assert.ok(refused.length > 0 && refused.length < 100);
  for (const { reason } of refused) assert.equal((reason as { code: string }).code, "ledger.busy");
  await ledger.checkpoint();
  assert.equal(await ledger.append(large), results.length - refused.length, "then it goes on");
  await ledger.close();
});

test("fault ledger.event: a refused event takes no place", async (t) => {
  const ledger = await ledgerHome(t).open();
  const odd = { ...sampleEvent(0), extra: 1 };
  await assert.rejects(ledger.append(odd), { code: "ledger.event" });
  assert.equal(await ledger.append(sampleEvent(0)), 0);
  await ledger.close();
});

test("INV-9: fault ledger.failed: after a failed commit every append is refused, and the owner told", async (t) => {
  const home = ledgerHome(t);
  const told: string[] = [];
  const ledger = await openLedger({ ...home.options, onFailure: ({ code }) => told.push(code) });
  await ledger.append(sampleEvent(0));
  await ledger.checkpoint();
  // A real failure that no privilege passes: where the tiles' folder was there is a file.
  renameSync(join(home.dir, "tile"), join(home.root, "aside"));
  writeFileSync(join(home.dir, "tile"), "");
  await ledger.append(sampleEvent(1), { sync: true });
  await assert.rejects(ledger.checkpoint(), { code: "ledger.failed" });
  await assert.rejects(ledger.append(sampleEvent(2)), { code: "ledger.failed" });
  assert.equal(ledger.failure?.code, "ledger.failed");
  assert.deepEqual(told, ["ledger.failed"]);
  assert.equal((await readAll(ledger, 0, 1)).length, 1, "what is there can still be read");
  await assert.rejects(ledger.close(), { code: "ledger.failed" });
  rmSync(join(home.dir, "tile"));
  renameSync(join(home.root, "aside"), join(home.dir, "tile"));
  const again = await home.open();
  assert.equal(again.size, 2, "what was written is there");
  await again.close();
  assert.equal((await verifyLedger(home.dir)).ok, true);
});

test("the key is its owner's alone, the folder too, and the public half lies with the log", async (t) => {
  const home = await writtenLedger(t, 1);
  const key = join(home.options.keys, "ledger.key");
  assert.equal(statSync(key).mode & 0o777, 0o600);
  for (const dir of [home.dir, home.options.keys]) assert.equal(statSync(dir).mode & 0o777, 0o700);
  const vkey = readFileSync(join(home.dir, "vkey"), "utf8");
  const ledger = await home.open();
  assert.equal(`${ledger.verifierKey}\n`, vkey);
  await ledger.close();
});

const KEY_CASES: readonly (readonly [string, (key: string, dir: string) => void])[] = [
  ["the key is readable by others", (key) => chmodSync(key, 0o640)],
  ["the key is gone", (key) => rmSync(key)],
  ["the key is no key", (key) => writeFileSync(key, "log.example/a\nnonsense\n")],
  ["the ledger is gone", (_, dir) => rmSync(dir, { recursive: true })],
  ["the checkpoint is gone", (_, dir) => rmSync(join(dir, "checkpoint"))],
];
for (const [why, spoil] of KEY_CASES) {
  test(`fault ledger.key: ${why}, so nothing is opened and nothing begun anew`, async (t) => {
    const home = await writtenLedger(t, 3);
    spoil(join(home.options.keys, "ledger.key"), home.dir);
    await assert.rejects(home.open(), { code: "ledger.key" });
    await assert.rejects(home.open(), { code: "ledger.key" }, "and the lock was given back");
  });
}

test("a first start that was cut short before its key was kept begins anew", async (t) => {
  const home = ledgerHome(t);
  await (await home.open()).close();
  rmSync(join(home.options.keys, "ledger.key"));
  rmSync(join(home.dir, "journal"), { recursive: true });
  await (await home.open()).close();
  assert.equal((await verifyLedger(home.dir)).ok, true);
});
