import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import dnsPacket from "dns-packet";
import { UNKNOWN_PROCESS } from "../action/index.ts";
import { createLog } from "../base/index.ts";
import { actionOfHeld } from "../gateway/index.ts";
import { allocate, checked, native } from "../sys/index.ts";
import { makePorts, makeRun } from "./test-kit.ts";
import { createWorkers, type WorkersOptions } from "./workers.ts";

const folder = mkdtempSync(join(tmpdir(), "cofferdam-workers-"));
const canary = join(folder, "canary");
writeFileSync(canary, "secret", { mode: 0o600 });
const QUIET = { info: () => {}, warn: () => {} };
let upstream: Awaited<ReturnType<typeof makePorts>>;
before(async () => void (upstream = await makePorts()));
after(() => {
  upstream.close();
  rmSync(folder, { recursive: true });
});

const open = (options: Partial<WorkersOptions> = {}) =>
  createWorkers({ log: QUIET, canary, shared: 1, authorities: () => [], ...options });
const LYING = { program: join(import.meta.dirname, "lying.fixture.ts") };

async function until(what: string, probe: () => boolean): Promise<void> {
  for (let n = 0; !probe(); n += 1) {
    assert.ok(n < 3000, `not seen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const LIES = [
  ["r-dial-host", /lie: .*evil\.test.*not granted/, "a host that the run was not granted"],
  ["r-dial-port", /lie: .*docs\.test":22.*not granted/, "a granted host on another port"],
  ["r-dial-address", /lie: .*127\.0\.0\.1.*not granted/, "an address"],
  ["r-dial-along", /lie: .*evil\.test.*not granted/, "such a host along with a granted action"],
  ["r-leaf", /lie: .*certificate for "bank\.test"/, "a certificate for a name not asked for"],
  ["r-name", /lie: .*a name that is none/, "another spelling of a host"],
  ["r-foreign", /speaks of "r-other", not of its own/, "an entry of another run"],
  ["r-flow", /lie: .*a flow that is not the run's/, "an action on a flow that is not there"],
  ["r-unopened", /lie: .*a flow that is not open/, "an action ahead of its flow's record"],
  ["r-twice", /lie: .*a flow opened twice/, "a second opening"],
  ["r-two", /two flows of one name/, "two flows of one name"],
  ["r-outcome", /lie: .*an outcome of no action/, "an outcome of no action"],
  ["r-end", /said what it never says/, "an entry of the daemon's"],
  ["r-verdict", /said what it never says/, "a verdict of its own"],
  ["r-process", /said what it never says/, "a process of its own choice"],
  ["r-word", /said what it never says/, "a word that is none"],
  ["r-flood", /more flows than a run may have/, "flows without end"],
  ["r-long", /said a line without end/, "a line without end"],
  ["r-garbage", /said what it never says/, "what is not JSON"],
  ["r-deep", /said what it never says/, "JSON without bottom"],
] as const;
for (const [id, why, what] of LIES) {
  test(`INV-43: a worker that asks for ${what} is refused and ended`, async (t) => {
    const workers = open(LYING);
    t.after(() => workers.close());
    const run = makeRun(id);
    await workers.serve(run, upstream.ports);
    await until("the end of the run", () => run.told.some((line) => line.startsWith("stopped")));
    const frozen = run.told.filter((line) => line.startsWith("frozen"));
    assert.equal(frozen.length, 2, run.told.join("\n"));
    for (const line of frozen) assert.match(line, why);
    assert.match(run.told.at(-1) ?? "", /^stopped worker: .* for the second time$/);
    assert.match(run.told.at(-2) ?? "", /^finding escape/);
    assert.deepEqual(upstream.dialled, [], "nothing was dialled");
    const done = run.told.filter((line) => /^(action|outcome|dns|run\.end)/.test(line));
    assert.deepEqual(done, [], "nothing of it is on record");
  });
}

test("what an honest worker asks for is done, by the process that the daemon saw; fault worker.run: late words are not heard", async (t) => {
  let said = "";
  const info = (_event: string, fields?: object) => void (said += String(Object(fields).text));
  const workers = open({ ...LYING, log: { ...QUIET, info } });
  t.after(() => workers.close());
  const run = makeRun("r-honest");
  const gateway = await workers.serve(run, upstream.ports);
  await until("its end", () => run.told.some((line) => line.startsWith("flow.close")));
  assert.deepEqual(run.told, [
    "flow.open docs.test:80  by 4121",
    "action http://docs.test/ allow by 4121",
    "action http://docs.test/ deny by 4121",
    "outcome   by nobody",
    "finding protocol allow | deny | nothing | -----BEGIN CERTIFICATE----- | hello from it | hello from it",
    "flow.close docs.test:80  by 4121",
  ]);
  const place = "docs.test:80";
  assert.deepEqual(upstream.dialled.splice(0), [place, place], "and none for what was denied");
  assert.deepEqual({ ...gateway.stats(), refused: 0 }, { open: 0, total: 1, torn: 0, refused: 0 });
  await gateway.close();
  await until("the late word", () => said.includes("late: "));
  assert.match(said, /late: \{.*"code":"worker\.run"/, "refused, and no lie");
  assert.equal(run.told.length, 6, "nothing more comes with its end");
  assert.equal(workers.list().length, 1, "the worker goes on");
});

test("INV-9: what is to be connected along with an action waits for the action's record", async (t) => {
  const workers = open(LYING);
  t.after(() => workers.close());
  const run = makeRun("r-honest");
  const { intend } = run;
  const asked = Promise.withResolvers<void>();
  const written = Promise.withResolvers<void>();
  Object.assign(run, {
    async intend(...words: Parameters<typeof intend>) {
      asked.resolve();
      await written.promise;
      return await intend(...words);
    },
  });
  await workers.serve(run, upstream.ports);
  await asked.promise;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(upstream.dialled, []);
  written.resolve();
  await until("its end", () => run.told.some((line) => line.startsWith("flow.close")));
  assert.equal(upstream.dialled.splice(0).length, 2);
});

const [SOCKET = 0, BIND = 0, NAME = 0] = process.arch === "arm64" ? [198, 200, 204] : [41, 49, 51];

/** A bound UDP socket of loopback, as a run's launcher hands it out. */
function bindDatagrams(): { readonly descriptor: number; readonly port: number } {
  const descriptor = checked("socket", native.syscall(SOCKET, 2, 2 | 0x80800, 0, 0, 0, 0));
  const address = allocate(20);
  address.bytes.writeUInt16LE(2, 0);
  address.bytes.writeUInt32BE(0x7f000001, 4);
  address.bytes.writeUInt32LE(16, 16);
  const at = address.address;
  checked("bind", native.syscall(BIND, descriptor, at, 16, 0, 0, 0));
  checked("getsockname", native.syscall(NAME, descriptor, at, at + 16n, 0, 0, 0));
  return { descriptor, port: address.bytes.readUInt16BE(2) };
}

async function ask(port: number, name: string): Promise<unknown> {
  const socket = createSocket("udp4");
  try {
    socket.send(
      dnsPacket.encode({ type: "query", id: 7, questions: [{ type: "A", name }] }),
      port,
      "127.0.0.1",
    );
    const signal = AbortSignal.timeout(20_000);
    const [reply] = (await once(socket, "message", { signal })) as [Buffer];
    const [answer] = dnsPacket.decode(reply).answers ?? [];
    return answer !== undefined && "data" in answer ? answer.data : undefined;
  } finally {
    socket.close();
  }
}

test("INV-44: when a worker dies, another takes its listeners over, and names keep their addresses", async (t) => {
  const workers = open();
  t.after(() => workers.close());
  const [run, other] = [makeRun("r-one"), makeRun("r-other")];
  const gateway = await workers.serve(run, upstream.ports);
  const beside = await workers.serve(other, upstream.ports);
  const { descriptor, port } = bindDatagrams();
  gateway.acceptDns(descriptor);
  const first = await ask(port, "first.test");
  const second = await ask(port, "second.test");
  assert.notEqual(first, second);
  const judge = (address: unknown) =>
    gateway.judgeConnect({ address: String(address), port: 22 }, "tcp");
  assert.equal(judge(second).host, "second.test", "the daemon knows a name before the run does");
  const [worker] = workers.list();
  assert.deepEqual(worker?.runs, ["r-one", "r-other"]);

  process.kill(worker.pid, "SIGKILL");
  assert.equal(await ask(port, "second.test"), second);
  assert.equal(await ask(port, "first.test"), first);
  await until("both go on", () => [run, other].every(({ told }) => told.includes("thawed")));
  for (const { told } of [run, other]) {
    assert.ok(told.includes("frozen: the worker that parsed its traffic ended (SIGKILL)"));
  }
  const places = workers.list();
  assert.equal(places.length, 2, "nobody's bytes showed in its hands: each is alone now");
  await gateway.close();
  await beside.close();
  await until("nobody is left alone", () => workers.list().length === 0);
});

test("INV-74: what Cofferdam asks itself is served apart from every run, and leaves no worker behind", async (t) => {
  const workers = open();
  t.after(() => workers.close());
  const run = await workers.serve(makeRun("r-one"), upstream.ports);
  const errands = await Promise.all(
    Array.from({ length: 6 }, (_, n) =>
      workers.serve({ ...makeRun(`p-${n}`), isErrand: true }, upstream.ports),
    ),
  );
  const after = await workers.serve(makeRun("r-two"), upstream.ports);
  for (const { runs } of workers.list()) {
    const kinds = new Set(runs.map((id) => id.slice(0, 2)));
    assert.ok(kinds.size <= 1, `together: ${runs.join(", ")}`);
  }
  const serving = workers.list().filter(({ runs }) => runs.some((id) => id.startsWith("p-")));
  assert.equal(serving.length, 4, "so many at once, and the others share with their like");
  await Promise.all(errands.map((errand) => errand.close()));
  await until("they are gone", () => workers.list().every(({ runs }) => runs.length > 0));
  await run.close();
  await after.close();
});

test("INV-75: stored bytes are read by a worker that serves nobody, and by none of the runs'", async (t) => {
  const lines: string[] = [];
  const workers = open({ log: createLog((line) => lines.push(line)) });
  t.after(() => workers.close());
  await workers.serve(makeRun("r-one"), upstream.ports);
  const [grant] = makeRun("r-one").policy.grants;
  assert.ok(grant !== undefined);
  const place = { scheme: "http", host: "docs.test", port: 80 } as const;
  const held = { ...place, method: "POST", target: "/a?b=c", headers: [], facts: {} };
  const at = { wallMs: Date.parse("2026-11-26T00:00:00.000Z"), monoMs: 7 };
  const context = { run: "r-one", at, grant, cause: UNKNOWN_PROCESS };
  const action = await workers.describe({ ...held, body: Buffer.from("x") }, context);
  const { id: _, ...told } = action;
  const here = { ...context, entry: undefined };
  const { id: _own, ...own } = actionOfHeld({ ...held, body: Buffer.from("x") }, here);
  assert.deepEqual(told, own, "it is what it would be here");
  const used = lines.filter((line) => line.includes("worker.ready")).join("");
  assert.match(used, /"use":"reader"/);
});

test("INV-32: a worker that does not cut what is no longer granted is ended", async (t) => {
  const workers = open({ ...LYING, recheckMs: 100 });
  t.after(() => workers.close());
  const run = makeRun("r-deaf");
  const gateway = await workers.serve(run, upstream.ports);
  assert.equal(await gateway.recheck(), 0);
  await until("it goes on elsewhere", () => run.told.includes("thawed"));
  assert.match(run.told[0] ?? "", /^frozen: .*it does not cut what is no longer granted/);
});

test("INV-32: a worker that has nothing to cut says so", async (t) => {
  const workers = open();
  t.after(() => workers.close());
  const run = makeRun("r-one");
  const gateway = await workers.serve(run, upstream.ports);
  assert.equal(await gateway.recheck(), 0);
  assert.deepEqual(run.told, []);
});

test("INV-44: a worker that hangs is ended like one that died", async (t) => {
  const workers = open({ pingMs: 50 });
  t.after(() => workers.close());
  const run = makeRun("r-one");
  await workers.serve(run, upstream.ports);
  const [worker] = workers.list();
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.deepEqual(run.told, [], "one that answers is left alone");
  process.kill(worker?.pid ?? 0, "SIGSTOP");
  await until("it goes on", () => run.told.includes("thawed"));
  assert.equal(run.told[0], "frozen: the worker that parsed its traffic ended (it hangs)");
});

test("a run does not wait for one more worker, and the next one finds it there", async (t) => {
  const workers = open({ shared: 2 });
  t.after(() => workers.close());
  const first = await workers.serve(makeRun("r-one"), upstream.ports);
  await until("a second worker", () => workers.list().length === 2);
  const second = await workers.serve(makeRun("r-two"), upstream.ports);
  assert.deepEqual(
    workers.list().map(({ runs }) => runs),
    [["r-one"], ["r-two"]],
  );
  await Promise.all([first.close(), second.close()]);
});

test("a run that ends leaves no worker of its own behind, and a daemon that stops none at all", async () => {
  const workers = open();
  const gateway = await workers.serve(makeRun("r-one"), upstream.ports);
  await gateway.close();
  const [shared] = workers.list();
  assert.deepEqual(shared?.runs, []);
  await workers.close();
  assert.throws(() => process.kill(shared.pid, 0), { code: "ESRCH" });
});

test("no worker, no run: what cannot be sealed is told to whoever wants to start", async () => {
  const program = join(import.meta.dirname, "unsealed.fixture.ts");
  const workers = open({ program });
  workers.warm();
  await assert.rejects(workers.serve(makeRun("r-one"), upstream.ports), {
    code: "worker.unproved",
  });
  assert.deepEqual(workers.list(), []);
});
