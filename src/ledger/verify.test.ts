import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import fc from "fast-check";
import { canonicalJson } from "../action/index.ts";
import { ledgerHome, sampleEvent, writtenLedger } from "../../test/support/ledger.ts";
import { verifyLedger, type VerifyOptions } from "./index.ts";
import { Frontier, leafHash } from "./merkle.ts";
import { frameEntry, splitBundle } from "./tile.ts";

type Home = ReturnType<typeof ledgerHome>;

// 600 entries: bundles 0 and 1 are full, bundle 2 has 88. `early` is the same log at 300.
let early: Home;
let full: Home;
let foreign: Home;
before(async (t) => {
  assert.ok("after" in t);
  early = await writtenLedger(t, 300);
  full = early.copy();
  const ledger = await full.open();
  for (let n = 300; n < 600; n += 1) await ledger.append(sampleEvent(n));
  await ledger.close();
  foreign = await writtenLedger(t, 600);
});

const at = (home: Home, file: string): string => join(home.dir, file);
const text = (home: Home, file: string): string => fs.readFileSync(at(home, file), "utf8");

/** Rewrites the entries of a bundle. */
function rewrite(home: Home, file: string, change: (entries: Buffer[]) => void): void {
  const entries = [...splitBundle(fs.readFileSync(at(home, file)), () => true).entries];
  change(entries);
  fs.writeFileSync(at(home, file), Buffer.concat(entries.map(frameEntry)));
}

/** Rewrites the hashes of a tile. */
function rehash(home: Home, file: string, change: (tile: Buffer) => void): void {
  const tile = fs.readFileSync(at(home, file));
  change(tile);
  fs.writeFileSync(at(home, file), tile);
}

function swap(home: Home, one: string, other: string): void {
  fs.renameSync(at(home, one), at(home, "aside"));
  fs.renameSync(at(home, other), at(home, one));
  fs.renameSync(at(home, "aside"), at(home, other));
}

const lie = (n: number): Buffer =>
  Buffer.from(canonicalJson(sampleEvent(n, { target: "nothing" })));
const BUNDLE = "tile/entries/001";
const JOURNAL = "journal/2";

/** What is done to the folder, the first entry named for it, the file named for it, and why. */
type Attack = readonly [
  why: string,
  attack: (home: Home) => void,
  seq: number | undefined,
  file: string,
];

