/** Retention in a home with a daemon: what is old goes, on record, with all that was its; what is needed stays. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DatabaseSync } from "node:sqlite";
import type { Event } from "../src/action/index.ts";
import type { RunInfo } from "../src/api/index.ts";
import { openApprovals, requestOf } from "../src/approval/approvals.fixture.ts";
import { systemClock } from "../src/base/index.ts";
import { CourierStore } from "../src/channel/index.ts";
import { openLedger } from "../src/ledger/index.ts";
import { eventually, TestHome } from "./support/home.ts";

const home = new TestHome();
after(() => home.close());
const path = (name: string) => join(home.state, name);
const json = (text: string) => JSON.parse(text) as Record<string, unknown>;

const OLD = "2025-01-15T12:00:00.000Z";
/** Of entries 0 to 2047, a quarter is of each. */
const RUNS = ["r-old1", "r-held", "r-old2", "r-late"];
const STUCK = "runs/r-old1/layer/discarded/1";

/** A home as it would be after a year: two runs that are over, one that is to be held, one that ended lately. */
before(async () => {
  const options = { dir: path("ledger"), keys: path("keys"), clock: systemClock };
  const ledger = await openLedger(options);
  for (let n = 0; n < 2048; n += 1) {
    const run = RUNS[Math.floor(n / 512)] ?? "";
    const event: Event = { type: "dns", at: OLD, monoMs: n, run, target: `secret-${n}.example` };
    await ledger.append(event);
  }
  await ledger.close();
  const clock = { now: () => ({ wallMs: Date.parse(OLD), monoMs: 0 }) };
  const approvals = openApprovals(path("approvals.db"), { clock });
  const messages = new CourierStore(path("channels.db"));
  for (const run of RUNS) {
    const { id } = await approvals.request(requestOf(run, run));
    await approvals.cancel(run, () => true, "the run ended");
    const shown = { digest: run, code: "1234", isWhole: true, isCard: true };
    messages.add("chat", { ref: `1/${run}`, order: 1, approval: id, ...shown });
    messages.addWrong(id);
  }
  approvals.close();
  messages.close();
  for (const [n, run] of RUNS.entries()) {
    const endedAt = run === "r-late" ? new Date().toISOString() : OLD;
    const info: RunInfo = {
      ...{ run, task: "t", purpose: "p", state: "ended", command: ["true"] },
      ...{ workspace: home.workspace, workspaceMode: "overlay", startedAt: OLD, endedAt },
      ...{ end: { code: 0, reason: "exited" }, entries: { first: 512 * n, last: 512 * n + 511 } },
      counts: { flows: 0, actions: 0, denials: 0, findings: 0 },
    };
    mkdirSync(path(`runs/${run}/recordings`), { recursive: true });
    writeFileSync(path(`runs/${run}/run.json`), JSON.stringify(info));
    writeFileSync(path(`runs/${run}/recordings/rec-1.cast`), "shown");
  }
  // One cannot be removed, not by root either: what is no folder stands where only folders are.
  mkdirSync(path("runs/r-old1/layer/discarded"), { recursive: true });
  writeFileSync(path(STUCK), "");
  mkdirSync(path("runs/r-old2/home/closed"), { recursive: true });
  writeFileSync(path("runs/r-old2/home/closed/file"), "");
  for (const folder of ["home/closed", "home"]) chmodSync(path(`runs/r-old2/${folder}`), 0);
});

test("retention shows what is due and why the rest stays, and removes nothing by being asked", async () => {
  const checkpoint = readFileSync(path("ledger/checkpoint"), "utf8");
  writeFileSync(join(home.root, "since"), checkpoint);
  await home.ask("retention.hold", { run: "r-held", why: "case 17" });
  const { stdout, code } = await home.call(["retention"]);
  assert.equal(code, 0);
  assert.match(stdout, /2025-01 +2048 /);
  assert.match(stdout, /kept for 6 months/);
  assert.match(stdout, /due: 1024 entries \(0-511, 1024-1535\)/);
  assert.match(stdout, /stays: entries 512-1023: r-held is on hold since .*: case 17/);
  assert.match(stdout, /stays: entries 1536-2047: r-late ended on .*, and is kept whole/);
  assert.ok(existsSync(path("tile/entries/000")) || existsSync(path("ledger/tile/entries/000")));
});

test("entries that an export has not sent stay, and it is said whose they are", async () => {
  mkdirSync(path("exports"), { recursive: true });
  writeFileSync(path("exports/a.json"), JSON.stringify({ next: 300, from: 290 }));
  const shown = await home.ask("retention.show", {});
  assert.deepEqual(shown.due.ranges, [{ from: 0, to: 256 }]);
  assert.match(shown.kept.find(({ from }) => from === 256)?.why ?? "", /exports\/a\.json/);
  rmSync(path("exports/a.json"));
});

