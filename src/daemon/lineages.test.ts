/** Lineages by themselves: what is kept when the daemon dies, what is bounded, and what comes at the same time. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { UNKNOWN_PROCESS, type Action, type Event } from "../action/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { parseLineages } from "../policy/index.ts";
import { Canaries } from "./canary.ts";
import { lineageRulesOf } from "./lineage-of.ts";
import { LineageStore } from "./lineage-store.ts";
import { LineageUses } from "./lineage-uses.ts";
import { Lineages, type Member } from "./lineages.ts";

function folder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), "cofferdam-test-lineages-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

function open(
  file: string,
  rules = "lineages: []\nshared: []\n",
  events: Event[] = [],
  most = 100,
): Lineages {
  const ledger = { append: async (event: Event) => events.push(event) } as unknown as Ledger;
  return new Lineages({
    file,
    clock: { now: () => ({ wallMs: 5, monoMs: 5 }) },
    log: { info: () => {}, warn: () => {} },
    ledger,
    rules: () => parseLineages(rules, "lineages.yaml"),
    everOf: () => [],
    most,
  });
}

/** A run that does as it is told, after `wait`. */
function member(id: string, wait: () => Promise<void> = async () => {}) {
  const ended = Promise.withResolvers<void>();
  const did: string[] = [];
  let alive = true;
  const run: Member = {
    id,
    ended: ended.promise,
    get alive() {
      return alive;
    },
    close: async (lineage) => {
      await wait();
      did.push(`close ${lineage}`);
    },
    reopen: async (lineage) => void did.push(`reopen ${lineage}`),
    stop: (reason) => {
      did.push(`stop ${reason}`);
      alive = false;
      ended.resolve();
    },
    finding: (kind, detail) => void did.push(`${kind} ${detail}`),
  };
  return { run, did };
}

function action(change: Partial<Action> = {}): Action {
  return {
    ...{ id: "a-1", run: "r-1", at: "2026-11-27T12:00:00.000Z", monoMs: 1, system: "shop" },
    ...{ kind: "http", verb: "GET", effects: ["read"], target: "https://a.test/p", summary: "" },
    ...{ digest: "", fields: { host: "a.test", port: 443 }, cause: UNKNOWN_PROCESS },
    ...change,
  };
}

const BUDGET = "lineages:\n  - lineage: job:*\n    budget: { requests: 256, destinations: 2 }\n";

test("INV-242 a pause is on disk before any run is told, and one that cannot be stopped is ended", async (t) => {
  const file = join(folder(t), "lineages.db");
  const lineages = open(file);
  const fails = member("r-1", () => Promise.reject(new Error("it does not stop")));
  const { run, did } = member("r-2");
  lineages.join(fails.run, ["job:a"]);
  lineages.join(run, ["job:a", "agent:x"]);
  const pausing = lineages.pause("job:a", "by hand");
  assert.equal(lineages.pausedOf(["job:a"]), "job:a", "at once");
  assert.throws(() => lineages.join(member("r-3").run, ["agent:y", "job:a"]), {
    code: "lineage.paused",
  });
  assert.equal((await pausing).runs, 2);
  assert.deepEqual([did, fails.did], [["close job:a"], ["stop finding"]]);
  lineages.close();
  const next = open(file);
  assert.throws(() => next.requireOpen(["job:a"]), { code: "lineage.paused" });
  next.requireOpen(["job:b"]);
  next.close();
});

test("a pause that comes while it is being resumed stands", async (t) => {
  const lineages = open(join(folder(t), "lineages.db"));
  const { run } = member("r-1");
  lineages.join(run, ["job:a"]);
  await lineages.pause("job:a", "first");
  const resuming = lineages.resume("job:a");
  const pausing = lineages.pause("job:a", "second");
  await assert.rejects(resuming, { code: "daemon.state" });
  await pausing;
  assert.equal(lineages.pausedOf(["job:a"]), "job:a");
  lineages.close();
});

test("INV-243 what was used up is not had again after a death, and at a close nothing is lost", (t) => {
  const file = join(folder(t), "lineages.db");
  const rules = parseLineages(BUDGET, "lineages.yaml");
  const budget = rules.budgetOf(["job:a"]);
  assert.ok(budget !== undefined);
  const died = new LineageStore(file);
  const uses = new LineageUses(died, "job:a", budget);
  for (let n = 0; n < 100; n += 1) uses.take(action());
  died.close(); // Without settling: so a daemon dies.
  const store = new LineageStore(file);
  const after = new LineageUses(store, "job:a", budget);
  const { requests } = after.use.counts;
  assert.ok(requests >= 100 && requests <= 102, `${requests}`);
  let more = 0;
  for (; after.lackFor(action()) === undefined; more += 1) after.take(action());
  assert.equal(requests + more, 256);
  after.settle();
  assert.equal(new LineageUses(store, "job:a", budget).use.counts.requests, 256);
  const other = action({ fields: { host: "b.test", port: 443 } });
  assert.equal(new LineageUses(store, "job:b", budget).lackFor(other), undefined);
  store.close();
});

