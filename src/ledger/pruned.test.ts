import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sampleEvent, writtenLedger, type LedgerHome } from "../../test/support/ledger.ts";
import {
  LedgerReader,
  LedgerSnapshot,
  RANGES_AT_ONCE,
  renewProof,
  verifyLedger,
  verifyProof,
  type Ledger,
  type PruneOptions,
} from "./index.ts";
import { joinRanges } from "./pruned.ts";

const at = { at: "2026-12-01T00:00:00.000Z", monoMs: 1 };
const NOW: PruneOptions = { months: 6, at, pace: () => Promise.resolve() };
const bundle = (n: number) => `tile/entries/${String(n).padStart(3, "0")}`;
const RANGE = { from: 0, to: 512 };

async function seqsOf(ledger: Ledger): Promise<number[]> {
  const seqs: number[] = [];
  for await (const { seq } of ledger.read()) seqs.push(seq);
  return seqs;
}

/** The numbers `from` to before `to`. */
const span = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

test("INV-230: what was proven before a pruning stays provable, and the log goes on from every checkpoint", async (t) => {
  const home = await writtenLedger(t, 300);
  let ledger = await home.open();
  const checkpoints = [await ledger.checkpoint()];
  for (let n = 300; n < 1100; n += 1) await ledger.append(sampleEvent(n));
  checkpoints.push(await ledger.checkpoint());
  const [old, kept] = [await ledger.prove(7), await ledger.prove(900)];
  const pruning = await ledger.prune([RANGE], NOW);
  assert.deepEqual([pruning.seq, pruning.all], [1100, [RANGE]]);
  assert.ok(!existsSync(join(home.dir, bundle(0))) && existsSync(join(home.dir, bundle(2))));
  for (const opened of [false, true]) {
    assert.deepEqual(await seqsOf(ledger), span(512, ledger.size), "the front is passed over");
    await assert.rejects(ledger.prove(7), {
      code: "ledger.pruned",
      message: "entries 0-511 were pruned on 2026-12-01 (retention 6 months)",
    });
    assert.equal(verifyProof(await ledger.prove(900), ledger.verifierKey).seq, 900);
    await ledger.append(sampleEvent(ledger.size));
    await ledger.checkpoint();
    for (const proof of [old, kept]) {
      const { proof: renewed, proven } = await renewProof(home.dir, proof);
      assert.deepEqual(proven.event, verifyProof(proof, ledger.verifierKey).event);
      assert.equal(
        verifyProof(renewed, ledger.verifierKey).size,
        ledger.size,
        "today's checkpoint",
      );
    }
    for (const since of checkpoints) {
      const report = await verifyLedger(home.dir, { since });
      assert.deepEqual(report.problems, []);
      assert.deepEqual([report.pruned, report.prunings.length], [[RANGE], 1]);
      assert.equal(report.prunings[0]?.months, 6);
    }
    if (opened) continue;
    await ledger.close();
    ledger = await home.open();
    assert.deepEqual(ledger.pruning, pruning, "known again after opening");
  }
  await ledger.close();
});

test("INV-230: a proof of another log, or of a longer one, is not renewed", async (t) => {
  const home = await writtenLedger(t, 300);
  const copy = home.copy();
  const ledger = await home.open();
  await ledger.append(sampleEvent(300));
  const proof = await ledger.prove(300);
  await ledger.close();
  await assert.rejects(renewProof(copy.dir, proof), { code: "ledger.proof", message: /cut off/ });
  const other = await writtenLedger(t, 400);
  await assert.rejects(renewProof(other.dir, proof), { code: "ledger.note" });
  assert.equal((await renewProof(home.dir, proof)).proven.seq, 300);
});