const ATTACKS: readonly Attack[] = [
  [
    "edit: an entry says something else",
    (h) => rewrite(h, BUNDLE, (e) => (e[44] = lie(300))),
    300,
    BUNDLE,
  ],
  [
    "edit: one bit",
    (h) => rehash(h, BUNDLE, (bytes) => (bytes[5000] = (bytes[5000] ?? 0) ^ 1)),
    300,
    BUNDLE,
  ],
  [
    "edit: an entry and its hash",
    (h) => {
      rewrite(h, BUNDLE, (e) => (e[44] = lie(300)));
      rehash(h, "tile/0/001", (tile) => leafHash(lie(300)).copy(tile, 44 * 32));
    },
    256,
    "tile/1/000.p/2",
  ],
  ["edit: every file but the checkpoint made to fit", forgeAll, undefined, "checkpoint"],
  [
    "edit: an entry of the newest bundle",
    (h) => rewrite(h, JOURNAL, (e) => (e[5] = lie(517))),
    517,
    JOURNAL,
  ],
  [
    "edit: an entry of the newest bundle, in both its files",
    (h) => {
      for (const file of [JOURNAL, "tile/entries/002.p/88"])
        rewrite(h, file, (e) => (e[5] = lie(517)));
    },
    517,
    JOURNAL,
  ],
  [
    "reorder: two entries",
    (h) => rewrite(h, BUNDLE, (e) => ([e[7], e[9]] = [e[9] ?? lie(0), e[7] ?? lie(0)])),
    263,
    BUNDLE,
  ],
  ["reorder: two bundles", (h) => swap(h, "tile/entries/000", BUNDLE), 0, "tile/entries/000"],
  ["reorder: two tiles", (h) => swap(h, "tile/0/000", "tile/0/001"), 0, "tile/0/000"],
  [
    "reorder: a tile of another level",
    (h) => fs.copyFileSync(at(h, "tile/1/000.p/2"), at(h, "tile/0/002.p/88")),
    512,
    "tile/0/002.p/88",
  ],
  ["deletion: an entry", (h) => rewrite(h, BUNDLE, (e) => e.splice(50, 1)), 306, BUNDLE],
  [
    "deletion: an entry of the newest bundle",
    (h) => rewrite(h, JOURNAL, (e) => e.splice(3, 1)),
    515,
    JOURNAL,
  ],
  ["deletion: a bundle", (h) => fs.rmSync(at(h, BUNDLE)), 256, BUNDLE],
  [
    "a bundle that is no bundle yet",
    (h) => fs.renameSync(at(h, BUNDLE), at(h, "journal/1")),
    256,
    BUNDLE,
  ],
  ["deletion: a tile", (h) => fs.rmSync(at(h, "tile/0/000")), undefined, "tile/0/000"],
  [
    "deletion: a partial tile",
    (h) => fs.rmSync(at(h, "tile/1/000.p/2")),
    undefined,
    "tile/1/000.p/2",
  ],
  ["deletion: the checkpoint", (h) => fs.rmSync(at(h, "checkpoint")), undefined, "checkpoint"],
  ["deletion: the verifier key", (h) => fs.rmSync(at(h, "vkey")), undefined, "vkey"],
  ["insertion: an entry", (h) => rewrite(h, BUNDLE, (e) => e.splice(50, 0, lie(1))), 306, BUNDLE],
  [
    "insertion: an entry behind a full bundle",
    (h) => rewrite(h, BUNDLE, (e) => e.push(lie(1))),
    512,
    BUNDLE,
  ],
  [
    "insertion: bytes behind a full bundle",
    (h) => fs.appendFileSync(at(h, BUNDLE), "x"),
    512,
    BUNDLE,
  ],
  [
    "insertion: hashes behind a full tile",
    (h) => fs.appendFileSync(at(h, "tile/0/000"), Buffer.alloc(32)),
    256,
    "tile/0/000",
  ],
  [
    "insertion: an entry of the newest bundle",
    (h) => rewrite(h, JOURNAL, (e) => e.splice(3, 0, lie(1))),
    515,
    JOURNAL,
  ],
  ["truncation: the newest entries", (h) => rewrite(h, JOURNAL, (e) => e.splice(80)), 592, JOURNAL],
  ["truncation: the newest bundle", (h) => fs.rmSync(at(h, JOURNAL)), 512, JOURNAL],
  [
    "truncation: everything but the checkpoint",
    (h) => ["tile", "journal"].forEach((f) => fs.rmSync(at(h, f), { recursive: true })),
    0,
    "journal/0",
  ],
  [
    "truncation: the tail, in every file that has it",
    (h) => {
      fs.rmSync(h.dir, { recursive: true });
      fs.cpSync(early.dir, h.dir, { recursive: true });
      fs.copyFileSync(at(full, "checkpoint"), at(h, "checkpoint"));
    },
    300,
    "journal/1",
  ],
  [
    "forged checkpoint: a smaller size",
    (h) =>
      fs.writeFileSync(at(h, "checkpoint"), text(h, "checkpoint").replace("\n600\n", "\n599\n")),
    undefined,
    "checkpoint",
  ],
  [
    "forged checkpoint: another key's, over the same entries",
    (h) => fs.copyFileSync(at(foreign, "checkpoint"), at(h, "checkpoint")),
    undefined,
    "checkpoint",
  ],
  [
    "forged checkpoint: empty",
    (h) => fs.writeFileSync(at(h, "checkpoint"), ""),
    undefined,
    "checkpoint",
  ],
  [
    "another file",
    (h) => fs.writeFileSync(at(h, "tile/notes.txt"), "hello"),
    undefined,
    "tile/notes.txt",
  ],
  [
    "another bundle beyond the end",
    (h) => fs.copyFileSync(at(h, BUNDLE), at(h, "tile/entries/007")),
    undefined,
    "tile/entries/007",
  ],
  [
    "another journal beyond the end",
    (h) => fs.copyFileSync(at(h, JOURNAL), at(h, "journal/9")),
    undefined,
    "journal/9",
  ],
  [
    "a partial tile of another history",
    (h) => fs.writeFileSync(at(h, "tile/0/002.p/9"), Buffer.alloc(288, 1)),
    512,
    "tile/0/002.p/9",
  ],
  [
    "a partial bundle of another history",
    (h) => fs.writeFileSync(at(h, "tile/entries/002.p/1"), frameEntry(lie(2))),
    512,
    "tile/entries/002.p/1",
  ],
  [
    "a link instead of a file",
    (h) => fs.symlinkSync("/etc/passwd", at(h, "tile/0/003")),
    undefined,
    "tile/0/003",
  ],
];

/** Makes another entry 300 and everything that follows from it but the signature. */
function forgeAll(home: Home): void {
  rewrite(home, BUNDLE, (entries) => (entries[44] = lie(300)));
  const tree = new Frontier();
  for (const file of ["tile/entries/000", BUNDLE, JOURNAL]) {
    for (const entry of splitBundle(fs.readFileSync(at(home, file)), () => true).entries) {
      tree.append(leafHash(entry), ({ level, n, hashes }) => {
        fs.writeFileSync(at(home, `tile/${level}/00${n}`), Buffer.concat(hashes));
      });
    }
  }
  fs.writeFileSync(at(home, "tile/1/000.p/2"), Buffer.concat(tree.rows[1] ?? []));
}

test("INV-10: an untouched ledger is intact, in its place and as a copy", async () => {
  const here = await verifyLedger(full.dir);
  assert.deepEqual([here.ok, here.size, here.unsigned, here.problems], [true, 600, 0, []]);
  assert.deepEqual(await verifyLedger(full.copy().dir), here);
});

for (const [why, attack, seq, file] of ATTACKS) {
  test(`INV-10: shown, with its place: ${why}`, async () => {
    const home = full.copy();
    attack(home);
    const report = await verifyLedger(home.dir);
    assert.equal(report.ok, false);
    const [first] = report.problems;
    assert.deepEqual([first?.seq, first?.file], [seq, file], JSON.stringify(report.problems));
  });
}

