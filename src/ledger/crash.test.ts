import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  ledgerHome,
  sampleEvent,
  writtenLedger,
  type LedgerHome,
} from "../../test/support/ledger.ts";
import { verifyLedger } from "./index.ts";
import { leafHash } from "./merkle.ts";
import { splitBundle } from "./tile.ts";

const CHILD = new URL("../../test/support/ledger-child.ts", import.meta.url).pathname;
const KILLS = 5;

/** Lets a child append until `delayMs` after its first entry, kills it, and gives what it had acknowledged. */
async function appendUntilKilled(dir: string, keys: string, delayMs: number): Promise<number[]> {
  const child = spawn(process.execPath, [CHILD, dir, keys], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.once("data", () => setTimeout(() => child.kill("SIGKILL"), delayMs));
  child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  await new Promise((resolve) => child.once("close", resolve));
  assert.equal(child.signalCode, "SIGKILL");
  return printed.slice(0, printed.lastIndexOf("\n")).split("\n").map(Number);
}

test("INV-11: kill -9 at any instant loses no acknowledged entry, and leaves a ledger that verifies", async (t) => {
  const home = ledgerHome(t);
  let size = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const seqs = await appendUntilKilled(home.dir, home.options.keys, Math.random() * 60);
    assert.equal(seqs[0], size, "it went on where the last one ended");
    const before = await verifyLedger(home.dir);
    assert.deepEqual(before.problems, [], "as it lies there, before anything mends it");
    const ledger = await home.open();
    const last = seqs.at(-1) ?? -1;
    assert.ok(ledger.size > last, `entry ${last} was acknowledged, and ${ledger.size} are there`);
    assert.equal(before.size + before.unsigned, ledger.size);
    const lastSynced = seqs.findLast((seq) => seq % 500 === 499) ?? -1;
    assert.ok(before.size + before.unsigned > lastSynced);
    for await (const { seq, event } of ledger.read(size)) {
      assert.deepEqual({ ...event, data: undefined }, { ...sampleEvent(seq), data: undefined });
    }
    size = ledger.size;
    await ledger.close();
    const after = await verifyLedger(home.dir);
    assert.deepEqual([after.problems, after.size, after.unsigned], [[], size, 0]);
  }
  assert.ok(size > KILLS);
});

/** A ledger of 300 signed entries (44 of them in journal 1), and three that only are written. */
async function unsignedTail(t: TestContext): Promise<LedgerHome> {
  const home = await writtenLedger(t, 300);
  const ledger = await home.open();
  for (let n = 300; n < 303; n += 1) await ledger.append(sampleEvent(n));
  const copy = home.copy(); // Before the commit's time has come: nothing waited meanwhile.
  await ledger.close();
  assert.equal((await verifyLedger(copy.dir)).unsigned, 3);
  return copy;
}

/** What a power loss may do to bytes that no fdatasync covered, and how many entries that leaves. */
const TORN: readonly (readonly [
  string,
  (journal: Buffer, ends: readonly number[]) => Buffer,
  number,
])[] = [
  ["nothing", (journal) => journal, 303],
  ["cut within the last entry", (journal) => journal.subarray(0, -5), 302],
  ["cut within a length", (journal, ends) => journal.subarray(0, (ends[301 - 256] ?? 0) + 1), 302],
  [
    "zeroes for the last entry",
    (journal, ends) => Buffer.from(journal).fill(0, ends[301 - 256]),
    302,
  ],
  [
    "zeroes in the middle of what was not synced",
    (journal, ends) => Buffer.from(journal).fill(0, ends[300 - 256], ends[301 - 256]),
    301,
  ],
  ["all of it", (journal, ends) => journal.subarray(0, ends[299 - 256]), 300],
  ["the file longer, with zeroes", (journal) => Buffer.concat([journal, Buffer.alloc(4096)]), 303],
];
for (const [why, tear, size] of TORN) {
  test(`a power loss takes only what was never synced: ${why}`, async (t) => {
    const home = await unsignedTail(t);
    const path = join(home.dir, "journal/1");
    const journal = fs.readFileSync(path);
    const torn = tear(journal, endsOf(journal));
    fs.writeFileSync(path, torn);
    assert.deepEqual((await verifyLedger(home.dir)).problems, []);
    const ledger = await home.open();
    assert.deepEqual([ledger.size, ledger.recovered.unsigned], [size, size - 300]);
    assert.equal(ledger.recovered.cutBytes, torn.length - (endsOf(journal)[size - 1 - 256] ?? 0));
    assert.equal(await ledger.append(sampleEvent(size), { sync: true }), size, "and it goes on");
    await ledger.close();
    assert.deepEqual((await verifyLedger(home.dir)).problems, []);
  });
}

