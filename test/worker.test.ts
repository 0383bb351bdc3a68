/**
 * Workers end to end: real runs under load, and the processes that parse what they say killed under them.
 */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Entry } from "../src/api/index.ts";
import { eventually, TestHome } from "./support/home.ts";

const home = new TestHome();
let site: Server;
let task = "";

before(async () => {
  site = createServer((request, response) => {
    if (request.url !== "/endless") {
      response.end("ok");
      return;
    }
    const ticking = setInterval(() => response.write("tick\n"), 20);
    response.on("close", () => clearInterval(ticking));
  });
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  const { port } = site.address() as AddressInfo;
  task = join(home.root, "task.yaml");
  writeFileSync(
    task,
    `task: load
purpose: Keep a worker busy.
grants:
  - { system: http, name: docs, hosts: [docs.test], tls: false, ports: [80], dial: "127.0.0.1:${port}", allow: [{ methods: [GET], paths: ["/**"] }] }
`,
  );
});
after(async () => {
  await home.close();
  site.close();
  site.closeAllConnections();
});

/** Prints the status of one request after another, "000" where none came; holds one stream open beside. */
const LOAD = `
(while :; do curl -sN -o /dev/null http://docs.test/endless; done) &
while :; do curl -s -m 10 -o /dev/null -w '%{http_code}\\n' http://docs.test/; sleep 0.02; done`;

/** A run under load. */
class Loaded {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  out = "";
  err = "";

  constructor() {
    this.child = home.spawn(["run", "--json", "--task", task, "--", "sh", "-c", LOAD]);
    this.child.stdout?.on("data", (data: Buffer) => (this.out += data.toString()));
    this.child.stderr?.on("data", (data: Buffer) => (this.err += data.toString()));
    this.ended = once(this.child, "close");
  }

  get id(): string {
    return /"run":"(r-[a-z0-9]+)"/.exec(this.err)?.[1] ?? "";
  }

  statuses(): readonly string[] {
    return this.out.split("\n").slice(0, -1);
  }

  /** Waits until `count` more requests than now have been answered well. */
  async goesOn(count: number): Promise<void> {
    const good = () => this.statuses().filter((status) => status === "200").length;
    const before = good();
    await eventually(`${count} more answers`, 60_000, () =>
      good() >= before + count ? true : undefined,
    );
  }

  /** The process that parses what this run says now, with a stream of the run's open in it. */
  workerPid(): number {
    const log = readFileSync(join(home.state, "daemon.log"), "utf8").split("\n");
    const line = log.findLast((one) => one.includes('"worker.serves"') && one.includes(this.id));
    return (JSON.parse(line ?? "{}") as { pid: number }).pid;
  }
}

const of = (entries: readonly Entry[], run: Loaded, type: string) =>
  entries.filter((entry) => entry.run === run.id && entry.type === type);

test("INV-44: a worker killed under load cuts its own runs' flows, freezes them, and they go on; twice ends the run", async () => {
  const one = new Loaded();
  await one.goesOn(5);
  const log = () => readFileSync(join(home.state, "daemon.log"), "utf8");
  await eventually("one more worker, for the next run", 60_000, () =>
    log().split('"worker.ready"').length > 2 ? true : undefined,
  );
  const other = new Loaded();
  await other.goesOn(5);
  const first = one.workerPid();
  assert.notEqual(first, other.workerPid(), "two runs have two workers");

  process.kill(first, "SIGKILL");
  await one.goesOn(10);
  await other.goesOn(10);
  const second = one.workerPid();
  assert.notEqual(second, first);
  const entries = await home.log();
  const reasons = (run: Loaded, type: string) =>
    of(entries, run, type).map((entry) => entry.data?.["reason"]);
  const cause = "the worker that parsed its traffic ended (SIGKILL)";
  assert.deepEqual(reasons(one, "run.pause"), [cause]);
  assert.equal(of(entries, one, "run.resume").length, 1);
  assert.ok(reasons(one, "flow.close").includes(cause), "what was cut is on record");
  assert.deepEqual(of(entries, other, "run.pause"), []);
  assert.deepEqual(new Set(other.statuses()), new Set(["200"]), "the other run saw nothing of it");
  assert.ok(!reasons(other, "flow.close").includes(cause));

  process.kill(second, "SIGKILL");
  await one.ended;
  assert.match(
    one.err,
    /escape: the worker that parsed its traffic ended \(SIGKILL\) for the second time/,
  );
  const later = await home.log();
  const [finding] = of(later, one, "finding");
  assert.equal(finding?.data?.["finding"], "escape");
  const [end] = of(later, one, "run.end");
  assert.match(JSON.stringify(end?.data?.["end"]), /"reason":"worker"/);
  await other.goesOn(10);
  assert.deepEqual(new Set(other.statuses()), new Set(["200"]));
  await home.call(["kill", other.id]);
  await other.ended;
  assert.equal((await home.call(["verify"])).code, 0);
});

for (const order of ["before its worker ends", "when its worker has ended"] as const) {
  test(`INV-164: a run that a person pauses ${order} stands still until a person lets it go on`, async () => {
    const run = new Loaded();
    await run.goesOn(5);
    const first = run.workerPid();
    const kill = () => process.kill(first, "SIGKILL");
    if (order === "when its worker has ended") kill();
    const { code, stderr } = await home.call(["pause", run.id]);
    assert.equal(code, 0, stderr);
    if (order === "before its worker ends") kill();
    await eventually("another worker", 60_000, () =>
      run.workerPid() === first ? undefined : true,
    );
    await home.call(["log"]); // What thaws it would have by now.
    const before = run.out.length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(run.out.length, before, "nothing of it runs");
    const shown = await home.call(["ps", "--json"]);
    assert.match(shown.stdout, /"state":"paused"/);
    assert.match(shown.stdout, /"pauseReason":"by hand"/);
    assert.equal((await home.call(["resume", run.id])).code, 0);
    await run.goesOn(5);
    await home.call(["kill", run.id]);
    await run.ended;
  });
}