test("lineage.store: what cannot be written down is not let through", (t) => {
  const root = folder(t);
  const lineages = open(join(root, "lineages.db"), BUDGET);
  lineages.join(member("r-1").run, ["job:a"]);
  assert.equal(lineages.admit(["job:a"], action()), undefined);
  lineages.close();
  assert.throws(() => lineages.admit(["job:a"], action({ fields: { host: "b.test", port: 1 } })), {
    code: "lineage.store",
  });
  mkdirSync(join(root, "folder.db"));
  assert.throws(() => new LineageStore(join(root, "folder.db")), { code: "lineage.store" });
});

test("bytes of a connection are counted once, while it is open", (t) => {
  const store = new LineageStore(join(folder(t), "lineages.db"));
  const uses = new LineageUses(store, "job:a", { bytes: 1000 });
  const note = (type: Event["type"], bytesOut: number, bytesIn: number) =>
    uses.note({ type, at: "", monoMs: 1, flow: "f-1", data: { bytesOut, bytesIn } });
  note("outcome", 100, 300);
  assert.equal(uses.use.counts.bytes, 400);
  note("outcome", 0, 100);
  note("flow.close", 150, 450);
  assert.equal(uses.use.counts.bytes, 600);
  note("outcome", 0, 500);
  assert.match(uses.lackFor(action()) ?? "", /1000 bytes are used up/);
  store.close();
});