test("INV-231: what is pruned goes with all that belonged to its run, and is on record; the rest stays", async () => {
  const proof = (await home.call(["prove", "7"])).stdout;
  writeFileSync(join(home.root, "entry-7"), proof);
  const done = json((await home.call(["retention", "--prune", "--json"])).stdout);
  assert.deepEqual(done["done"], { entries: 1024, runs: ["r-old1", "r-old2"] });
  assert.ok(!existsSync(path("runs/r-old2")));
  assert.ok(existsSync(path(STUCK)), "what cannot be removed keeps the others from nothing");
  for (const run of ["r-held", "r-late"])
    assert.ok(existsSync(path(`runs/${run}/recordings/rec-1.cast`)));
  assert.deepEqual((await home.runs({ all: true })).map(({ run }) => run).sort(), [
    "r-held",
    "r-late",
  ]);

  const log = await home.call(["log"]);
  assert.match(log.stderr, /entries 0-511 were pruned on \d{4}-\d\d-\d\d \(retention 6 months\)/);
  assert.match(log.stderr, /entries 1024-1535 were pruned/);
  assert.doesNotMatch(log.stdout, /secret-7\.example/);
  assert.match(log.stdout, /secret-600\.example/);
  assert.match((await home.call(["log", "r-old1"])).stderr, /were pruned/);

  const verify = await home.call(["verify", "--since", join(home.root, "since")]);
  assert.equal(verify.code, 0, verify.stdout);
  assert.match(verify.stdout, /entries 0-511 were pruned; their hashes are verified/);
  assert.match(
    verify.stdout,
    /entry \d+: pruned on .* by a retention of 6 months: 0-511, 1024-1535/,
  );

  const gone = await home.call(["prove", "7"]);
  assert.match(gone.stderr, /entries 0-511 were pruned/);
  const old = await home.call(["verify", "--proof", join(home.root, "entry-7")]);
  assert.match(old.stdout, /proven: entry 7 is in the record .*secret-7\.example/s);
  const by = ["verify", "--proof", join(home.root, "entry-7"), "--key", path("ledger/vkey")];
  assert.equal((await home.call(by)).code, 0, "as it stands, too");
  assert.equal((await home.call(["incident", "r-old1"])).code, 125);
});

test("a run that is released goes, and who held and released it is on record", async () => {
  const nothing = await home.call(["retention", "release", "r-late", "--why", "x"]);
  assert.match(nothing.stderr, /r-late is not on hold/);
  await assert.rejects(home.ask("retention.release", { run: "r-late", why: "x" }), {
    code: "retention.no_hold",
  });
  await assert.rejects(home.ask("retention.hold", { run: "r-none", why: "x" }), {
    code: "daemon.no_such_run",
  });
  await home.call(["retention", "release", "r-held", "--why", "case closed"]);
  assert.deepEqual((await home.ask("retention.prune", {})).runs, ["r-held"]);
  const { pruned } = await home.ask("ledger.pruned", {});
  assert.deepEqual(pruned, [{ from: 0, to: 1536 }]);
  const late = await home.call(["correlate", "--to", "secret-1600.example", "--json"]);
  assert.match(late.stdout, /"run":"r-late"/, "what is left is found behind what is gone");
  const told = (await home.log()).filter(({ type }) => type === "record");
  assert.deepEqual(
    told.map(({ run, data }) => [data?.["done"], run, data?.["why"]]),
    [
      ["hold", "r-held", "case 17"],
      ["prune", undefined, "older than 6 months"],
      ["release", "r-held", "case closed"],
      ["prune", undefined, "older than 6 months"],
    ],
  );
});

test("fault retention.settings: a setting that cannot be read prunes nothing; a short one is warned of", async () => {
  writeFileSync(path("retention.yaml"), "months: 0\n", { mode: 0o600 });
  await assert.rejects(home.ask("retention.prune", {}), { code: "retention.settings" });
  writeFileSync(path("retention.yaml"), "months: 3\n");
  assert.match((await home.ask("retention.show", {})).warning ?? "", /EU AI Act/);
  writeFileSync(path("retention.yaml"), "months: forever\n");
  const { due, cutoff } = await home.ask("retention.show", {});
  assert.deepEqual([due.entries, cutoff], [0, undefined]);
  rmSync(path("retention.yaml"));
  writeFileSync(path("holds.json"), "{", { mode: 0o600 });
  await assert.rejects(home.ask("retention.prune", {}), { code: "retention.holds" });
  writeFileSync(path("holds.json"), JSON.stringify({ version: 2, holds: [] }));
  await assert.rejects(home.ask("retention.prune", {}), { code: "base.format" });
  rmSync(path("holds.json"));
});

test("what could not be removed is nobody's, and keeps no daemon from starting", async () => {
  const pid = home.daemonPid() ?? 0;
  await home.call(["stop", "--force"]);
  await eventually("its end", 60_000, () => !existsSync(`/proc/${pid}`));
  assert.deepEqual(
    (await home.runs({ all: true })).map(({ run }) => run),
    ["r-late"],
  );
  assert.ok(existsSync(path(STUCK)));
  assert.match(readFileSync(path("daemon.log"), "utf8"), /"run\.unclaimed","run":"r-old1"/);
});

test("INV-231: nothing of a pruned run is left in a database, and all of the others is", async () => {
  const pid = home.daemonPid() ?? 0;
  await home.call(["stop", "--force"]); // It holds them alone.
  await eventually("its end", 60_000, () => (existsSync(`/proc/${pid}`) ? undefined : true));
  const rowsOf = (name: string) => {
    const database = new DatabaseSync(path(name));
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    const rows = tables.map(({ name: table }) => [
      String(table),
      database.prepare(`SELECT * FROM "${String(table)}"`).all(),
    ]);
    database.close();
    return Object.fromEntries(rows) as Record<string, Record<string, unknown>[]>;
  };
  const { approvals = [], actions = [], spools = [], ...more } = rowsOf("approvals.db");
  assert.deepEqual(
    approvals.map(({ run }) => run),
    ["r-late"],
  );
  const [late = ""] = approvals.map(({ id }) => String(id));
  for (const { id } of [...actions, ...spools, ...Object.values(more).flat()])
    assert.equal(id, late);
  assert.equal(actions.length, 1);
  const { messages = [], wrong = [] } = rowsOf("channels.db");
  assert.deepEqual(
    [...messages, ...wrong].map(({ approval }) => approval),
    [late, late],
  );
});
