import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Event } from "../action/index.ts";
import { systemClock } from "../base/index.ts";
import { decodeEvent } from "./entry.ts";
import { openLedger } from "./index.ts";
import { leafHash } from "./merkle.ts";
import { LedgerReader } from "./reader.ts";
import { entryOf, frameEntry, splitBundle } from "./tile.ts";

const eventOf = (n: number): Event => ({
  type: "dns",
  at: "2026-11-27T10:00:00.000Z",
  monoMs: n,
  target: `host-${n}.example`,
});

async function withLedger(use: (dir: string, keys: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "cofferdam-reader-"));
  try {
    await use(join(root, "ledger"), join(root, "keys"));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

test("beside the writer every entry that was acknowledged is read, sealed or not, and each once", async () => {
  await withLedger(async (dir, keys) => {
    const ledger = await openLedger({ dir, keys, clock: systemClock });
    const reader = new LedgerReader(dir);
    assert.deepEqual(reader.from(0), []);
    let read = 0;
    for (let n = 0; n < 1500; n += 1) {
      await ledger.append(eventOf(n));
      if (n % 7 > 0) continue;
      const entries = reader.from(read);
      for (const bytes of entries) {
        assert.equal(decodeEvent(bytes, read).target, `host-${read}.example`);
        read += 1;
      }
      // A bundle at a time: the rest of what is there comes with the next one.
      assert.ok(read === n + 1 || read % 256 === 0, `${read} of ${n + 1}`);
    }
    await ledger.checkpoint();
    assert.equal(reader.signedSize, 1500);
    assert.equal(reader.verifierKey, ledger.verifierKey);
    assert.equal(reader.entry(1500), undefined);
    const entry = reader.entry(777);
    assert.ok(entry !== undefined);
    assert.equal(reader.leaf(777), leafHash(entry).toString("hex"));
    await ledger.close();
  });
});

test("a sealed entry that was changed is ledger.corrupt; its neighbours are read", async () => {
  await withLedger(async (dir, keys) => {
    const ledger = await openLedger({ dir, keys, clock: systemClock });
    await Promise.all(Array.from({ length: 300 }, async (_, n) => ledger.append(eventOf(n))));
    await ledger.close();
    const bundle = join(dir, "tile", "entries", "000");
    const bytes = readFileSync(bundle);
    const text = bytes.indexOf("host-100.example");
    bytes.write("X", text);
    writeFileSync(bundle, bytes);
    const reader = new LedgerReader(dir);
    assert.throws(() => reader.entry(100), { code: "ledger.corrupt", message: /entry 100/ });
    assert.throws(() => reader.from(0), { code: "ledger.corrupt" });
    assert.ok(reader.entry(99) !== undefined && reader.entry(101) !== undefined);
    assert.equal(reader.from(256).length, 44);
  });
});

test("an entry is found in a bundle where splitting finds it, however it is cut off", () => {
  const entries = ["a", "", "ccc", "d".repeat(300)].map((text) => Buffer.from(text));
  const whole = Buffer.concat(entries.map(frameEntry));
  for (let length = 0; length <= whole.length; length += 1) {
    const bundle = whole.subarray(0, length);
    const split = splitBundle(bundle, () => true).entries;
    for (let place = 0; place < 6; place += 1) {
      assert.deepEqual(entryOf(bundle, place), split[place], `${place} of ${length} bytes`);
    }
  }
});
