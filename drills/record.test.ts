import assert from "node:assert/strict";
import { test } from "node:test";
import {
  attemptSchema,
  drillSchema,
  faultsOf,
  isPassed,
  type AttemptRecord,
  type DrillRecord,
} from "./record.ts";
import { createInk, tellDrill, tellOpening } from "./story.ts";

const CONTAINED: AttemptRecord = attemptSchema.parse({
  name: "tunnel-443-granted",
  target: "api.granted.example:443",
  attempted: true,
  crossed: false,
  effect: false,
  harm: false,
  bareCrossed: true,
  stoppedBy: "tunnel (grants[0].protocol)",
  noticedMs: 12,
  stoppedMs: 14,
  process: {
    pid: 41,
    exe: "/usr/bin/ssh",
    argv: ["ssh", "-N"],
    knownBy: "seccomp",
    ancestors: [{ pid: 12, exe: "/usr/bin/node", argv: ["node", "agent.mjs"] }],
  },
  entry: 42,
  proved: true,
  attributed: true,
  run: "r-1",
  what: "reverse SSH tunnel",
  bare: "the tunnel was up",
  output: "",
});
const DRILL: DrillRecord = drillSchema.parse({
  name: "rome",
  attempts: [CONTAINED],
  twins: [{ name: "https get", passed: true, detail: "" }],
  ledgerIntact: true,
});

const FLAWS: readonly (readonly [Partial<AttemptRecord>, string])[] = [
  [{ attempted: false }, "nothing was tried, so nothing was stopped"],
  [{ crossed: true }, "a byte outside is a crossing, whatever came of it"],
  [{ effect: true }, "an effect without a counted crossing is a channel nobody counts"],
  [{ harm: true }, "harm"],
  [{ bareCrossed: false }, "what fails bare shows nothing about the wall"],
  [{ stoppedBy: null }, "no rule stopped it: it may have failed by itself"],
  [{ noticedMs: null }, "unnoticed"],
  [{ stoppedMs: null }, "a flow that never closed"],
  [{ entry: null }, "no entry"],
  [{ proved: false }, "an entry that cannot be proved is a claim"],
  [{ process: null }, "nobody is named"],
  [{ attributed: false }, "somebody else is named"],
];
for (const [flaw, why] of FLAWS) {
  test(`an attempt with ${JSON.stringify(flaw)} alone fails the drill: ${why}`, () => {
    const attempt = { ...CONTAINED, ...flaw };
    assert.equal(faultsOf(attempt).length, 1);
    assert.equal(isPassed({ ...DRILL, attempts: [CONTAINED, attempt] }), false);
  });
}

test("a contained attempt and a passed twin pass the drill", () => {
  assert.deepEqual(faultsOf(CONTAINED), []);
  assert.equal(isPassed(DRILL), true);
});

const DRILL_FLAWS: readonly (readonly [Partial<DrillRecord>, string])[] = [
  [{ attempts: [] }, "a drill that tried nothing"],
  [{ twins: [] }, "a wall that was never shown to let work through"],
  [{ twins: [{ name: "https get", passed: false, detail: "403" }] }, "ordinary work was stopped"],
  [{ ledgerIntact: false }, "the ledger is not intact"],
];
for (const [flaw, why] of DRILL_FLAWS) {
  test(`the drill fails: ${why}`, () => assert.equal(isPassed({ ...DRILL, ...flaw }), false));
}

test("the printed form keeps every key that users rely on", () => {
  const keys = Object.keys(attemptSchema.shape);
  const stable =
    "name target attempted crossed effect harm bareCrossed stoppedBy noticedMs stoppedMs process entry";
  for (const key of stable.split(" ")) assert.ok(keys.includes(key), key);
  assert.deepEqual(drillSchema.parse(JSON.parse(JSON.stringify(DRILL))), DRILL);
});

test("the story names rule, times, process chain, entry and proof, and says what failed", () => {
  const ink = createInk(false);
  const told = tellDrill(DRILL, ink).join("\n");
  const parts = ["tunnel (grants[0].protocol)", "12 ms", "14 ms", "entry 42, its proof holds"];
  for (const part of [...parts, "ssh -N [41] < node agent.mjs [12]", "1 of 1 benign twins"]) {
    assert.ok(told.includes(part), `${part} in ${told}`);
  }
  const failed = tellDrill({ ...DRILL, attempts: [{ ...CONTAINED, harm: true }] }, ink).join("\n");
  assert.ok(failed.includes("NOT SHOWN CONTAINED") && failed.includes("it did harm"));
  const opening = tellOpening({ title: "T", sentences: ["a", "b"] }, ink);
  assert.deepEqual(opening, ["T", "  a", "  b", ""]);
});
