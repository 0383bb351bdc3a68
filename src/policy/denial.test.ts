import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Effect } from "../action/index.ts";
import { isProbe, noteDenial, routeOf } from "./denial.ts";
import { initialPolicyState, type PolicyState } from "./state.ts";

const MINUTE_MS = 60_000;

interface Step {
  readonly target?: string;
  readonly effect?: Effect;
  readonly port?: number;
  readonly host?: string;
  readonly verb?: string;
  readonly protocol?: string;
  readonly atMin?: number;
}

/** Whether each of the steps sticks. */
function stickiness(steps: readonly Step[]): readonly boolean[] {
  let state: PolicyState = initialPolicyState;
  return steps.map(({ target = "evil.example", effect, atMin = 0, ...parts }) => {
    const route = routeOf(parts);
    const noted = noteDenial(state, { target, effect, route, monoMs: atMin * MINUTE_MS });
    state = noted.state;
    return noted.sticky;
  });
}

const CASES: readonly (readonly [
  why: string,
  steps: readonly Step[],
  sticky: readonly boolean[],
])[] = [
  ["three ports of one host", [{ port: 22 }, { port: 443 }, { port: 80 }], [false, false, true]],
  ["two ports are a mistake", [{ port: 22 }, { port: 443 }], [false, false]],
  [
    "verb, spelling and protocol each make a route",
    [{ verb: "GET" }, { verb: "POST" }, { host: "EVIL.example" }, { protocol: "ssh" }],
    [false, false, true, true],
  ],
  [
    "the same way again only counts, however often",
    [{ port: 22 }, { port: 22 }, { port: 22 }, { port: 22 }, { port: 443 }, { port: 22 }],
    [false, false, false, false, false, false],
  ],
  [
    "a known way does not stick twice, a new one does",
    [{ port: 1 }, { port: 2 }, { port: 3 }, { port: 3 }, { port: 4 }],
    [false, false, true, false, true],
  ],
  [
    "unrelated names only count",
    [
      { target: "t1", port: 443 },
      { target: "t2", port: 443 },
      { target: "t3", port: 443 },
      { target: "t4", port: 80 },
    ],
    [false, false, false, false],
  ],
  [
    "what lies over five minutes back is forgotten",
    [{ port: 22 }, { port: 443, atMin: 3 }, { port: 80, atMin: 6 }],
    [false, false, false],
  ],
  [
    "the window slides",
    [{ port: 22 }, { port: 443, atMin: 3 }, { port: 80, atMin: 6 }, { port: 8080, atMin: 7 }],
    [false, false, false, true],
  ],
  [
    "exactly five minutes still count",
    [{ port: 22 }, { port: 443, atMin: 2 }, { port: 80, atMin: 5 }],
    [false, false, true],
  ],
  [
    "the same denied effect by three ways, whatever the target",
    [
      { target: "a", effect: "publish", host: "a", verb: "POST" },
      { target: "b", effect: "publish", host: "b", verb: "POST" },
      { target: "c", effect: "publish", host: "c", verb: "PUT" },
    ],
    [false, false, true],
  ],
  [
    "many targets by one way are no search for another",
    [1, 2, 3, 4].map((n) => ({
      target: `https://a/${n}`,
      effect: "delete" as const,
      host: "a",
      verb: "DELETE",
    })),
    [false, false, false, false],
  ],
  [
    "a write is no effect to stick to: telemetry writes all day",
    ["a", "b", "c", "d"].map((host) => ({
      target: host,
      effect: "write" as const,
      host,
      verb: "POST",
    })),
    [false, false, false, false],
  ],
];
for (const [why, steps, sticky] of CASES) {
  test(`sticky denial: ${why}`, () => assert.deepEqual(stickiness(steps), sticky));
}

const PROBES: readonly (readonly [
  why: string,
  effects: readonly Effect[],
  objects: readonly (readonly string[])[],
  probes: boolean,
])[] = [
  ["INFO: of no object", ["read"], [], true],
  ["SCAN, SHOW DATABASES: of all of them", ["read"], [["*"]], true],
  ["all of all of them", ["read"], [["*", "*"]], true],
  ["a named key", ["read"], [["secrets"]], false],
  ["a named one among all", ["read"], [["*"], ["shop", "customers"]], false],
  ["all of a named one", ["read"], [["shop", "*"]], false],
  ["SLOWLOG: what others said", ["read-private"], [["*"]], false],
  ["CONFIG GET: passwords too", ["read-private", "administer"], [["*"]], false],
  ["FLUSHALL: of all, but no reading", ["delete"], [["*"]], false],
  ["what reads and writes", ["read", "write"], [], false],
];
for (const [why, effects, objects, probes] of PROBES) {
  test(`${probes ? "a probe" : "no probe"}: ${why}`, () => {
    const parts = objects.map((object) => ({
      ...{ verb: "v", effects: [...effects], object: [...object] },
    }));
    assert.equal(isProbe({ effects: [...effects], parts }), probes);
  });
}

test("nobody pushes a target out of memory by naming many others", () => {
  const flood = (count: number, from: number): readonly Step[] =>
    Array.from({ length: count }, (_, at) => ({ target: `t${from + at}`, port: 443 }));
  const sticky = stickiness([{ port: 22 }, { port: 443 }, ...flood(3000, 0), { port: 80 }]);
  assert.equal(sticky.at(-1), true);
  assert.equal(sticky.slice(0, -1).includes(true), false);
});

test("memory is bounded, whatever is denied", () => {
  let state: PolicyState = initialPolicyState;
  for (let n = 0; n < 2000; n += 1) {
    const route = routeOf({ host: "x".repeat(5000), port: n });
    const target = `${n % 700}${"y".repeat(5000)}`;
    state = noteDenial(state, { target, effect: "delete", route, monoMs: n }).state;
  }
  assert.ok(JSON.stringify(state).length < 6_000_000);
  assert.ok(state.denied.length <= 512);
});

test("fuzz: with fewer than three routes nothing sticks, and a state is never changed", () => {
  const attempts = fc.record({
    target: fc.constantFrom("a", "b", "c"),
    route: fc.constantFrom("r1", "r2"),
    effect: fc.constantFrom<Effect | undefined>(undefined, "read", "delete"),
    step: fc.nat({ max: 200_000 }),
  });
  const property = fc.property(fc.array(attempts, { maxLength: 30 }), (list) => {
    let state: PolicyState = initialPolicyState;
    let monoMs = 0;
    for (const { step, ...attempt } of list) {
      monoMs += step;
      const before = structuredClone(state);
      const noted = noteDenial(state, { ...attempt, monoMs });
      assert.equal(noted.sticky, false);
      assert.deepEqual(state, before);
      state = noted.state;
    }
  });
  fc.assert(property);
});