/** Where each entry of a journal ends. */
function endsOf(journal: Buffer): number[] {
  let end = 0;
  return splitBundle(journal, () => true).entries.map((entry) => (end += 2 + entry.length));
}

test("a power loss that takes the end of one journal takes the next one with it", async (t) => {
  const home = await writtenLedger(t, 300);
  const ledger = await home.open();
  for (let n = 300; n < 530; n += 1) await ledger.append(sampleEvent(n));
  const copy = home.copy();
  await ledger.close();
  assert.equal((await verifyLedger(copy.dir)).unsigned, 230);
  fs.truncateSync(join(copy.dir, "journal/1"), fs.statSync(join(copy.dir, "journal/1")).size - 1);
  const opened = await copy.open();
  assert.equal(opened.size, 511);
  await opened.close();
  assert.deepEqual((await verifyLedger(copy.dir)).problems, []);
});

test("what a power loss did to partial tiles and the scratch file is written again", async (t) => {
  const home = await writtenLedger(t, 300);
  fs.writeFileSync(join(home.dir, "scratch"), "half a ti");
  fs.writeFileSync(join(home.dir, "tile/0/001.p/44"), "");
  fs.rmSync(join(home.dir, "tile/entries/001.p/44"));
  assert.equal((await verifyLedger(home.dir)).problems.length, 2);
  await (await home.open()).close();
  assert.deepEqual((await verifyLedger(home.dir)).problems, []);
});

/** Damage below the checkpoint: nothing that a crash does. */
const DAMAGE: readonly (readonly [string, (path: (file: string) => string) => void])[] = [
  ["the journal is cut below the checkpoint", (path) => fs.truncateSync(path("journal/1"), 2000)],
  ["the journal is gone", (path) => fs.rmSync(path("journal/1"))],
  ["a signed entry is altered", (path) => alter(path("journal/1"), 60)],
  ["a full tile is altered", (path) => alter(path("tile/0/000"), 60)],
  ["a full tile is gone", (path) => fs.rmSync(path("tile/0/000"))],
  ["the checkpoint is altered", (path) => alter(path("checkpoint"), 40)],
  ["the checkpoint is empty", (path) => fs.truncateSync(path("checkpoint"))],
  ["the verifier key is another", (path) => alter(path("vkey"), 20)],
];
function alter(path: string, place: number): void {
  const bytes = fs.readFileSync(path);
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  fs.writeFileSync(path, bytes);
}
for (const [why, damage] of DAMAGE) {
  test(`fault ledger.corrupt: nothing is mended below the checkpoint: ${why}`, async (t) => {
    const home = await writtenLedger(t, 300);
    damage((file) => join(home.dir, file));
    const before = fs.readFileSync(join(home.dir, "checkpoint"));
    await assert.rejects(home.open(), { code: "ledger.corrupt", hint: /cofferdam verify/ });
    assert.deepEqual(fs.readFileSync(join(home.dir, "checkpoint")), before, "and left as it is");
  });
}

/** A ledger of 600 entries whose last commit was cut short before its checkpoint of 300 was replaced. */
async function beforeCheckpoint(t: TestContext): Promise<LedgerHome> {
  const home = await writtenLedger(t, 300);
  const before = home.copy();
  const ledger = await home.open();
  for (let n = 300; n < 600; n += 1) await ledger.append(sampleEvent(n));
  await ledger.close();
  // The checkpoint of 300 and its partial tiles lie there until after the new checkpoint.
  fs.rmSync(join(before.dir, "journal"), { recursive: true });
  fs.cpSync(before.dir, home.dir, { recursive: true });
  return home;
}

