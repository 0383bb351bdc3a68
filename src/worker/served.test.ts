import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { actionOfHeld, type HeldRequest } from "../gateway/index.ts";
import { compilePolicy, parseTaskFile } from "../policy/index.ts";
import type { Describe } from "./describe.ts";
import { loadProtocols } from "../protocols/index.ts";
import type { Recording } from "../recording/index.ts";
import { saidSchema } from "./protocol.ts";
import { Served, type RunRecordings } from "./served.ts";
import { WAITING_MAX } from "./waiting.ts";
import { taskSystems } from "../systems/index.ts";
import { AGENT, makePorts, makeRun } from "./test-kit.ts";

let upstream: Awaited<ReturnType<typeof makePorts>>;
before(async () => void (upstream = await makePorts()));
after(() => upstream.close());

const run = "r-one";
const flow = "f-1";
const tuple = {
  family: 4,
  localAddress: "10.255.0.2",
  localPort: 4000,
  remoteAddress: "198.18.0.1",
  remotePort: 80,
} as const;
const action = {
  id: "a-1",
  system: "docs",
  kind: "http",
  verb: "GET",
  effects: ["read" as const],
  target: "http://docs.test/",
  summary: "Read it.",
  fields: { method: "GET", path: "/", host: "docs.test", scheme: "http", port: 80 },
  digest: "0",
};
const opening = { say: "record", run, event: { type: "flow.open", flow, target: "x" } } as const;
const closing = { say: "record", run, event: { type: "flow.close", flow, target: "x" } } as const;
const outcome = { say: "record", run, event: { type: "outcome", action: "a-1" } } as const;
const intent = { say: "intend", n: 0, run, flow, action } as const;

/** As the reader does it, here in this process. */
const describe: Describe = (what, { own, ...context }) =>
  Promise.resolve(actionOfHeld(what, { ...context, entry: own }));

let held: ReturnType<typeof makeRun>;
let served: Served;
beforeEach(() => {
  held = makeRun(run);
  served = new Served(held, upstream.ports, describe);
  upstream.dialled.length = 0;
});
const attribute = () => void served.attribute({ say: "attribute", n: 0, run, flow, tuple });

