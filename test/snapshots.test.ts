/** Snapshots of runs, and runs that start from them. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Client } from "../src/client/index.ts";
import { TestHome } from "./support/home.ts";
import { clientOf, execute, PLAIN_TASK, startIdle } from "./support/rollout.ts";

const home = new TestHome();
let client: Client;

before(async () => {
  home.write("kept", "host");
  home.write("changed", "host");
  home.write("gone", "host");
  mkdirSync(join(home.workspace, "hidden"));
  home.write("hidden/old", "host");
  client = await clientOf(home);
});

after(async () => home.close());

async function fork(snapshot: string, source: string = PLAIN_TASK) {
  return client.call("run.start", {
    task: { source, fileName: `${home.workspace}/task.yaml` },
    command: [],
    cwd: home.workspace,
    path: process.env["PATH"] ?? "",
    environment: {},
    detach: true,
    from: snapshot,
  });
}

const CHANGE = [
  "echo run > changed; rm gone; rm -r hidden; mkdir hidden; echo new > hidden/new",
  "ln -s kept link; ln hidden/new twin; mkfifo pipe; chmod 751 hidden; echo dot > $HOME/.dot",
].join("; ");
const LOOK =
  "cat kept changed hidden/* $HOME/.dot; readlink link; stat -c '%h %A' twin; stat -c %a hidden; ls -A";
const SEEN =
  "hostrun\nnew\ndot\nkept\n2 -rw-r--r--\n751\nchanged\nhidden\nkept\nlink\npipe\ntwin\n";

test("INV-267: a fork begins with what the run had, deletions and HOME too, and goes its own way", async () => {
  const run = await startIdle(client, home);
  await execute(client, run.run, ["sh", "-c", CHANGE]);
  const taken = await client.call("run.snapshot", { run: run.run, name: "built" });
  assert.deepEqual(await client.call("snapshot.list", {}), [taken]);
  await execute(client, run.run, ["sh", "-c", "echo later > changed; rm $HOME/.dot"]);
  const [one, other] = await Promise.all([fork(taken.snapshot), fork(taken.snapshot)]);
  assert.deepEqual(one.from, { snapshot: taken.snapshot, run: run.run });
  for (const { run: id } of [one, other]) {
    assert.equal((await execute(client, id, ["sh", "-c", LOOK])).stdout, SEEN);
  }
  await execute(client, one.run, ["sh", "-c", "echo one > changed"]);
  assert.equal((await execute(client, other.run, ["cat", "changed"])).stdout, "run\n");
  assert.equal((await execute(client, run.run, ["cat", "changed"])).stdout, "later\n");
  assert.equal(readFileSync(join(home.workspace, "changed"), "utf8"), "host");
  const { changes } = await client.call("workspace.diff", { run: one.run });
  const kinds = Object.fromEntries(changes.map(({ path, kind }) => [path, kind]));
  assert.equal(kinds["gone"], "deleted");
  assert.equal(kinds["changed"], "modified");
  for (const id of [run.run, one.run]) await client.call("run.kill", { run: id });
  // Of one that has ended, and of a fork.
  const again = await client.call("run.snapshot", { run: one.run });
  const third = await fork(again.snapshot);
  assert.equal((await execute(client, third.run, ["cat", "changed"])).stdout, "one\n");
  for (const { snapshot } of await client.call("snapshot.list", {}))
    await client.call("snapshot.remove", { snapshot });
  assert.deepEqual(readdirSync(join(home.state, "snapshots")), []);
  assert.equal((await execute(client, third.run, ["cat", "changed"])).stdout, "one\n");
  const done = (await home.log()).filter(
    ({ type, data }) => type === "workspace" && data?.["done"],
  );
  assert.deepEqual(
    done.map(({ data }) => data?.["done"]),
    ["snapshot", "snapshot", "snapshot removed", "snapshot removed"],
  );
});

test("INV-267: nothing moves in a run while its snapshot is taken, and it goes on, unless it was paused", async () => {
  const run = await startIdle(client, home);
  await execute(client, run.run, [
    "sh",
    "-c",
    "(n=0; while :; do n=$((n+1)); echo $n > a; echo $n > b; done) >/dev/null 2>&1 &",
  ]);
  for (let n = 0; n < 5; n += 1) {
    const { snapshot } = await client.call("run.snapshot", { run: run.run });
    const upper = join(home.state, "snapshots", snapshot, "layer", "upper");
    const [a, b] = ["a", "b"].map((name) => Number(readFileSync(join(upper, name), "utf8")));
    // `b` is written behind `a`; a file that is just being written is empty.
    assert.ok(a === 0 || b === 0 || a === b || a === (b ?? 0) + 1, `${a} ${b}`);
  }
  assert.equal((await client.call("run.show", { run: run.run })).state, "running");
  // Of two at once the one would let it go on under the other.
  const both = await Promise.allSettled(
    [1, 2].map(() => client.call("run.snapshot", { run: run.run })),
  );
  const refused = both.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  assert.deepEqual(
    refused.map(({ code }) => code),
    ["daemon.state"],
  );
  assert.equal((await client.call("run.show", { run: run.run })).state, "running");
  await client.call("run.pause", { run: run.run });
  await client.call("run.snapshot", { run: run.run });
  assert.equal((await client.call("run.show", { run: run.run })).state, "paused");
  await client.call("run.kill", { run: run.run });
});

test("faults daemon.snapshot, daemon.no_such_snapshot: what cannot be, and a daemon that died on the way", async () => {
  const run = await startIdle(client, home);
  const { snapshot } = await client.call("run.snapshot", { run: run.run });
  await assert.rejects(fork("s-0000"), { code: "daemon.no_such_snapshot" });
  await assert.rejects(client.call("snapshot.remove", { snapshot: "s-0000" }), {
    code: "daemon.no_such_snapshot",
  });
  await assert.rejects(fork(snapshot, `${PLAIN_TASK}workspace: read-only\n`), {
    code: "daemon.snapshot",
  });
  const elsewhere = join(home.root, "elsewhere");
  mkdirSync(elsewhere);
  await assert.rejects(
    client.call("run.start", {
      task: { source: PLAIN_TASK, fileName: `${elsewhere}/task.yaml` },
      command: [],
      cwd: elsewhere,
      path: "",
      environment: {},
      detach: true,
      from: snapshot,
    }),
    { code: "daemon.snapshot" },
  );
  const reader = await startIdle(client, home, `${PLAIN_TASK}workspace: read-only\n`);
  await assert.rejects(client.call("run.snapshot", { run: reader.run }), {
    code: "daemon.snapshot",
  });
  // One that is not whole is none, and goes when the next daemon starts.
  const part = join(home.state, "snapshots", ".s-0001");
  mkdirSync(join(part, "layer", "upper", "sealed"), { recursive: true });
  mkdirSync(join(part, "home", "sealed"), { recursive: true });
  for (const tree of ["layer/upper", "home"]) {
    writeFileSync(join(part, tree, "sealed", "file"), "");
    // Only where this is not root's daemon does the mode hold anything up.
    chmodSync(join(part, tree, "sealed"), 0o555);
  }
  const whole = await client.call("snapshot.list", {});
  assert.ok(whole.every(({ snapshot: one }) => one !== "s-0001"));
  await home.call(["stop", "--force"]);
  client = await clientOf(home);
  assert.equal(existsSync(part), false);
  // Its description is needed, or nothing starts from it.
  writeFileSync(join(home.state, "snapshots", snapshot, "snapshot.json"), "{}");
  await assert.rejects(fork(snapshot), { code: "daemon.snapshot" });
  // A fork of which not all can be laid out leaves nothing behind.
  const { snapshot: other } = await client.call("run.snapshot", {
    run: (await startIdle(client, home)).run,
  });
  const runs = () => readdirSync(join(home.state, "runs")).length;
  const before = runs();
  const upper = join(home.state, "snapshots", other, "layer", "upper");
  rmSync(upper, { recursive: true });
  symlinkSync("/proc/self/mem", upper);
  await assert.rejects(fork(other));
  assert.equal(runs(), before);
  rmSync(join(home.state, "snapshots", snapshot), { recursive: true });
});

test("INV-268: what a run was exposed to holds for whoever goes on with its files", async () => {
  const server = createServer((_, response) => response.end("of a customer"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const dial = `ports: [80], dial: "127.0.0.1:${(server.address() as AddressInfo).port}"`;
  const source = `task: exposed
purpose: reads something private, and writes elsewhere
lifetime: 1h
home: fresh
approvals: { hold: 1s }
grants:
  - { system: http, name: crm, hosts: [crm.test], ${dial}, allow: [{ methods: [GET], paths: ["/**"], effects: [read-private] }] }
  - { system: http, name: wiki, hosts: [wiki.test], ${dial}, allow: [{ methods: [POST], paths: ["/**"] }] }
`;
  const post = async (run: string) =>
    (
      await execute(client, run, [
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "-d",
        "x",
        "http://wiki.test/",
      ])
    ).stdout;
  try {
    const run = await startIdle(client, home, source);
    const clean = await client.call("run.snapshot", { run: run.run });
    await execute(client, run.run, ["curl", "-sS", "http://crm.test/customers"]);
    const exposed = await client.call("run.snapshot", { run: run.run });
    const [free, bound] = [
      await fork(clean.snapshot, source),
      await fork(exposed.snapshot, source),
    ];
    assert.equal(await post(free.run), "200");
    assert.notEqual(await post(bound.run), "200");
    const [waits, ...others] = await home.approvals();
    assert.deepEqual([waits?.run, others], [bound.run, []]);
    await client.call("run.kill", { run: run.run });
    await home.call(["stop", "--force"]);
    client = await clientOf(home);
    // A daemon that never saw it knows nothing of what it read, or of what was found: then it may be anything.
    const { snapshot } = await client.call("run.snapshot", { run: run.run });
    const file = join(home.state, "snapshots", snapshot, "snapshot.json");
    const { inherited } = JSON.parse(readFileSync(file, "utf8"));
    const why = `nobody knows any more what was found of ${run.run}`;
    assert.deepEqual(inherited.confirmAll, { why, except: [] });
    assert.notEqual(await post((await fork(snapshot, source)).run), "200");
  } finally {
    server.close();
  }
});