test("the processor time of a job that is used up pauses it", async (t) => {
  const events: Event[] = [];
  const lineages = open(
    join(folder(t), "lineages.db"),
    "lineages:\n  - lineage: job:a\n    budget: { cpu: 10s }\n",
    events,
  );
  const [one, two] = [member("r-1"), member("r-2")];
  lineages.join(one.run, ["job:a"]);
  lineages.join(two.run, ["job:a"]);
  lineages.spent("r-1", "cpuMs", 6000);
  lineages.spent("r-1", "gpuMs", 60_000);
  assert.equal(lineages.pausedOf(["job:a"]), undefined);
  lineages.spent("r-2", "cpuMs", 4000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([one.did, two.did], [["close job:a"], ["close job:a"]]);
  lineages.close();
});

test("so does its GPU time, of all its runs together and over a restart", async (t) => {
  const file = join(folder(t), "lineages.db");
  const rules = "lineages:\n  - lineage: job:a\n    budget: { gpu: 10s }\n";
  const before = open(file, rules, []);
  before.join(member("r-1").run, ["job:a"]);
  before.spent("r-1", "cpuMs", 60_000);
  before.spent("r-1", "gpuMs", 6000);
  assert.equal(before.pausedOf(["job:a"]), undefined);
  before.close();
  const after = open(file, rules, []);
  const two = member("r-2");
  after.join(two.run, ["job:a"]);
  after.spent("r-2", "gpuMs", 4000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(two.did, ["close job:a"]);
  after.close();
});

test("a thousand lineages of runs that ended leave nothing in memory", async (t) => {
  const lineages = open(join(folder(t), "lineages.db"));
  for (let n = 0; n < 1000; n += 1) {
    const { run } = member(`r-${n}`);
    lineages.join(run, [`job:j${n}`, `agent:a${n}`]);
    run.stop("killed", "");
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(lineages.list(), []);
  lineages.close();
});

test("INV-244 what was sticky in one run of a lineage is so in all, whichever way", (t) => {
  const lineages = open(join(folder(t), "lineages.db"));
  for (const id of ["r-1", "r-2", "r-3", "r-4"]) lineages.join(member(id).run, ["job:a"]);
  lineages.join(member("r-9").run, ["job:b"]);
  const tries = (run: string, route: string, target = "secret.test") =>
    lineages.denied(run, { target, route, monoMs: 1 }, false);
  assert.equal(tries("r-1", "one"), undefined);
  assert.equal(
    tries("r-2", "one"),
    undefined,
    "the same of many, as of rollouts that are alike, is one way",
  );
  assert.equal(tries("r-2", "two"), undefined);
  assert.equal(tries("r-3", "three"), "job:a");
  assert.equal(tries("r-4", "one"), "job:a", "from now on any way is");
  assert.equal(tries("r-9", "four"), undefined, "of another lineage");
  assert.equal(tries("r-4", "one", "update.test"), undefined, "an unrelated name is none");
  lineages.close();
});

test("lineage.full: who pauses or begins lineages without end is refused, and what is known goes on", async (t) => {
  const lineages = open(join(folder(t), "lineages.db"), BUDGET, [], 3);
  for (const name of ["a", "b", "c"]) {
    await lineages.pause(`agent:${name}`, "");
    lineages.join(member(`r-${name}`).run, [`job:${name}`]);
  }
  await assert.rejects(lineages.pause("agent:d", ""), { code: "lineage.full" });
  await assert.rejects(lineages.kill("agent:d"), { code: "lineage.full" });
  await lineages.pause("agent:a", "again");
  for (const again of ["r-d", "r-d2"]) {
    assert.throws(() => lineages.join(member(again).run, ["job:d"]), { code: "lineage.full" });
  }
  lineages.join(member("r-e").run, ["job:a", "agent:unlimited"]);
  // One that is refused because of its second lineage is no member of its first.
  assert.throws(() => lineages.join(member("r-f").run, ["agent:other", "job:d"]), {
    code: "lineage.full",
  });
  assert.deepEqual(lineages.show("agent:other").runs, []);
  lineages.close();
});

test("INV-246 a secret is one by itself: by another name, after it was rotated, and from a variable", (t) => {
  const file = join(folder(t), "lineages.db");
  const lineages = open(file);
  const shop = lineages.secretOf("shop", "aaaaaaaaaaaa");
  assert.equal(lineages.secretOf("same", "aaaaaaaaaaaa"), shop);
  assert.equal(
    lineages.secretOf("shop", "bbbbbbbbbbbb"),
    shop,
    "rotated, it goes on as what it was",
  );
  assert.equal(lineages.passingOf("value", "bbbbbbbbbbbb"), shop);
  assert.notEqual(lineages.secretOf("blog", "cccccccccccc"), shop);
  assert.notEqual(lineages.passingOf("one", undefined), lineages.passingOf("two", undefined));
  assert.equal(lineages.resolve("credential:same"), shop);
  assert.equal(lineages.resolve("job:same"), "job:same");
  lineages.close();
});

test("INV-247 a canary tells whose it is, in any dress that a name of DNS or an address has", () => {
  const canaries = new Canaries("key");
  const one = canaries.create("r-1").variables["RELEASE_SIGNING_SECRET"] ?? "";
  const two = canaries.create("r-2").variables["RELEASE_SIGNING_SECRET"] ?? "";
  assert.notEqual(one, two);
  assert.deepEqual(canaries.whose(`https://a.test/?q=${one.toUpperCase()}`), ["r-1"]);
  assert.deepEqual(canaries.whose(`${two.slice(0, 9)}.${two.slice(9)}.a.test`), ["r-2"]);
  assert.deepEqual(canaries.whose(Array.from(one).toReversed().join("")), ["r-1"]);
  assert.deepEqual(canaries.whose(one.slice(0, 31)), []);
  assert.deepEqual(new Canaries("other").whose(one), [], "of another home");
});

test("lineage.rules: what limits and cannot be read limits everything", (t) => {
  const root = folder(t);
  const rules = lineageRulesOf(root);
  assert.equal(rules().budgetOf(["job:a"]), undefined, "without a file nothing is limited");
  writeFileSync(join(root, "lineages.yaml"), BUDGET);
  assert.equal(rules().budgetOf(["job:a"])?.requests, 256);
  rmSync(join(root, "lineages.yaml"));
  mkdirSync(join(root, "lineages.yaml"));
  chmodSync(join(root, "lineages.yaml"), 0o700);
  assert.throws(rules, { code: "lineage.rules" });
});

test("INV-243: connections beyond the budget are not counted on: raised, it lets as many more go on", (t) => {
  const file = join(folder(t), "lineages.db");
  const rules = (most: number) =>
    `lineages:\n  - lineage: job:*\n    budget: { connections: ${most} }\nshared: []\n`;
  const flow = { type: "flow.open" } as Event;
  const lineages = open(file, rules(2));
  lineages.join(member("r-1").run, ["job:a"]);
  for (let n = 0; n < 2; n += 1) lineages.note("r-1", flow);
  assert.equal(lineages.admit(["job:a"], action()), undefined);
  for (let n = 0; n < 50; n += 1) lineages.note("r-1", flow);
  assert.match(lineages.admit(["job:a"], action()) ?? "", /its 2 connections are used up \(3\)/);
  lineages.close();
  const raised = open(file, rules(4));
  raised.join(member("r-2").run, ["job:a"]);
  assert.equal(raised.admit(["job:a"], action()), undefined);
  raised.note("r-2", flow);
  assert.equal(raised.admit(["job:a"], action()), undefined);
  raised.note("r-2", flow);
  assert.match(raised.admit(["job:a"], action()) ?? "", /its 4 connections are used up/);
  raised.close();
});