test("INV-9: an action waits for the record of its flow, however long that takes", async () => {
  const written = Promise.withResolvers<number>();
  const record = held.record;
  Object.assign(held, {
    record: (event: Parameters<typeof record>[0]) =>
      event.type === "flow.open" ? written.promise : record(event),
  });
  attribute();
  const opened = served.record(opening);
  const intended = served.intend(intent);
  const dialled = served.dial({ host: "docs.test", port: 80 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual([held.told, upstream.dialled], [[], []], "nothing has left");
  written.resolve(1);
  await opened;
  assert.equal((await intended).verdict, "allow");
  (await dialled).close();
  assert.deepEqual(upstream.dialled, ["docs.test:80"]);
});

test("INV-9: where the flow's opening cannot be written, no action of it is", async () => {
  Object.assign(held, { record: () => Promise.reject(new Error("the disk is full")) });
  attribute();
  const opened = assert.rejects(served.record(opening));
  await assert.rejects(served.intend(intent), /the disk is full/);
  await assert.rejects(served.dial({ host: "docs.test", port: 80 }));
  await opened;
  assert.deepEqual(upstream.dialled, []);
});

test("fault worker.flow: what comes late about a flow that is over is refused, and no lie", async () => {
  attribute();
  await served.record(opening);
  await served.intend(intent);
  await served.record(closing);
  await assert.rejects(served.intend({ ...intent, action: { ...action, id: "a-2" } }), {
    code: "worker.flow",
  });
  await assert.rejects(served.record(closing), { code: "worker.flow" });
  await served.record(outcome); // Of what was allowed before the flow closed.
  await assert.rejects(served.record(outcome), { code: "worker.lie" }, "but only once");
});

test("INV-20: a finding waits for the process behind its flow, and comes behind its flow's record", async () => {
  const asked = Promise.withResolvers<typeof AGENT>();
  Object.assign(held, {
    attribute: () => asked.promise,
    finding: (_kind: string, _detail: string, { process }: { process?: typeof AGENT }) =>
      void held.told.push(`finding by ${process?.pid}`),
  });
  attribute();
  const opened = served.record(opening);
  const of = { flow };
  const found = served.finding({ say: "finding", run, kind: "mining", detail: "", of });
  asked.resolve(AGENT);
  await Promise.all([opened, found]);
  assert.deepEqual(held.told, ["flow.open x  by 4121", "finding by 4121"]);
});

test("INV-226: whatever a worker says of ways out is dropped; only the daemon's own stand", async () => {
  const told: (readonly [string, unknown])[] = [];
  Object.assign(held, {
    record: async ({ type, data }: { type: string; data?: unknown }) => told.push([type, data]),
  });
  const forged = [{ at: "2026-11-28T00:00:00.000Z", from: "10.0.0.1:1", to: "10.0.0.2:443" }];
  const data = { out: forged, bytes: 1 };
  attribute();
  await served.record({ say: "record", run, event: { type: "dns", target: "x", data } });
  await served.record({ ...opening, event: { ...opening.event, data } });
  await served.intend(reading);
  served.repeats(repeating);
  const { action: again } = repeated.event;
  await served.record({ ...repeated, event: { type: "repeat", flow, action: again, data } });
  await served.record({ ...outcome, event: { ...outcome.event, flow, data } });
  await served.record({ ...closing, event: { ...closing.event, data } });
  const kept = told.filter(([type]) => type !== "action");
  assert.deepEqual(
    kept.map(([type]) => type),
    ["dns", "flow.open", "repeat", "outcome", "flow.close"],
  );
  for (const [type, said] of kept) assert.deepEqual(said, { bytes: 1 }, type);
});

test("INV-43: time, run and process of an action are the daemon's", async () => {
  const actions: unknown[] = [];
  Object.assign(held, {
    intend(it: object) {
      actions.push(it);
      return Promise.resolve({ verdict: "deny", rule: "r", reason: "", effects: ["read"] });
    },
  });
  attribute();
  await served.record(opening);
  const before = Date.now();
  await served.intend(intent);
  const [{ cause, run: of, at } = { cause: 0, run: 0, at: "" }] = actions as {
    cause: unknown;
    run: unknown;
    at: string;
  }[];
  assert.deepEqual([cause, of], [AGENT, run]);
  assert.ok(Date.parse(at) >= before - 1);
  await assert.rejects(
    served.record(outcome),
    { code: "worker.lie" },
    "a denied one has no outcome",
  );
});

const redisPolicy = compilePolicy(
  parseTaskFile(
    "task: t\npurpose: p\ngrants: [{ system: redis, name: docs, hosts: [cache.test], allow: [{ verbs: ['*'] }] }]",
    "t",
    Date.now(),
    taskSystems(),
  ),
);
const WAITING = { ...action, id: "a-9" };
const asking = { say: "hold", n: 2, run, flow, action: "a-9" } as const;
const held9 = {
  scheme: "http",
  host: "docs.test",
  port: 80,
  method: "GET",
  target: "/",
  headers: [],
  hasBody: false,
  facts: {},
} as const;

/** A served run whose every action waits for a person, and the persons' side of it. */
async function waiting() {
  const asked: string[] = [];
  Object.assign(held, {
    intend: () => Promise.resolve({ verdict: "confirm", rule: "r", reason: "", effects: ["read"] }),
    hold: ({ body }: { body?: Buffer }) => {
      asked.push(body?.toString() ?? "");
      return Promise.resolve({ kind: "pending", approval: "p-1", reason: "" });
    },
  });
  attribute();
  await served.record(opening);
  return asked;
}

/** The action that an honest worker makes of `request`. */
function honest(request: HeldRequest) {
  const [grant] = held.policy.grants;
  assert.ok(grant !== undefined);
  const at = { wallMs: 0, monoMs: 0 };
  const {
    run: _r,
    at: _a,
    monoMs: _m,
    cause: _c,
    ...rest
  } = actionOfHeld(request, { run, at, grant, cause: AGENT });
  return { ...rest, id: "a-9" };
}

test("INV-63: what a person is shown is made of the stored bytes, and must be what was judged", async () => {
  const asked = await waiting();
  const { hasBody: _, ...request } = held9;
  const body = Buffer.from("publish this");
  const own = honest({ ...request, method: "POST", headers: [], body });
  await served.intend({ ...intent, action: own });
  served.spool({ say: "spool", run, action: "a-9", chunk: body.toString("base64") });
  const said = { ...held9, method: "POST", headers: [], hasBody: true };
  assert.equal((await served.hold({ ...asking, held: said })).kind, "pending");
  assert.deepEqual(asked, ["publish this"]);
});

test("INV-131, fault worker.waiting: what is to be complete later is kept, up to a bound that is no lie", async () => {
  const asked = await waiting();
  const many = Array.from({ length: WAITING_MAX + 1 }, (_, n) => `a-w${n}`);
  for (const id of many) await served.intend({ ...intent, action: { ...WAITING, id } });
  const said = { ...held9, headers: [] };
  const hold = (id = "") => served.hold({ ...asking, action: id, held: said });
  served.spool({ say: "spool", run, action: "a-w0", chunk: "" });
  await assert.rejects(hold(many[0]), { code: "worker.waiting" });
  await assert.rejects(hold(many[0]), { code: "worker.lie" }, "and then it is over");
  assert.deepEqual(asked, []);
});

test("INV-131: large actions that wait are fewer, and the newest is always kept", async () => {
  const asked = await waiting();
  const large = { ...WAITING, fields: { ...WAITING.fields, text: "x".repeat(6 << 20) } };
  for (const id of ["a-1", "a-2", "a-3"])
    await served.intend({ ...intent, action: { ...large, id } });
  const hold = (id: string) =>
    served.hold({ ...asking, action: id, held: { ...held9, headers: [] } });
  await assert.rejects(hold("a-1"), { code: "worker.waiting" });
  await assert.rejects(hold("a-2"), { code: "worker.lie" }, "it was kept, and is not what is held");
  const huge = { ...large, id: "a-4", fields: { text: "x".repeat(17 << 20) } };
  await served.intend({ ...intent, action: huge });
  await assert.rejects(hold("a-3"), { code: "worker.waiting" });
  await assert.rejects(hold("a-4"), { code: "worker.lie" });
  assert.deepEqual(asked, []);
});

test("INV-131: an operation may be complete later, and then do nothing else than was judged", async () => {
  await loadProtocols(["redis"]);
  const [grant] = redisPolicy.grants;
  assert.ok(grant !== undefined);
  Object.assign(held, { policy: redisPolicy });
  served = new Served(held, upstream.ports, describe);
  const shown: unknown[] = [];
  await waiting();
  Object.assign(held, {
    hold: (_held: unknown, { fields }: { fields: unknown }) => {
      shown.push(fields);
      return Promise.resolve({ kind: "pending", approval: "p-1", reason: "" });
    },
  });
  const operationOf = (...command: string[]) => ({ database: 0, commands: [command] });
  const at = { wallMs: 0, monoMs: 0 };
  const place = { host: "cache.test", port: 6379 };
  const judged = (operation: ReturnType<typeof operationOf>) => {
    const whole = { ...place, operation, facts: {} };
    const {
      run: _r,
      at: _a,
      monoMs: _m,
      cause: _c,
      ...rest
    } = actionOfHeld(whole, {
      ...{ run, at, grant, cause: AGENT },
    });
    return { ...rest, id: "a-9" };
  };
  const first = operationOf("DEL", "app:1");
  const held0 = { ...place, hasBody: false, facts: { preview: "seen" } };
  await served.intend({ ...intent, action: judged(first) });
  await served.hold({ ...asking, held: { ...held0, operation: first } });
  assert.match(JSON.stringify(shown), /"preview":"seen"/, "what came after is shown");
  for (const other of [operationOf("DEL", "app:2"), operationOf("UNLINK", "app:1")]) {
    await served.intend({ ...intent, action: judged(first) });
    const lie = served.hold({ ...asking, held: { ...held0, operation: other } });
    await assert.rejects(lie, { code: "worker.lie" }, JSON.stringify(other));
  }
  assert.equal(shown.length, 1);
});

const LIES = [
  ["other bytes than it had judged", "harmless", {}],
  ["another method", "publish this", { method: "PUT" }],
  ["another place", "publish this", { target: "/elsewhere" }],
  ["another field", "publish this", { headers: ["x-a", "b"] }],
] as const;
for (const [what, text, more] of LIES) {
  test(`INV-63: a worker that hands over ${what} is ended, and nobody is asked`, async () => {
    const asked = await waiting();
    const { hasBody: _, ...request } = held9;
    const own = honest({
      ...request,
      method: "POST",
      headers: [],
      body: Buffer.from("publish this"),
    });
    await served.intend({ ...intent, action: own });
    served.spool({ say: "spool", run, action: "a-9", chunk: Buffer.from(text).toString("base64") });
    const said = {
      ...held9,
      method: "POST",
      hasBody: true,
      ...more,
      headers: [...(("headers" in more && more.headers) || [])],
    };
    await assert.rejects(served.hold({ ...asking, held: said }), { code: "worker.lie" });
    assert.deepEqual(asked, []);
  });
}

test("INV-63: an action that nobody judged, or that was let go already, asks no person", async () => {
  const asked = await waiting();
  const said = { ...held9, headers: [] };
  await assert.rejects(served.hold({ ...asking, held: said }), { code: "worker.lie" });
  assert.throws(() => served.spool({ say: "spool", run, action: "a-9", chunk: "" }), {
    code: "worker.lie",
  });
  await served.intend({ ...intent, action: WAITING });
  await assert.rejects(served.hold({ ...asking, held: said }), { code: "worker.lie" });
  await assert.rejects(
    served.hold({ ...asking, held: said }),
    { code: "worker.lie" },
    "and only once",
  );
  assert.deepEqual(asked, []);
});

test("a body longer than may be stored is a lie", async () => {
  await waiting();
  await served.intend({ ...intent, action: WAITING });
  const chunk = Buffer.alloc(1 << 20).toString("base64");
  const spool = () => served.spool({ say: "spool", run, action: "a-9", chunk });
  for (let n = 0; n < 8; n += 1) spool();
  assert.throws(spool, { code: "worker.lie" });
});

test("INV-43: a certificate is for a name that the run asked for, and no other", () => {
  const leaf = (host: string) => served.leaf({ say: "leaf", n: 0, run, host });
  assert.throws(() => leaf("docs.test"), { code: "worker.lie" }, "granted, but never asked for");
  served.name({ say: "name", n: 0, run, host: "docs.test" });
  assert.match(leaf("docs.test").certificatePem, /BEGIN CERTIFICATE/);
  assert.throws(() => served.name({ say: "name", n: 0, run, host: "docs.test" }), {
    code: "worker.lie",
  });
});

test("fault gateway.ca: a grant whose authority was not read is not dialled", async () => {
  const source = `task: t\npurpose: P.\ngrants:\n  - { system: http, name: a, hosts: [docs.test], ca: x.pem, allow: [{ methods: [GET], paths: ["/**"] }] }\n`;
  Object.assign(held, { policy: compilePolicy(parseTaskFile(source, "t.yaml", Date.now())) });
  const dial = new Served(held, upstream.ports, describe).dial({ host: "docs.test", port: 443 });
  await assert.rejects(dial, { code: "gateway.ca" });
});

test("INV-32, fault gateway.revoked: what was granted and is no more is not dialled, and to ask for it no lie", async () => {
  const narrower = parseTaskFile("task: t\npurpose: P.\n", "t.yaml", Date.now());
  Object.assign(held, { policy: compilePolicy(narrower) });
  const dial = served.dial({ host: "docs.test", port: 80 });
  await assert.rejects(dial, { code: "gateway.revoked" });
  assert.deepEqual(upstream.dialled, []);
});

test("a worker's death closes what was open, on record, and what it was waiting for", async () => {
  attribute();
  await served.record(opening);
  const { promise, resolve } = Promise.withResolvers<void>();
  const ports = {
    ...upstream.ports,
    connect: async (...[to, signal]: Parameters<typeof upstream.ports.connect>) => {
      await promise;
      return upstream.ports.connect(to, signal);
    },
  };
  const slow = new Served(held, ports, describe);
  const dial = slow.dial({ host: "docs.test", port: 80 });
  await slow.cut("it died");
  resolve();
  await assert.rejects(dial, { code: "gateway.aborted" });
  await served.cut("it died");
  assert.deepEqual(served.flows, { open: 0, total: 1 });
  assert.deepEqual(held.told.at(-1), "flow.close x  by 4121");
});

const reading = { ...intent, action: { ...action, effects: ["read" as const] } };
const repeating = { say: "repeats", run, flow, action: "a-1", may: true } as const;
const repeated = {
  say: "record",
  run,
  event: { type: "repeat", flow, action: "a-1", data: { count: 3, of: { "a-1": 3 } } },
} as const;

test("INV-76: what was allowed and only reads may repeat, and is counted", async () => {
  attribute();
  await served.record(opening);
  await served.intend(reading);
  served.repeats(repeating);
  await served.record(repeated);
  assert.match(held.told.at(-1) ?? "", /^repeat/);
  served.repeats({ ...repeating, may: false });
  await assert.rejects(served.record(repeated), { code: "worker.lie" }, "not any more");
});

test("INV-76: a worker that repeats what nobody judged, or twice says that it may, is ended", async () => {
  attribute();
  await served.record(opening);
  assert.throws(() => served.repeats(repeating), { code: "worker.lie" });
  await assert.rejects(served.record(repeated), { code: "worker.lie" });
  await served.intend(reading);
  served.repeats(repeating);
  assert.throws(() => served.repeats(repeating), { code: "worker.lie" });
  const other = { ...repeated.event, data: { count: 3, of: { "a-1": 1, "a-2": 2 } } };
  await assert.rejects(served.record({ ...repeated, event: other }), { code: "worker.lie" });
});

test("INV-76: what writes is never let repeat", async () => {
  attribute();
  await served.record(opening);
  const write = { ...action, effects: ["write" as const] };
  await served.intend({ ...intent, action: write });
  assert.throws(() => served.repeats(repeating), { code: "worker.lie" });
});

const beginning = {
  say: "recording",
  n: 3,
  run,
  flow,
  action: "a-1",
  terminal: { columns: 80, rows: 24 },
} as const;
const showing = { say: "recorded", n: 4, run, action: "a-1", what: { output: "aGk=" } } as const;

/** Recordings that remember what they are told. */
function recordingsOf(told: string[]): RunRecordings {
  const recording = {
    shows: (bytes: Buffer) => Promise.resolve(void told.push(`shows ${bytes.toString()}`)),
    resizes: ({ columns }: { columns: number }) => Promise.resolve(void told.push(`is ${columns}`)),
    seal: (end?: string) =>
      Promise.resolve({ id: "rec-1", bytes: 1, isComplete: end === undefined }),
  } as unknown as Recording;
  return {
    begin: ({ system, target, action }) => {
      told.push(`begins ${system} ${target} ${action}`);
      return Promise.resolve(recording);
    },
    settle: () => Promise.resolve(void told.push("settled")),
  };
}

test("INV-129: what a terminal shows is recorded of an allowed action only, once, until its outcome", async () => {
  const told: string[] = [];
  const outcomes: unknown[] = [];
  served = new Served(held, { ...upstream.ports, recordings: recordingsOf(told) }, describe);
  const { record } = held;
  Object.assign(held, {
    record: (event: Parameters<typeof record>[0]) => {
      if (event.type === "outcome") outcomes.push(event.data);
      return record(event);
    },
  });
  attribute();
  await served.record(opening);
  await assert.rejects(served.recording(beginning), { code: "worker.lie" }, "nothing is allowed");
  await served.intend(intent);
  await assert.rejects(served.recorded(showing), { code: "worker.lie" }, "nothing is begun");
  await served.recording(beginning);
  await assert.rejects(served.recording(beginning), { code: "worker.lie" }, "a second one");
  await served.recorded(showing);
  await served.recorded({ ...showing, what: { columns: 100, rows: 1 } });
  const lie = { exit: 0, recording: { id: "rec-9", sha256: "0" } };
  await served.record({ ...outcome, event: { ...outcome.event, data: lie } });
  await assert.rejects(served.recorded(showing), { code: "worker.flow" }, "it is late, no lie");
  assert.deepEqual(told, ["begins docs http://docs.test/ a-1", "shows hi", "is 100", "settled"]);
  const recording = { id: "rec-1", bytes: 1, isComplete: true };
  assert.deepEqual(outcomes, [{ exit: 0, recording }], "by the daemon's word only");
  await served.intend({ ...intent, action: { ...action, id: "a-2" } });
  await served.record({
    ...outcome,
    event: { ...outcome.event, action: "a-2", data: lie },
  });
  assert.deepEqual(outcomes[1], { exit: 0 }, "nor of one of which nothing was recorded");
});

test("what a worker that dies leaves of a recording is on record with why, before its flows are", async () => {
  const told: string[] = [];
  served = new Served(held, { ...upstream.ports, recordings: recordingsOf(told) }, describe);
  attribute();
  await served.record(opening);
  await served.intend(intent);
  await served.recording(beginning);
  await served.cut("it died");
  assert.ok(held.told.some((one) => one.startsWith("outcome http://docs.test/")));
  assert.equal(told.at(-1), "settled");
});

test("a recording that cannot be put on record when a worker dies takes nothing else down", async () => {
  served = new Served(held, { ...upstream.ports, recordings: recordingsOf([]) }, describe);
  const { record } = held;
  Object.assign(held, {
    record: (event: Parameters<typeof record>[0]) =>
      event.type === "outcome" ? Promise.reject(new Error("the disk is full")) : record(event),
  });
  attribute();
  await served.record(opening);
  await served.intend(intent);
  await served.recording(beginning);
  await served.cut("it died");
  assert.ok(held.told.some((one) => one.startsWith("flow.close")));
});

test("fault worker.recording: where nothing can be recorded, no terminal is begun", async () => {
  attribute();
  await served.record(opening);
  await served.intend(intent);
  await assert.rejects(served.recording(beginning), { code: "worker.recording" });
});

const toolCall = (data: object) => ({
  ...{ say: "record", run },
  event: { type: "tool.call", flow, action: "a-1", data },
});
const CALL = {
  ...{ call: "c1", name: "Bash", source: "model", input: "{}", bytes: 2, digest: "d" },
} as const;

test("INV-140: a tool call is recorded in its turn, as its flow's process's, ahead of the outcome", async () => {
  attribute();
  const said = saidSchema.parse(toolCall(CALL));
  assert.ok(said.say === "record");
  const early = served.record(said);
  await assert.rejects(early, { code: "worker.lie" }, "of a flow that is not open");
  await served.record(opening);
  await served.intend(intent);
  const of = { ...outcome, event: { ...outcome.event, flow } };
  await Promise.all([served.record(said), served.record(of)]);
  const types = held.told.map((line) => line.split(" ")[0]);
  assert.deepEqual(types.slice(-2), ["tool.call", "outcome"]);
  assert.match(held.told.at(-2) ?? "", /by 4121$/);
});

for (const [why, data] of [
  ["an input longer than an entry's", { ...CALL, input: "x".repeat(4097) }],
  ["a source that is not the gateway's", { ...CALL, source: "hook" }],
  ["members that are not its own", { ...CALL, merged: 1000 }],
  ["no digest", { ...CALL, digest: undefined }],
] as const) {
  test(`INV-43: a worker's tool call with ${why} is none that an honest one says`, () => {
    assert.equal(saidSchema.safeParse(toolCall(CALL)).success, true);
    assert.equal(saidSchema.safeParse(toolCall(data)).success, false);
  });
}