test("what is altered at one place is one problem, not a flood of its consequences", async () => {
  const home = full.copy();
  rewrite(home, BUNDLE, (entries) => (entries[44] = lie(300)));
  const { problems } = await verifyLedger(home.dir);
  assert.deepEqual(problems, [{ seq: 300, file: BUNDLE, what: "not the entry that was signed" }]);
});

const OPTIONS: readonly (readonly [string, () => Home, () => VerifyOptions, boolean])[] = [
  ["the right key", () => full, () => ({ publicKey: text(full, "vkey") }), true],
  ["another key", () => full, () => ({ publicKey: text(foreign, "vkey") }), false],
  ["a key that is none", () => full, () => ({ publicKey: "nonsense" }), false],
  ["an earlier checkpoint", () => full, () => ({ since: text(early, "checkpoint") }), true],
  ["the same checkpoint", () => full, () => ({ since: text(full, "checkpoint") }), true],
  [
    "a checkpoint of another log",
    () => full,
    () => ({ since: text(foreign, "checkpoint") }),
    false,
  ],
  ["a folder that is not there", () => ({ ...full, dir: "/nonexistent" }), () => ({}), false],
];
for (const [why, home, options, ok] of OPTIONS) {
  test(`INV-10: with ${why} the ledger is ${ok ? "intact" : "not"}`, async () => {
    assert.equal((await verifyLedger(home().dir, options())).ok, ok);
  });
}

test("INV-10: the whole folder put back to an earlier state shows against a later checkpoint only", async () => {
  const old = early.copy();
  assert.equal((await verifyLedger(old.dir)).ok, true, "alone it is a true log of that time");
  const report = await verifyLedger(old.dir, { since: text(full, "checkpoint") });
  assert.equal(report.ok, false);
  assert.equal(report.problems[0]?.seq, 300, "the first entry that is gone");
});

test("INV-10: the key's holder who writes another history shows against an earlier checkpoint only", async (t) => {
  const home = ledgerHome(t);
  const kept = ledgerHome(t);
  await (await home.open()).close();
  fs.cpSync(home.root, kept.root, { recursive: true });
  for (const [one, change] of [
    [home, "told"],
    [kept, "true"],
  ] as const) {
    const ledger = await one.open();
    for (let n = 0; n < 20; n += 1) await ledger.append(sampleEvent(n, { target: change }));
    await ledger.close();
  }
  const ledger = await home.open();
  await ledger.append(sampleEvent(20), { sync: true });
  await ledger.close();
  assert.equal((await verifyLedger(home.dir)).ok, true, "alone it is a true log");
  const report = await verifyLedger(home.dir, { since: text(kept, "checkpoint") });
  assert.deepEqual(
    report.problems.map(({ file }) => file),
    ["(earlier checkpoint)"],
  );
});

test("INV-10: any change of any byte of any file of the ledger shows", async () => {
  const files = fs
    .readdirSync(full.dir, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => join(item.parentPath, item.name).slice(full.dir.length + 1));
  const home = full.copy();
  const change = fc.record({
    file: fc.constantFrom(...files),
    place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    bits: fc.integer({ min: 1, max: 255 }),
  });
  const property = fc.asyncProperty(change, async ({ file, place, bits }) => {
    const bytes = fs.readFileSync(at(home, file));
    const changed = Buffer.from(bytes);
    const offset = Math.floor(place * bytes.length);
    changed[offset] = (changed[offset] ?? 0) ^ bits;
    fs.writeFileSync(at(home, file), changed);
    const { ok } = await verifyLedger(home.dir);
    fs.writeFileSync(at(home, file), bytes);
    // White space around the verifier key is no part of it.
    assert.equal(ok, file === "vkey" && changed.toString().trim() === bytes.toString().trim());
  });
  await fc.assert(property, { numRuns: 40 });
});

test("a ledger in use verifies at any moment", async (t) => {
  const home = ledgerHome(t);
  const ledger = await home.open();
  const stop = new AbortController();
  const writer = (async () => {
    for (let n = 0; !stop.signal.aborted; n += 1) {
      await ledger.append(sampleEvent(n), { sync: n % 50 === 0 });
      if (n % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let n = 0; n < 6; n += 1) {
    const { problems } = await verifyLedger(home.dir);
    assert.deepEqual(problems, []);
  }
  stop.abort();
  await writer;
  await ledger.close();
});

test("progress counts up to the checkpoint's size, and a signal ends it early", async () => {
  const told: (readonly [number, number])[] = [];
  await verifyLedger(full.dir, { onProgress: (hashed, size) => told.push([hashed, size]) });
  assert.deepEqual(told[0], [0, 600]);
  assert.deepEqual(told.at(-1), [600, 600]);
  const stopped = new AbortController();
  const verifying = verifyLedger(full.dir, {
    onProgress: () => stopped.abort(),
    signal: stopped.signal,
  });
  await assert.rejects(verifying, { name: "AbortError" });
});
