import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  parseFacts,
  parseRules,
  pathTo,
  solve,
  type Constant,
  type Fact,
  type Program,
  type Rule,
  type Solution,
} from "./index.ts";

const says = 'says "x" source "x" example "x"';

function solved(rules: string, facts: string): Solution {
  const program = parseRules([{ text: rules, file: "rules" }]);
  return solve(program, parseFacts({ text: facts, file: "facts" }, program));
}

const REACH = `
  fact edge(From, To) "{From} leads to {To}".
  fact start(Node) "{Node} is where it begins".
  outcome reached(Node, Amount) "nodes".
  rule begin: at(Node) :- start(Node) free ${says}.
  rule go: at(To) :- at(From), edge(From, To) says "from {From} to {To}" source "x" example "x".
  rule arrive: reached(Node, 1) :- at(Node) free ${says}.
`;

test("the shortest of two ways is the one that is told, in the order in which it is walked", () => {
  const solution = solved(
    REACH,
    "start(a). edge(a, b). edge(b, c). edge(c, d). edge(a, x). edge(x, d).",
  );
  const atom = solution.find("reached", ["d", 1]);
  assert.ok(atom !== undefined);
  assert.deepEqual(
    pathTo(solution, atom).map((step) => step.says),
    ["from a to x", "from x to d"],
  );
});

test("a way without a person is shorter than any that needs one", () => {
  const solution = solved(
    REACH,
    "start(a). edge(a, d) @confirm. edge(a, b). edge(b, c). edge(c, d).",
  );
  const atom = solution.find("reached", ["d", 1]);
  assert.ok(atom !== undefined);
  assert.equal(solution.personsOf(atom), 0);
  assert.equal(solution.stepsOf(atom), 3);
});

test("four eyes cost more than one", () => {
  const solution = solved(
    REACH,
    "start(a). edge(a, d) @four_eyes. edge(a, b) @confirm. edge(b, d).",
  );
  const atom = solution.find("at", ["d"]);
  assert.ok(atom !== undefined);
  assert.equal(solution.personsOf(atom), 1);
});

test("a cycle ends, and nothing rests on itself", () => {
  const solution = solved(REACH, "edge(a, b). edge(b, a). edge(b, b).");
  assert.equal(solution.find("at", ["a"]), undefined);
  const begun = solved(REACH, "start(a). edge(a, b). edge(b, a). edge(b, b).");
  const atom = begun.find("reached", ["b", 1]);
  assert.ok(atom !== undefined);
  assert.equal(pathTo(begun, atom).length, 1);
});

test("a number and its text are two things", () => {
  const solution = solved(REACH, 'start(7). edge("7", b). edge(7, c).');
  assert.equal(solution.find("at", ["b"]), undefined);
  assert.ok(solution.find("at", ["c"]) !== undefined);
});

test("one thing twice in a body: each instance comes up once", () => {
  const solution = solved(
    `fact p(A, B) "x". rule two: q(A, C) :- p(A, B), p(B, C) ${says}. rule same: r(A) :- p(A, A) ${says}.`,
    "p(a, a). p(a, b). p(b, a).",
  );
  // a-a-a, a-a-b, a-b-a, b-a-a, b-a-b, and the one of `same`.
  assert.equal(solution.instances, 6);
});

test("an answer that would be cut short is refused", () => {
  const program = parseRules([{ text: REACH, file: "rules" }]);
  const facts = parseFacts({ text: "start(a). edge(a, b). edge(b, c).", file: "facts" }, program);
  assert.throws(() => solve(program, facts, 5), { code: "blast.limit" });
  assert.equal(solve(program, facts, 6).instances, 6);
});

/** Worlds small enough to be explored by trying everything. */
const NAMES = ["a", "b", "c"];
const PREDICATES = ["p", "q", "r", "s"] as const;
const EDB = ["e", "f"] as const;

