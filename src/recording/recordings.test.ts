import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Event } from "../action/index.ts";
import {
  dataOf,
  Recordings,
  type RecordedAction,
  type Recording,
  type RecordingLimits,
} from "./index.ts";

const root = mkdtempSync(join(tmpdir(), "cofferdam-recordings-"));
after(() => rmSync(root, { recursive: true }));

const TERMINAL = { columns: 80, rows: 24 };
const ABOUT = {
  run: "r-1",
  action: "a-1",
  flow: "f-1",
  system: "server",
  target: "ssh://server",
  title: "a shell",
};
const SECRET = "s3cret-of-the-vault";

/** Recordings in a folder of their own, over a ledger in memory. */
class Kit {
  readonly runs = mkdtempSync(join(root, "runs-"));
  readonly events: Event[] = [];
  readonly recordings: Recordings;
  #ms = 1000;

  constructor(limits?: RecordingLimits) {
    const { events } = this;
    this.recordings = new Recordings({
      runs: this.runs,
      clock: { now: () => ({ wallMs: 1_700_000_000_000 + this.#ms, monoMs: (this.#ms += 100) }) },
      ...(limits === undefined ? {} : { limits }),
      ledger: {
        append: (event) => Promise.resolve(events.push(event) - 1),
        read: async function* () {
          for (const [seq, event] of events.entries()) yield { seq, event };
        },
      },
    });
  }

  async begin(change: Partial<RecordedAction> = {}): Promise<Recording> {
    return await this.recordings.begin({ ...ABOUT, ...change }, TERMINAL, [SECRET]);
  }

  /** As src/worker does it. */
  async end(recording: Recording): Promise<void> {
    const data = { recording: dataOf(await recording.seal()) };
    const { run, action } = ABOUT;
    this.events.push({ type: "outcome", at: "", monoMs: 0, run, action, system: "server", data });
    await this.recordings.settle(recording);
  }

  path({ id }: { readonly id: string }, part = ""): string {
    return join(this.runs, "r-1", "recordings", `${id}.cast${part}`);
  }

  async checks(): Promise<readonly string[]> {
    return (await this.recordings.list({})).map(({ state, check }) => `${state} ${check}`);
  }
}

test("a recording is an asciicast of mode 0600, and what the record says of it", async () => {
  const kit = new Kit();
  const recording = await kit.begin();
  await recording.shows(Buffer.from("é".repeat(2)).subarray(0, 3)); // A character comes in two pieces.
  await recording.shows(Buffer.from("é").subarray(1));
  await recording.resizes({ columns: 100, rows: 30 });
  assert.deepEqual(await kit.checks(), ["recording open"]);
  await kit.end(recording);
  const text = readFileSync(kit.path(recording), "utf8");
  const [header = "", ...events] = text.trimEnd().split("\n");
  const { version, width, height, timestamp } = JSON.parse(header) as Record<string, unknown>;
  assert.deepEqual([version, width, height, timestamp], [2, 80, 24, 1_700_000_001]);
  assert.deepEqual(
    events.map((line) => (JSON.parse(line) as unknown[]).slice(1)),
    [
      ["o", "é"],
      ["o", "é"],
      ["r", "100x30"],
    ],
  );
  assert.equal(statSync(kit.path(recording)).mode & 0o777, 0o600);
  assert.equal(statSync(join(kit.path(recording), "..")).mode & 0o777, 0o700);
  const sha256 = createHash("sha256").update(text).digest("hex");
  const said = kit.events[0]?.data?.["recording"] as Record<string, unknown>;
  assert.deepEqual(
    [said["sha256"], said["bytes"], said["isComplete"]],
    [sha256, Buffer.byteLength(text), true],
  );
  assert.deepEqual(await kit.checks(), ["complete ok"]);
});

test("a secret is in no recording, however its bytes come", async () => {
  const kit = new Kit();
  const recording = await kit.begin();
  for (const piece of [
    "a s3cr",
    "et-of",
    "-the-vault b ",
    SECRET,
    Buffer.from(SECRET).toString("base64"),
  ]) {
    await recording.shows(Buffer.from(piece));
  }
  await kit.end(recording);
  const text = readFileSync(kit.path(recording), "utf8");
  const shown = text
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => (JSON.parse(line) as string[])[2])
    .join("");
  assert.match(shown, /^a \S+ b /);
  for (const spelling of [SECRET, Buffer.from(SECRET).toString("base64"), "of-the"]) {
    assert.ok(!shown.includes(spelling), shown);
  }
});

test("INV-130: a file that is changed, lost, planted or not there any more shows", async () => {
  const kit = new Kit();
  const all: Recording[] = [];
  for (let n = 0; n < 4; n += 1) {
    const recording = await kit.begin();
    await recording.shows(Buffer.from("echo evil"));
    await kit.end(recording);
    all.push(recording);
  }
  const [same, longer, other, lost] = all.map((one) => kit.path(one));
  appendFileSync(longer ?? "", '[9,"o","more"]\n');
  writeFileSync(other ?? "", readFileSync(same ?? "", "utf8").replace("evil", "good"));
  rmSync(lost ?? "");
  writeFileSync(kit.path({ id: "rec-zzz" }), "{}");
  assert.deepEqual(await kit.checks(), [
    "complete ok",
    "complete changed",
    "complete changed",
    "complete missing",
    "incomplete unrecorded",
  ]);
  rmSync(join(kit.runs, "r-1"), { recursive: true });
  assert.deepEqual(new Set(await kit.checks()), new Set(["complete removed"]));
});

test("what a daemon left that died is put on record as it is, once, a torn line and all", async () => {
  const kit = new Kit();
  const recording = await kit.begin();
  await recording.shows(Buffer.from("whole"));
  appendFileSync(kit.path(recording, ".part"), '[9,"o","to');
  writeFileSync(kit.path({ id: "rec-zzz" }, ".part"), "");
  const again = new Recordings({
    runs: kit.runs,
    clock: { now: () => ({ wallMs: 1_800_000_000_000, monoMs: 0 }) },
    ledger: {
      append: (event) => Promise.resolve(kit.events.push(event) - 1),
      read: async function* () {
        for (const [seq, event] of kit.events.entries()) yield { seq, event };
      },
    },
  });
  await again.recover();
  await again.recover();
  assert.deepEqual(
    kit.events.map(({ type, run, action, data }) => [type, run, action, data?.["failed"]]),
    [
      ["outcome", "r-1", "a-1", "daemon"],
      ["outcome", "r-1", undefined, "daemon"],
    ],
  );
  const [one, empty] = await again.list({});
  assert.deepEqual(
    [one?.state, one?.check, one?.end, one?.system],
    ["incomplete", "ok", "the daemon died", "server"],
  );
  assert.deepEqual([empty?.check, empty?.bytes], ["ok", 0]);
  await recording.seal();
});

test("fault recording.full: a recording ends at its limit, and so do all of a home", async () => {
  const kit = new Kit({ oneBytes: 1000, runBytes: 9000, allBytes: 2500 });
  const ended: string[] = [];
  for (let n = 0; n < 4; n += 1) {
    const recording = await kit.begin().catch((error: unknown) => {
      ended.push(`refused: ${(error as Error).message}`);
    });
    if (recording === undefined) continue;
    await assert.rejects(
      async () => {
        for (;;) await recording.shows(Buffer.from("x".repeat(100)));
      },
      { code: "recording.full" },
    );
    await assert.rejects(recording.resizes({ columns: 1, rows: 1 }), { code: "recording.full" });
    await kit.end(recording);
    assert.ok(statSync(kit.path(recording)).size <= 1000);
    ended.push((await kit.recordings.list({ id: recording.id }))[0]?.end ?? "");
  }
  assert.match(ended[0] ?? "", /its recording is full \(1000 bytes\)/);
  assert.match(ended[2] ?? "", /all recordings together take 2500 bytes/);
  const [first = ""] = readdirSync(join(kit.runs, "r-1", "recordings"));
  rmSync(join(kit.runs, "r-1", "recordings", first));
  await kit.end(await kit.begin()); // There is room again.
});

/** Shows as much as it may, and tells how many bytes that was and why it ended. */
async function fill(recording: Recording): Promise<readonly [bytes: number, why: string]> {
  for (let n = 0; n < 1000; n += 1) {
    const why = await recording.shows(Buffer.from("x".repeat(100))).then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
    if (why !== undefined) return [recording.sofar.bytes, why];
  }
  return [recording.sofar.bytes, ""];
}

test("INV-166: recordings of one run take their run's room and leave that of others", async () => {
  const kit = new Kit({ oneBytes: 1000, runBytes: 1500, allBytes: 10_000 });
  // Two at once, and one behind them: together they take what one run may.
  const [one, two] = [await kit.begin(), await kit.begin()];
  const [first] = await fill(one);
  const [second, why] = await fill(two);
  assert.ok(first <= 1000 && first + second <= 1500 && first + second > 1300, `${first} ${second}`);
  assert.match(why, /all recordings of its run take 1500 bytes, as much as they may/);
  await kit.end(one);
  await assert.rejects(kit.begin(), { code: "recording.full" }, "nor is another begun");
  await kit.end(two);
  await assert.rejects(kit.begin(), { code: "recording.full" }, "nor when none is under way");

  // Benign twins: another run; one whose task names more; and this one when a person has made room.
  const other = await kit.begin({ run: "r-2" });
  assert.match((await fill(other))[1], /its recording is full/);
  const more = await kit.begin({ run: "r-1", runBytes: 3000 });
  assert.match((await fill(more))[1], /its recording is full/);
  await kit.end(more);
  rmSync(kit.path(one));
  rmSync(kit.path(more));
  await kit.end(await kit.begin());
  await other.seal();
});

test("a run's room is as its task file has it, also where that is less", async () => {
  const kit = new Kit({ oneBytes: 1000, runBytes: 1500, allBytes: 10_000 });
  const recording = await kit.begin({ runBytes: 500 });
  const [bytes, why] = await fill(recording);
  assert.ok(bytes <= 500);
  assert.match(why, /its run take 500 bytes/);
  await recording.seal();
});

test("fault recording.write: where a file cannot be made, nothing is begun; fault recording.none: nor read", async () => {
  const kit = new Kit();
  writeFileSync(join(kit.runs, "r-1"), "no folder");
  await assert.rejects(kit.begin(), { code: "recording.write" });
  const read = kit.recordings.read({ run: "r-1", id: "rec-none" });
  await assert.rejects(read[Symbol.asyncIterator]().next(), { code: "recording.none" });
});