test("INV-231: killed between any two steps of a pruning, the log verifies, opens, and is pruned in the end", async (t) => {
  const home = await writtenLedger(t, 800);
  const before = await home.open();
  const checkpoint = await before.checkpoint();
  const copies: LedgerHome[] = [];
  await before.prune([RANGE], { ...NOW, pace: async () => void copies.push(home.copy()) });
  await before.close();
  assert.equal(copies.length, 7, "a copy at every step, between two bundles too");
  const gone: number[] = [];
  for (const copy of copies) {
    const lying = await verifyLedger(copy.dir, { since: checkpoint });
    assert.deepEqual(lying.problems, [], "as it lies there");
    gone.push(lying.pruned.length === 0 ? 0 : (lying.pruned[0]?.to ?? 0));
    const ledger = await copy.open();
    if (ledger.pruning === undefined) await ledger.prune([RANGE], NOW);
    assert.deepEqual(await seqsOf(ledger), span(512, ledger.size));
    await ledger.close();
    const after = await verifyLedger(copy.dir, { since: checkpoint });
    assert.deepEqual([after.problems, after.pruned], [[], [RANGE]]);
    assert.ok(!existsSync(join(copy.dir, bundle(0))) && !existsSync(join(copy.dir, bundle(1))));
  }
  assert.deepEqual(gone, [0, 0, 0, 0, 256, 512, 512], "nothing goes before its entry is signed");
});

/** What somebody does who removes entries and says that retention did. */
const CLAIMS: readonly (readonly [string, RegExp, (home: LedgerHome) => void])[] = [
  [
    "a bundle that no pruning names",
    /no pruning is on record/,
    ({ dir }) => rmSync(join(dir, bundle(2))),
  ],
  [
    "with the pointer at an entry of another kind",
    /no pruning is on record/,
    ({ dir }) => {
      rmSync(join(dir, bundle(2)));
      writeFileSync(join(dir, "pruned"), "900 done\n");
    },
  ],
  [
    "the pointer taken away",
    /does not lead to the pruning/,
    ({ dir }) => rmSync(join(dir, "pruned")),
  ],
  ["the hashes as well", /missing or damaged/, ({ dir }) => rmSync(join(dir, "tile/0/001"))],
  [
    "a hash of a pruned entry altered",
    /missing or damaged|not the hashes/,
    ({ dir }) => {
      const bytes = readFileSync(join(dir, "tile/0/001"));
      bytes[40] = (bytes[40] ?? 0) ^ 1;
      writeFileSync(join(dir, "tile/0/001"), bytes);
    },
  ],
  [
    "other content in place of what was pruned",
    /not the entry that was signed/,
    ({ dir }) => writeFileSync(join(dir, bundle(0)), readFileSync(join(dir, bundle(2)))),
  ],
];
for (const [why, what, tamper] of CLAIMS) {
  test(`INV-232: who removes entries and calls it retention is found: ${why}`, async (t) => {
    const home = await writtenLedger(t, 1000);
    const ledger = await home.open();
    await ledger.prune([RANGE], NOW);
    await ledger.close();
    assert.equal((await verifyLedger(home.dir)).ok, true, "its benign twin");
    tamper(home);
    const report = await verifyLedger(home.dir);
    assert.equal(report.ok, false);
    assert.match(report.problems.map((problem) => problem.what).join("\n"), what);
  });
}

test("INV-232: an entry of pruning that no signature covers yet excuses nothing", async (t) => {
  const home = await writtenLedger(t, 600);
  const ledger = await home.open();
  const data = {
    done: "prune",
    months: 6,
    ranges: [{ ...RANGE, count: 512, root: "" }],
    all: [[0, 512]],
  };
  await ledger.append({ type: "record", ...at, data });
  const copy = home.copy();
  await ledger.close();
  for (const n of [0, 1]) rmSync(join(copy.dir, bundle(n)));
  writeFileSync(join(copy.dir, "pruned"), "600 done\n");
  const report = await verifyLedger(copy.dir);
  assert.equal(report.unsigned, 1);
  assert.match(report.problems[0]?.what ?? "", /no pruning is on record/);
});

test("INV-232: what an agent writes into an event is no pruning", async (t) => {
  const home = await writtenLedger(t, 600);
  const ledger = await home.open();
  const data = {
    done: "prune",
    months: 6,
    ranges: [{ ...RANGE, count: 512, root: "" }],
    all: [[0, 512]],
  };
  await ledger.append(
    sampleEvent(600, { data: { type: "record", ...data, event: { type: "record", data } } }),
  );
  await ledger.close();
  for (const n of [0, 1]) rmSync(join(home.dir, bundle(n)));
  writeFileSync(join(home.dir, "pruned"), "600 done\n");
  assert.match((await verifyLedger(home.dir)).problems[0]?.what ?? "", /no pruning is on record/);
  const opened = await home.open();
  assert.equal(opened.pruning, undefined);
  await assert.rejects(seqsOf(opened), { code: "ledger.corrupt" });
  await opened.close();
});

