/**
 * Drills as the console runs them: listed, watched while they happen, one at a time, over when nobody watches; and this
 * machine's prerequisites.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, before, test } from "node:test";
import type { DrillEvent as LiveEvent } from "../drills/live.ts";
import { CATALOGUE } from "../drills/catalogue.ts";
import type { DrillEvent } from "../src/api/index.ts";
import { openAsked, type AskedConsole } from "./support/console.ts";
import { eventually, TestHome } from "./support/home.ts";

// What drills tell is what the contract says: this line would not compile otherwise.
const asContract = (event: LiveEvent): DrillEvent => event;

const home = new TestHome();
let desk: AskedConsole;
before(async () => {
  desk = await openAsked(home);
});
after(async () => {
  await desk.close();
  await home.close();
});

test("drill.list: every drill with its story, as the command line lists them", async () => {
  const drills = await desk.ask("drill.list", {});
  assert.deepEqual(
    drills.map(({ name }) => name),
    CATALOGUE.map(({ name }) => name),
  );
  for (const { title, sentences } of drills) assert.ok(title !== "" && sentences.length > 1);
});

test("drill.run: planned, tried bare and in a run, noticed on record, judged in the end; one at a time", async () => {
  const events: DrillEvent[] = [];
  let refused: Promise<void> | undefined;
  for await (const event of desk.stream("drill.run", { name: "d08-planted-token" })) {
    events.push(event);
    refused ??= assert.rejects(desk.all("drill.run", { name: "d27-three-channels" }), {
      code: "console.drill_busy",
    });
  }
  await refused;
  const of = <Kind extends DrillEvent["event"]>(kind: Kind) =>
    events.filter((one): one is Extract<DrillEvent, { event: Kind }> => one.event === kind);
  const [plan] = of("plan");
  const [result] = of("result");
  assert.ok(plan !== undefined && result !== undefined);
  assert.equal(result.passed, true, JSON.stringify(result));
  assert.equal(result.attempts.length, plan.attempts.length);
  assert.ok(result.attempts.every(({ faults, proved }) => faults.length === 0 && proved));
  assert.ok(result.twins.every(({ passed }) => passed));
  for (const { name } of plan.attempts) {
    const steps = of("step").filter((one) => one.name === name && one.phase === "contained");
    assert.deepEqual(
      steps.map(({ state }) => state),
      ["started", "ended"],
    );
    assert.ok(
      of("noticed").some(({ attempt }) => attempt === name),
      `${name} is seen as it happens`,
    );
    const reached = of("reached").filter((one) => one.name === name);
    const crossed = reached.map((one) => [one.phase, one.crossed]);
    assert.deepEqual(crossed, [
      ["bare", true],
      ["contained", false],
    ]);
  }
  const first = events.findIndex(({ event }) => event === "noticed");
  assert.ok(first < events.findIndex(({ event }) => event === "result"));
  assert.equal(typeof asContract, "function");
});

test("INV-199: a drill that is none is drill.unknown; words that could be options are refused", async () => {
  await assert.rejects(desk.all("drill.run", { name: "roma" }), { code: "drill.unknown" });
  assert.equal((await desk.refusal("drill.run", { name: "--bare" })).code, "console.request");
});

test("doctor.examine: each prerequisite, with its fix where it is missing", async () => {
  const checks = await desk.ask("doctor.examine", {});
  const told = await home.call(["doctor", "--json"]);
  const { checks: same } = JSON.parse(told.stdout) as { checks: typeof checks };
  assert.deepEqual(
    checks.map(({ name, ok }) => [name, ok]),
    same.map(({ name, ok }) => [name, ok]),
  );
  for (const { ok, fix } of checks) assert.equal(fix === "", ok);
});

test("a drill ends when nobody watches it any more, and leaves nothing", async () => {
  const worlds = () => readdirSync(tmpdir()).filter((name) => name.startsWith("cofferdam-drill-"));
  const before_ = worlds();
  const ending = new AbortController();
  await assert.rejects(async () => {
    for await (const { event } of desk.stream("drill.run", { name: "rome" }, ending.signal)) {
      if (event === "step") ending.abort();
    }
  });
  await eventually("its end", 15_000, () =>
    worlds().every((name) => before_.includes(name)) ? true : undefined,
  );
  await eventually("the next may be run", 15_000, async () => {
    const [refused] = await Promise.allSettled([desk.all("drill.run", { name: "roma" })]);
    if (refused.status === "fulfilled") return undefined;
    return (refused.reason as { code: string }).code === "drill.unknown" ? true : undefined;
  });
});
