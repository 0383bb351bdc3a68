import assert from "node:assert/strict";
import { test } from "node:test";
import { Solver, WAITING_MAX } from "./solver.ts";

const FIXTURE = new URL("./thread.fixture.ts", import.meta.url);
const PLACES = { root: "/x", rules: "/x/rules", facts: "/x/facts", catalog: "/x/catalog" };

function open(program?: URL) {
  const closing = new AbortController();
  const solver = new Solver(PLACES, closing.signal, program);
  const ask = (source: string, signal = new AbortController().signal) =>
    solver.ask({ kind: "check", nowMs: 0, source, fileName: "x.yaml" }, signal) as Promise<unknown>;
  return { ask, [Symbol.dispose]: () => closing.abort() };
}

test("what is asked is answered, by two threads in turns", async () => {
  using solver = open(FIXTURE);
  const texts = Array.from({ length: 20 }, (_, at) => `text ${at}`);
  assert.deepEqual(await Promise.all(texts.map((text) => solver.ask(text))), texts);
});

test("INV-197: a thread that dies refuses its job alone, and the next is answered", async () => {
  using solver = open(FIXTURE);
  for (const how of ["die", "throw"]) {
    await assert.rejects(solver.ask(how), { code: "console.solver" });
    assert.equal(await solver.ask("after it"), "after it");
  }
});

test("INV-197: whoever goes is not waited for: a thread that works on ends, and others have its place", async () => {
  using solver = open(FIXTURE);
  const going = new AbortController();
  const endless = ["spin", "spin"].map((text) => solver.ask(text, going.signal));
  const queued = solver.ask("never begun", going.signal);
  const other = solver.ask("another's");
  const refused = [...endless, queued].map((one) => assert.rejects(one, { code: "console.gone" }));
  setTimeout(() => going.abort(), 50);
  await Promise.all(refused);
  assert.equal(await other, "another's");
  await assert.rejects(solver.ask("too late", going.signal), { code: "console.gone" });
});

test("INV-197: more than may wait are refused by name, and those that wait are not", async () => {
  using solver = open(FIXTURE);
  const going = new AbortController();
  const endless = ["spin", "spin"].map((text) => solver.ask(text, going.signal));
  const waiting = Array.from({ length: WAITING_MAX }, (_, at) => solver.ask(`${at}`));
  await assert.rejects(solver.ask("one more"), { code: "console.solver_busy" });
  const refused = endless.map((one) => assert.rejects(one, { code: "console.gone" }));
  going.abort();
  await Promise.all(refused);
  assert.equal((await Promise.all(waiting)).length, WAITING_MAX);
});

test("the real thread: a refusal keeps its code and its fix", async () => {
  using solver = open();
  const told = (await solver.ask("task: [")) as { problems: readonly unknown[] };
  assert.equal(told.problems.length > 0, true);
});