const term = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("X", "Y", "Z").map((variable) => ({ variable })) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES).map((constant) => ({ constant })) },
);
const atom = fc.record({
  predicate: fc.constantFrom(...PREDICATES, ...EDB),
  terms: fc.tuple(term, term),
});
const rule = fc
  .record({
    body: fc.array(atom, { minLength: 1, maxLength: 3 }),
    predicate: fc.constantFrom(...PREDICATES),
    picks: fc.tuple(fc.nat(9), fc.nat(9)),
    isFree: fc.boolean(),
  })
  .map(({ body, predicate, picks, isFree }): Omit<Rule, "name"> => {
    const variables = body.flatMap(({ terms }) => terms.filter((one) => "variable" in one));
    const pick = (at: number) => variables[at % variables.length] ?? { constant: "a" };
    const terms = [pick(picks[0]), pick(picks[1])];
    return { head: { predicate, terms }, body, isFree, says: "x", source: "x", example: "x" };
  });
const fact = fc.record({
  predicate: fc.constantFrom(...EDB),
  terms: fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES)),
  persons: fc.nat(2),
});

test("what follows, at what cost and by which instances is what trying everything gives", () => {
  const property = fc.property(
    fc.array(rule, { maxLength: 6 }),
    fc.array(fact, { maxLength: 8 }),
    (rules, stated) => {
      const program: Program = {
        facts: new Map(),
        outcomes: new Map(),
        rules: rules.map((one, at) => ({ ...one, name: `r${at}` })),
        axioms: [],
      };
      const facts = stated.map((one): Fact => ({ ...one, from: "", isAssumed: false }));
      const solution = solve(program, facts);
      const expected = explore(program, facts);
      const found = new Map(
        solution.order.map((one) => [
          `${solution.predicateOf(one)} ${solution.termsOf(one).join(" ")}`,
          `${solution.personsOf(one)} ${solution.stepsOf(one)}`,
        ]),
      );
      assert.deepEqual([...found].sort(), [...expected.costs].sort());
      assert.equal(solution.instances, expected.instances);
    },
  );
  fc.assert(property, { numRuns: 500 });
});

/** Every ground instance over {@link NAMES}, and costs made smaller until none changes. */
function explore({ rules }: Program, facts: readonly Fact[]) {
  const ground = rules.flatMap(({ head, body, isFree }) =>
    assignments(body).map((values) => ({
      head: keyOf(head, values),
      body: body.map((one) => keyOf(one, values)),
      step: isFree ? 0 : 1,
    })),
  );
  const costs = new Map<string, readonly [persons: number, steps: number]>();
  const lower = (key: string, persons: number, steps: number): boolean => {
    const [before, length] = costs.get(key) ?? [Infinity, Infinity];
    if (persons > before || (persons === before && steps >= length)) return false;
    costs.set(key, [persons, steps]);
    return true;
  };
  for (const { predicate, terms, persons } of facts)
    lower(`${predicate} ${terms.join(" ")}`, persons, 0);
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    for (const { head, body, step } of ground) {
      const parts = body.map((key) => costs.get(key));
      if (parts.includes(undefined)) continue;
      const sum = (at: 0 | 1) => parts.reduce((all, part) => all + (part?.[at] ?? 0), 0);
      if (lower(head, sum(0), sum(1) + step)) isChanged = true;
    }
  }
  return {
    costs: new Map([...costs].map(([key, cost]) => [key, cost.join(" ")])),
    instances: ground.filter(({ body }) => body.every((key) => costs.has(key))).length,
  };
}

type Values = ReadonlyMap<string, Constant>;

function assignments(body: Rule["body"]): readonly Values[] {
  const variables = new Set(
    body.flatMap(({ terms }) => terms.flatMap((one) => ("variable" in one ? [one.variable] : []))),
  );
  let all: readonly Values[] = [new Map()];
  for (const variable of variables) {
    all = all.flatMap((values) => NAMES.map((name) => new Map([...values, [variable, name]])));
  }
  return all;
}

function keyOf({ predicate, terms }: Rule["head"], values: Values): string {
  return `${predicate} ${terms.map((one) => ("variable" in one ? values.get(one.variable) : one.constant)).join(" ")}`;
}