test("a commit that was cut short before its checkpoint is done again", async (t) => {
  const home = await beforeCheckpoint(t);
  const { problems, size, unsigned } = await verifyLedger(home.dir);
  assert.deepEqual([problems, size, unsigned], [[], 300, 300]);
  const ledger = await home.open();
  assert.deepEqual([ledger.size, ledger.recovered], [600, { unsigned: 300, cutBytes: 0 }]);
  await ledger.close();
  assert.deepEqual((await verifyLedger(home.dir)).problems, []);
});

test("fault ledger.corrupt: a bundle is never torn, so a short one is damage even unsigned", async (t) => {
  const home = await beforeCheckpoint(t);
  const bundle = join(home.dir, "tile/entries/001");
  fs.truncateSync(bundle, fs.statSync(bundle).size - 5);
  await assert.rejects(home.open(), { code: "ledger.corrupt", message: /^entry 511 / });
});

test("fault ledger.corrupt: an altered entry is not read out, nor proved", async (t) => {
  const home = await writtenLedger(t, 300);
  const ledger = await home.open();
  const bundle = join(home.dir, "tile/entries/000");
  alter(bundle, 60);
  await assert.rejects(ledger.read(0, 1)[Symbol.asyncIterator]().next(), {
    code: "ledger.corrupt",
  });
  await assert.rejects(ledger.prove(0), { code: "ledger.corrupt" });
  // With its hash made to fit it, only the tree still knows.
  const entries = splitBundle(fs.readFileSync(bundle), () => true).entries;
  const tile = fs.readFileSync(join(home.dir, "tile/0/000"));
  Buffer.concat(entries.map(leafHash)).copy(tile);
  fs.writeFileSync(join(home.dir, "tile/0/000"), tile);
  await assert.rejects(ledger.prove(0), { code: "ledger.proof" });
  await ledger.close();
});

test("INV-9: fault ledger.failed: an entry that is written in part only is refused, and taken back", async (t) => {
  const home = ledgerHome(t);
  // No file may pass 32 KiB, so one write to the journal ends in its middle.
  const script = `trap "" XFSZ; ulimit -f 64; exec "$@"`;
  const args = ["-c", script, "sh", process.execPath, CHILD, home.dir, home.options.keys, "5000"];
  const run = spawnSync("sh", args, { encoding: "utf8" });
  assert.equal(run.status, 0, run.stderr);
  const lines = run.stdout.trim().split("\n");
  assert.deepEqual(lines.slice(-2), ["ledger.failed", "again refused: true"]);
  const ledger = await home.open();
  assert.equal(ledger.size, lines.length - 2, "the acknowledged entries, and no other");
  assert.equal(ledger.recovered.cutBytes, 0, "nothing of the refused one");
  await ledger.close();
});

test("INV-9: fault ledger.failed: on a full disk the append is refused, and every later one", async (t) => {
  const home = ledgerHome(t);
  fs.mkdirSync(home.dir);
  // A file system of 256 KiB in a mount namespace of its own; the ledger is copied out at the end.
  const script = `mount -t tmpfs -o size=256k none "$1" && "$2" "$3" "$1" "$4" 5000; cp -a "$1" "$5"`;
  const copy = join(home.root, "copy");
  const args = [home.dir, process.execPath, CHILD, home.options.keys, copy];
  const run = spawnSync("unshare", ["-rm", "sh", "-c", script, "sh", ...args], {
    encoding: "utf8",
  });
  assert.equal(run.status, 0, run.stderr);
  const lines = run.stdout.trim().split("\n");
  assert.deepEqual(lines.slice(-2), ["ledger.failed", "again refused: true"]);
  const acknowledged = lines.length - 2;
  assert.ok(acknowledged > 50 && acknowledged < 5000);
  const report = await verifyLedger(copy);
  assert.deepEqual(report.problems, []);
  assert.ok(report.size + report.unsigned >= acknowledged, "nothing acknowledged is lost");
});
