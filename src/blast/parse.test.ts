import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { parseFacts, parseRules, printFact, type Fact } from "./index.ts";

const says = 'says "x" source "x" example "x"';
const KNOWN = `fact p(A) "x". fact edge(A, B) "x".`;

const RULES = [
  // rules, what is wrong, why it matters
  [
    `rule r: q(A) :- p(A) says "x" example "x".`,
    "blast.rule",
    "a rule without a source is a rumour",
  ],
  [
    `rule r: q(A) :- p(A) says "x" source "x".`,
    "blast.rule",
    "a rule without an example is not understood",
  ],
  [`rule r: q(B) :- p(A) ${says}.`, "blast.rule", "a variable of the head alone would be anything"],
  [`rule r: q(_) :- p(A) ${says}.`, "blast.rule", "a blank in the head would be anything"],
  [`rule r: q(A) :- pp(A) ${says}.`, "blast.rule", "a misspelt atom makes a rule that never holds"],
  [
    `rule r: q(A) :- p(A, A) ${says}.`,
    "blast.rule",
    "another number of arguments is another predicate",
  ],
  [`rule r: p(A) :- edge(A, _) ${says}.`, "blast.rule", "what is stated does not follow"],
  [
    `rule r: q(A) :- p(A) says "{B}" source "x" example "x".`,
    "blast.rule",
    "a hole that nothing fills",
  ],
  [`rule r: q(A) :- p(A) ${says}. rule r: q(A) :- p(A) ${says}.`, "blast.rule", "two of one name"],
  [`fact p(A) "x".`, "blast.rule", "declared twice"],
  [`outcome o(A) "x".`, "blast.rule", "an outcome has an amount"],
  [`p(A).`, "blast.fact", "a fact with a variable"],
  [`zz(a).`, "blast.fact", "a fact that nothing knows"],
  [`rule r: q(A) :- p(A) ${says}`, "blast.syntax", "no full stop"],
  [`say hello.`, "blast.syntax", "no keyword"],
  [`fact é(A) "x".`, "blast.syntax", "no word of the language"],
  [`fact p2(A) "x`, "blast.syntax", "a text that does not end"],
] as const;

for (const [rules, code, why] of RULES) {
  test(`refused: ${why}`, () => {
    assert.throws(() => parseRules([{ text: `${KNOWN}\n${rules}`, file: "own.rules" }]), { code });
  });
}

test("what one file declares another may use, in whatever order", () => {
  const program = parseRules([
    { text: `p(a). rule r: q(A) :- p(A) ${says}.`, file: "a" },
    { text: `fact p(A) "x".`, file: "b" },
  ]);
  assert.equal(program.axioms.length, 1);
});

const FACTS = [
  ["p(a, b).", "another number of arguments"],
  ["pp(a).", "a misspelt fact would make the answer too small"],
  ["p(A).", "a variable"],
  ["p(a) @sure.", "an annotation that nobody knows"],
  ["p(a)", "no full stop"],
  ["p(1.5).", "no whole number"],
  ["p(99999999999999999999).", "a number that would be another one"],
  ["p(-1).", "less than nothing"],
] as const;

for (const [text, why] of FACTS) {
  test(`no fact: ${why}`, () => {
    const program = parseRules([{ text: KNOWN, file: "rules" }]);
    assert.throws(() => parseFacts({ text, file: "own.facts" }, program), /own\.facts:1/);
  });
}

test("a fact that is printed reads as the same fact, whatever stands in it", () => {
  const program = parseRules([{ text: KNOWN, file: "rules" }]);
  const constant = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.maxSafeNat(),
    fc.constantFrom("a", "B", "_", "rule", "a.b", '"', "\\n"),
  );
  const fact = fc.record(
    {
      predicate: fc.constant("edge"),
      terms: fc.tuple(constant, constant),
      persons: fc.nat(2),
      isAssumed: fc.boolean(),
      from: fc.string({ minLength: 1 }),
    },
    { noNullPrototype: true },
  );
  const property = fc.property(fc.array(fact, { maxLength: 5 }), (facts) => {
    const text = facts.map((one) => printFact(one as Fact)).join("\n");
    assert.deepEqual(parseFacts({ text, file: "x" }, program), facts);
  });
  fc.assert(property);
});

test("any text is facts, or refused with its place", () => {
  const program = parseRules([{ text: KNOWN, file: "rules" }]);
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom("p(", "a", ")", ".", "@from(", '"', "edge", ",", "\n", "#"),
  );
  const property = fc.property(
    fc.array(piece).map((all) => all.join("")),
    (text) => {
      try {
        parseFacts({ text, file: "own.facts" }, program);
      } catch (error) {
        assert.match(String(error), /own\.facts:\d+/);
      }
    },
  );
  fc.assert(property, { numRuns: 1000 });
});

test("the shipped rules: every one says where it is written, and all fit together", () => {
  const folder = join(import.meta.dirname, "../../rules");
  const files = readdirSync(folder).map((name) => ({
    file: name,
    text: readFileSync(join(folder, name), "utf8"),
  }));
  const { rules, facts, outcomes } = parseRules(files);
  assert.ok(rules.length > 40);
  for (const { name, source, example } of rules)
    assert.ok(source.length > 8 && example.length > 3, name);
  // What is declared and never used could be stated for years to no effect.
  const used = new Set(rules.flatMap(({ body }) => body.map(({ predicate }) => predicate)));
  // Read by what makes facts of a task file, and by the answer.
  const apart = new Set(["named", "always", "backup_of"]);
  for (const name of facts.keys())
    assert.ok(used.has(name) || apart.has(name), `no rule asks for ${name}`);
  const heads = new Set(rules.map(({ head }) => head.predicate));
  for (const name of outcomes.keys()) assert.ok(heads.has(name), `no rule gives ${name}`);
});