test("prunings add up, with what was held between them; an old one goes with its bundle", async (t) => {
  const home = await writtenLedger(t, 1300);
  const ledger = await home.open();
  await ledger.prune(
    [
      { from: 0, to: 256 },
      { from: 512, to: 768 },
    ],
    NOW,
  );
  for (let n = ledger.size; n < 2000; n += 1) await ledger.append(sampleEvent(n));
  await ledger.checkpoint();
  const second = await ledger.prune(
    [
      { from: 256, to: 512 },
      { from: 1280, to: 1536 },
    ],
    NOW,
  );
  assert.deepEqual(second.all, [
    { from: 0, to: 768 },
    { from: 1280, to: 1536 },
  ]);
  assert.deepEqual(await seqsOf(ledger), [...span(768, 1280), ...span(1536, ledger.size)]);
  const reader = new LedgerReader(home.dir);
  assert.deepEqual(reader.pruning, second);
  assert.deepEqual([reader.next(0), reader.next(800), reader.next(1300)], [768, 800, 1536]);
  assert.deepEqual(reader.from(10), []);
  assert.equal(reader.leaf(10)?.length, 64, "its hash stays");
  await ledger.close();
  const report = await verifyLedger(home.dir);
  assert.deepEqual([report.problems, report.pruned], [[], second.all]);
  assert.deepEqual(
    report.prunings.map(({ seq }) => seq),
    [second.seq],
    "entry 1300 went as well",
  );
});

test("a snapshot is the ledger of its checkpoint, pruned or not, while entries are added", async (t) => {
  const home = await writtenLedger(t, 1000);
  const ledger = await home.open();
  await ledger.prune([RANGE], NOW);
  const snapshot = await LedgerSnapshot.read(home.dir);
  for (let n = 0; n < 100; n += 1) await ledger.append(sampleEvent(n));
  await ledger.checkpoint();
  const copy = (await writtenLedger(t, 0)).copy();
  rmSync(copy.dir, { recursive: true });
  for await (const file of snapshot.files()) {
    const to = join(copy.dir, file.path);
    mkdirSync(join(to, ".."), { recursive: true });
    if ("bytes" in file) writeFileSync(to, file.bytes);
    else if (existsSync(file.at)) copyFileSync(file.at, to);
  }
  await ledger.close();
  const report = await verifyLedger(copy.dir, { publicKey: snapshot.verifierKey });
  assert.deepEqual([report.problems, report.size, report.pruned], [[], 1001, [RANGE]]);
});

for (const [why, ranges] of [
  ["not where bundles begin", [{ from: 0, to: 100 }]],
  ["the bundle that grows", [{ from: 512, to: 768 }]],
  ["backwards", [{ from: 256, to: 0 }]],
  ["nothing", []],
  [
    "one twice",
    [
      { from: 0, to: 256 },
      { from: 0, to: 256 },
    ],
  ],
  ["more than an entry can name", span(0, RANGES_AT_ONCE + 1).map((n) => ({ from: n, to: n + 1 }))],
] as const) {
  test(`fault ledger.range: not pruned: ${why}`, async (t) => {
    const home = await writtenLedger(t, 600);
    const ledger = await home.open();
    await assert.rejects(ledger.prune(ranges, NOW), { code: "ledger.range" });
    assert.equal(ledger.size, 600, "and nothing was put on record");
    await ledger.close();
  });
}

test("ranges that touch are joined", () => {
  const joined = joinRanges(
    [
      { from: 0, to: 256 },
      { from: 768, to: 1024 },
    ],
    [{ from: 256, to: 512 }],
  );
  assert.deepEqual(joined, [
    { from: 0, to: 512 },
    { from: 768, to: 1024 },
  ]);
});
