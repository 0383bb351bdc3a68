import assert from "node:assert/strict";
import { test } from "node:test";
import { Solver, WAITING_MAX, WAITING_OWN_MAX } from "./solver.ts";

const FIXTURE = new URL("./thread.fixture.ts", import.meta.url);
const PLACES = { root: "/x", rules: "/x/rules", facts: "/x/facts", catalog: "/x/catalog" };

function open(program?: URL) {
  const closing = new AbortController();
  const solver = new Solver(PLACES, closing.signal, program);
  const ask = (source: string, signal = new AbortController().signal, session = "a") => {
    const job = { kind: "check", nowMs: 0, source, fileName: "x.yaml" } as const;
    return solver.ask(job, { session, signal }) as Promise<unknown>;
  };
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
  const waiting = Array.from({ length: WAITING_MAX }, (_, at) =>
    solver.ask(`${at}`, undefined, `session ${Math.floor(at / WAITING_OWN_MAX)}`),
  );
  await assert.rejects(solver.ask("one more"), { code: "console.solver_busy" });
  const refused = endless.map((one) => assert.rejects(one, { code: "console.gone" }));
  going.abort();
  await Promise.all(refused);
  assert.equal((await Promise.all(waiting)).length, WAITING_MAX);
});

test("INV-197: whoever asks much waits for themselves alone", async () => {
  using solver = open(FIXTURE);
  const going = new AbortController();
  const endless = [
    solver.ask("spin", going.signal),
    solver.ask("spin", new AbortController().signal, "b"),
  ].map((one) => one.catch(() => "gone"));
  const said: unknown[] = [];
  const told = async (text: string, session: string) =>
    said.push(await solver.ask(text, undefined, session));
  const mine = Array.from({ length: WAITING_OWN_MAX }, (_, at) => told(`mine ${at}`, "b"));
  await assert.rejects(solver.ask("one more", undefined, "b"), { code: "console.solver_busy" });
  const other = told("another's", "c");
  going.abort();
  await other;
  assert.deepEqual(said, ["another's"], "it had the first thread that came free");
  await Promise.all(mine);
  await endless[0];
});

test("the real thread: a refusal keeps its code and its fix", async () => {
  using solver = open();
  const told = (await solver.ask("task: [")) as { problems: readonly unknown[] };
  assert.equal(told.problems.length > 0, true);
});
