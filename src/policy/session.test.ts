/**
 * Grants of session protocols: what is granted is verbs over objects, and what only keeps the session is in all.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, type Action, type Verdict } from "../action/index.ts";
import { decide, isStanding } from "./decide.ts";
import { narrowPolicy } from "./narrow.ts";
import { compilePolicy, type Policy } from "./policy.ts";
import { initialPolicyState } from "./state.ts";
import { parseTaskFile } from "./task-file.ts";
import type { Systems } from "./task.ts";

const SYSTEMS: Systems = new Map([
  [
    "ledgerdb",
    {
      verbs: ["select", "update", "drop", "session", "exec"],
      ports: [5555],
      isSession: true,
      separators: { select: ".", update: ".", drop: ".", exec: " " },
      flawsOfOptions: (given) =>
        (given as { database?: string }).database === undefined
          ? [{ path: "database", message: "is missing" }]
          : [],
    },
  ],
]);

function fileOf(grant: object): string {
  const whole = { system: "ledgerdb", name: "db", hosts: ["db.test"], with: { database: "x" } };
  const grants = [{ ...whole, ...grant }];
  return JSON.stringify({ task: "t", purpose: "p", grants });
}

function policyOf(allow: readonly object[]) {
  return compilePolicy(parseTaskFile(fileOf({ allow }), "t.yaml", 0, SYSTEMS));
}

type Parts = NonNullable<Action["parts"]>;

function actionOf(parts: Parts, more: Partial<Action> = {}): Action {
  return {
    id: "a-1",
    run: "r-1",
    at: "2026-11-26T00:00:00.000Z",
    monoMs: 0,
    system: "db",
    kind: "ledgerdb",
    verb: parts[0]?.verb ?? "",
    effects: parts.flatMap(({ effects }) => effects),
    target: "ledgerdb://db.test:5555",
    summary: "s",
    fields: { host: "db.test", port: 5555 },
    digest: digestOf(1),
    parts,
    cause: { pid: 1, exe: "", argv: [], knownBy: "unknown", ancestors: [] },
    ...more,
  };
}

const ORDERS = ["public", "orders"];
const RULES = [
  { verbs: ["select"], on: ["public.orders", "public.items_*"] },
  { verbs: ["update"], on: ["public.orders"] },
  { verbs: ["drop"] },
  { verbs: ["exec"], on: ["systemctl restart nginx"], effects: ["write"] },
  { verbs: ["exec"], on: ["uptime **"] },
];
const CASES: readonly (readonly [what: string, parts: Parts, verdict: string, more?: object])[] = [
  ["a granted table", [{ verb: "select", effects: ["read"], object: ORDERS }], "allow"],
  [
    "a table of the pattern",
    [{ verb: "select", effects: ["read"], object: ["public", "items_9"] }],
    "allow",
  ],
  ["another table", [{ verb: "select", effects: ["read"], object: ["public", "users"] }], "deny"],
  ["no table at all", [{ verb: "select", effects: ["read"] }], "deny"],
  [
    "two tables, one of them granted",
    [
      { verb: "select", effects: ["read"], object: ORDERS },
      { verb: "select", effects: ["read"], object: ["public", "users"] },
    ],
    "deny",
  ],
  ["a write that is granted", [{ verb: "update", effects: ["write"], object: ORDERS }], "allow"],
  ["what deletes waits", [{ verb: "drop", effects: ["delete"], object: ORDERS }], "confirm"],
  ["the session itself", [{ verb: "session", effects: ["read"] }], "allow"],
  ["a session that would write", [{ verb: "session", effects: ["write"] }], "deny"],
  ["a verb that nobody wrote", [{ verb: "unknown", effects: ["administer"] }], "deny"],
  [
    "a command of which the file says what it does",
    [{ verb: "exec", effects: ["execute"], object: ["systemctl", "restart", "nginx"] }],
    "allow",
  ],
  [
    "the same with a word more",
    [{ verb: "exec", effects: ["execute"], object: ["systemctl", "restart", "nginx", "sshd"] }],
    "deny",
  ],
  [
    "one of which it does not",
    [{ verb: "exec", effects: ["execute"], object: ["uptime"] }],
    "confirm",
  ],
  [
    "another place",
    [{ verb: "select", effects: ["read"], object: ORDERS }],
    "deny",
    { fields: { host: "other.test", port: 5555 } },
  ],
  [
    "another kind of system",
    [{ verb: "select", effects: ["read"], object: ORDERS }],
    "deny",
    { kind: "http" },
  ],
  [
    "no place",
    [{ verb: "select", effects: ["read"], object: ORDERS }],
    "deny",
    { fields: { scheme: "https" } },
  ],
];
for (const [what, parts, verdict, more = {}] of CASES) {
  test(`${verdict}: ${what}`, () => {
    const decision = decide(policyOf(RULES), initialPolicyState, actionOf(parts, more));
    assert.equal(decision.verdict, verdict, decision.reason);
  });
}

test("a grant has the usual port of its system, unless it names another", () => {
  assert.deepEqual(policyOf(RULES).grants[0]?.ports, [5555]);
  assert.equal(policyOf(RULES).grants[0]?.kind, "session");
});

const leave = (expires: string) => ({
  allow: [{ verbs: ["drop"], unattended: { count: 1, reason: "r", expires } }],
});
const FLAWS: readonly (readonly [what: string, grant: object, message: RegExp])[] = [
  ["options that its system refuses", { with: {}, allow: RULES }, /\(database\) is missing/],
  [
    "objects over verbs that act on different things",
    { allow: [{ verbs: ["select", "exec"], on: ["a.b"] }] },
    /cannot be told apart/,
  ],
  [
    "effects of everything",
    { allow: [{ verbs: ["exec"], on: ["**"], effects: ["read"] }] },
    /covers everything/,
  ],
  ["effects of nothing named", { allow: [{ verbs: ["exec"], effects: ["read"] }] }, /effects/],
  ["paths", { allow: [{ verbs: ["exec"], paths: ["/a"] }] }, /is not for a grant of system/],
  ["a pattern that is none", { allow: [{ verbs: ["select"], on: ["a**"] }] }, /\*\* beside/],
  ["a verb that it does not have", { allow: [{ verbs: ["insert"] }] }, /has no verb insert/],
  ["splice", { allow: RULES, splice: true }, /has no place/],
  ["leave that is over", leave("1969-12-30"), /is over/],
  ["leave for more than a year", leave("1972-01-01"), /more than a year ahead/],
  ["a proxy", { allow: RULES, upstream_proxy: "10.0.0.1:3128" }, /has no place/],
];
for (const [what, grant, message] of FLAWS) {
  test(`a task file is told of ${what}`, () => {
    assert.throws(() => parseTaskFile(fileOf(grant), "t.yaml", 0, SYSTEMS), { message });
  });
}

test("objects and options are for systems that have them", () => {
  const http = {
    ...{ system: "http", name: "h", hosts: ["h.test"], with: { a: 1 } },
    allow: [{ methods: ["GET"], paths: ["/**"] }],
  };
  const file = JSON.stringify({ task: "t", purpose: "p", grants: [http] });
  assert.throws(() => parseTaskFile(file, "t.yaml", 0, SYSTEMS), {
    message: /with.* is for systems/,
  });
});

const DROPS = (count: number, per?: string) => [
  {
    verbs: ["drop"],
    unattended: {
      count,
      ...(per === undefined ? {} : { per }),
      reason: "They are copies.",
      expires: "1970-01-05",
    },
  },
];

test("INV-132: what a person let in stands while its grant does, and nothing else stands by that", () => {
  const policy = policyOf([{ verbs: ["drop"] }]);
  const part = { verb: "drop", effects: ["delete" as const], object: ORDERS };
  const action = actionOf([part]);
  const standing = (of: Policy, isApproved?: boolean) =>
    isStanding(of, initialPolicyState, action, isApproved);
  assert.deepEqual([standing(policy, true), standing(policy)], [true, false]);
  assert.equal(standing(policyOf([{ verbs: ["select"] }]), true), false, "narrowed");
  const [grant] = policy.grants;
  assert.ok(grant !== undefined);
  assert.equal(standing({ ...policy, grants: [{ ...grant, revoked: true }] }, true), false);
});

test("INV-133: leave is used up by each statement of a message, and by all of them or none", () => {
  const part = (count?: number) => ({
    ...{ verb: "drop", effects: ["delete" as const], object: ORDERS },
    ...(count === undefined ? {} : { count }),
  });
  const other = { ...part(), object: ["public", "other"] };
  const cases: readonly (readonly [Parameters<typeof actionOf>[0], Verdict, number])[] = [
    [[part(3)], "allow", 3],
    [[part(4)], "confirm", 0],
    [[part(2), other], "allow", 3],
    [[part(3), other], "confirm", 0],
    [[other, part(3)], "confirm", 0],
    [[part()], "allow", 1],
  ];
  for (const per of [undefined, "1h"]) {
    const policy = policyOf(DROPS(3, per));
    for (const [parts, verdict, used] of cases) {
      const action = actionOf(parts, { at: new Date(0).toISOString() });
      const decision = decide(policy, initialPolicyState, action);
      assert.equal(decision.verdict, verdict, JSON.stringify(parts));
      const { unattendedUsed, unattendedAt } = decision.state;
      const [counted = 0] = Object.values(unattendedUsed);
      assert.equal(counted, used);
      if (per !== undefined) assert.equal(Object.values(unattendedAt)[0]?.length ?? 0, used);
    }
  }
});

test("leave for a time is given anew when the time is over", () => {
  const policy = policyOf(DROPS(2, "1h"));
  let state = initialPolicyState;
  const verdicts = [0, 10, 20, 61, 65, 71].map((minute) => {
    const at = new Date(minute * 60_000).toISOString();
    const part = { verb: "drop", effects: ["delete" as const], object: ORDERS };
    const decision = decide(policy, state, actionOf([part], { at }));
    state = decision.state;
    return decision.verdict;
  });
  assert.deepEqual(verdicts, ["allow", "allow", "confirm", "allow", "confirm", "allow"]);
});

test("INV-32: what was used of a rule's leave stays used when a policy is narrowed", () => {
  for (const per of [undefined, "1h"]) {
    const task = parseTaskFile(fileOf({ allow: DROPS(1, per) }), "t.yaml", 0, SYSTEMS);
    const part = { verb: "drop", effects: ["delete" as const], object: ORDERS };
    const action = actionOf([part], { at: new Date(0).toISOString() });
    const policy = compilePolicy(task);
    const { state } = decide(policy, initialPolicyState, action);
    const narrowed = narrowPolicy({ task, policy, state }, task);
    assert.deepEqual(narrowed.wider, []);
    assert.equal(decide(narrowed.policy, narrowed.state, action).verdict, "confirm");
  }
});

test("a living run's leave cannot be for a shorter time", () => {
  const of = (per: string) => parseTaskFile(fileOf({ allow: DROPS(1, per) }), "t.yaml", 0, SYSTEMS);
  const task = of("1d");
  const present = { task, policy: compilePolicy(task), state: initialPolicyState };
  assert.notDeepEqual(narrowPolicy(present, of("1h")).wider, []);
});

test("each part of an action uses up leave of its own", () => {
  const policy = policyOf(DROPS(2));
  const part = (name: string) => ({
    verb: "drop",
    effects: ["delete" as const],
    object: ["public", name],
  });
  const at = new Date(0).toISOString();
  const verdict = (count: number) =>
    decide(
      policy,
      initialPolicyState,
      actionOf(
        Array.from({ length: count }, (_, n) => part(`t${n}`)),
        { at },
      ),
    ).verdict;
  assert.deepEqual([1, 2, 3].map(verdict), ["allow", "allow", "confirm"]);
});
