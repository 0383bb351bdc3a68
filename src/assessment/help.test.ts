import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { systemsIn } from "../systems/index.ts";
import { helpAt } from "./help.ts";
import { outlineOf } from "./place-in-text.ts";

/** A text with `|` where the cursor stands. */
function cursorIn(marked: string) {
  const before = marked.slice(0, marked.indexOf("|")).split("\n");
  const source = marked.replace("|", "");
  return { source, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

const SYSTEMS = systemsIn("/nonexistent");
const help = (marked: string) => {
  const { source, line, column } = cursorIn(marked);
  return helpAt(source, { line, column }, SYSTEMS);
};

const PLACES = [
  // text, path, whether a key is written, word, why
  ["ta|", [], true, "ta", "the first key"],
  ["task: my-|", ["task"], false, "my-", "a value"],
  ["task: x\n|", [], true, "", "a new line of the outermost map"],
  ["ta|sk: x\n", [], true, "task", "a key that is whole, from within"],
  ["compute:\n  c|", ["compute"], true, "c", "a key farther in"],
  ["compute: { cpus: 1, me|", ["compute"], true, "me", "a key in braces"],
  ["compute: { cpus: 1, memory: 4|G }", ["compute", "memory"], false, "4G", "a value in braces"],
  ["environment: [A, B|]", ["environment", 1], false, "B", "an entry in brackets"],
  ["grants:\n  - s|", ["grants", 0], true, "s", "a key of an entry"],
  ["grants:\n- system: http\n  na|", ["grants", 0], true, "na", "a list as far in as its key"],
  ["grants:\n  - system: a\n  - system: b|", ["grants", 1, "system"], false, "b", "a second entry"],
  [
    "grants:\n  - system: a\n    allow:\n      - verbs: [x.y, po|",
    ["grants", 0, "allow", 0, "verbs", 1],
    false,
    "po",
    "what is not closed yet",
  ],
  [
    "grants:\n  - allow:\n      - { verbs: [a], doing: [read,\n          wr|",
    ["grants", 0, "allow", 0, "doing", 1],
    false,
    "wr",
    "brackets over two lines",
  ],
  ["task: x # a: b\npur|", [], true, "pur", "after a comment with a colon"],
  ['task: "a, {b"\npur|', [], true, "pur", "brackets in quotes are text"],
  ["purpose: |\n", ["purpose"], false, "", "an empty value"],
  ["reason: >\n  a: b\n  c: d\ntas|", [], true, "tas", "lines of a text hold no keys"],
  ["grants:\n  - system: a\ncompute:\n  |", ["compute"], true, "", "a list that is over"],
] as const;
for (const [marked, path, isKey, word, why] of PLACES) {
  test(`place ${JSON.stringify(marked)}: ${why}`, () => {
    const { source, line, column } = cursorIn(marked);
    const { spot } = outlineOf(source, line, column);
    assert.deepEqual(spot, { path, isKey, word });
  });
}

const OPTIONS = [
  // text, one that is offered, one that is not, what is said
  ["|", "grants", "methods", /What one task/],
  ["grants:\n  - |", "hosts", "lifetime", /may reach/],
  ["grants:\n  |", "- system", "system", /may reach/],
  ["grants:\n  - system: word|", "wordpress", "select", /Kind of system/],
  [
    "grants:\n  - system: postgres\n    allow:\n      - verbs: [sel|]",
    "select",
    "post.list",
    /what may be asked/,
  ],
  [
    "grants:\n  - allow:\n      - verbs: [pos|]\n    system: wordpress\n",
    "post.list",
    "select",
    /what may be asked/,
  ],
  ["grants:\n  - system: http\n    allow:\n      - |", "methods", "verbs", /lets through/],
  ["grants:\n  - system: wordpress\n    allow:\n      - |", "verbs", "methods", /lets through/],
  ["workspace: |", "read-only", "true", /kept aside/],
  ["grants:\n  - splice: |", "true", "false", /not ended by the gateway/],
  ["approvals: { four_eyes: [|] }", "administer", "GET", /second, different person/],
  ["respond: { mining: | }", "kill", "deny", /finding does/],
  ["detect:\n  |", "dns.tunnel", "grants", /Detectors by name/],
  ["grants:\n  - { name: a }\n  - { name: b, pairs: [|] }", "a", "system", /Names of other grants/],
] as const;
for (const [marked, offered, absent, says] of OPTIONS) {
  test(`help ${JSON.stringify(marked)}: offers ${offered}, and not ${absent}`, () => {
    const { options, says: said } = help(marked);
    const labels = options.map(({ label }) => label);
    assert.ok(labels.includes(offered), labels.slice(0, 40).join(" "));
    assert.ok(!labels.includes(absent), labels.join(" "));
    assert.match(said, says);
  });
}

test("a word that stands there whole is told itself", () => {
  const verb = help("grants:\n  - system: postgres\n    allow:\n      - verbs: [sel|ect]");
  assert.equal(verb.path, "grants[0].allow[0].verbs[0]");
  assert.match(verb.says, /./);
  assert.match(help("grants:\n  - system: word|press").says, /WordPress/);
  assert.match(help("life|time: 1h").says, /at the latest/);
});

test("any text has a place at any cursor, and none of it is followed without end", () => {
  const pieces = ["- ", "a: ", "{", "}", "[", "]", ",", "\n", "  ", '"', "'", "#", "|", ">", "x"];
  const texts = fc.array(fc.constantFrom(...pieces), { maxLength: 200 }).map((all) => all.join(""));
  const property = fc.property(texts, fc.nat(60), fc.nat(60), (source, line, column) => {
    const { spot } = outlineOf(source, line + 1, column + 1);
    assert.ok(spot.path.length <= source.length + 1);
    helpAt(source, { line: line + 1, column: column + 1 }, SYSTEMS);
  });
  fc.assert(property, { numRuns: 200 });
});

for (const piece of ["- a: [b, c, {d: e}]\n", "[#", "a", " ", "x #", "{", '"', "- "]) {
  test(`reading ${JSON.stringify(piece)} again and again takes time in its length`, () => {
    const timeOf = (count: number) => {
      const text = piece.repeat(count);
      const lines = text.split("\n");
      // The shortest of several: what others on this machine take is in all but that one.
      const rounds = Array.from({ length: 5 }, () => {
        const start = performance.now();
        outlineOf(text, lines.length, (lines.at(-1)?.length ?? 0) + 1);
        return performance.now() - start;
      });
      return Math.min(...rounds);
    };
    timeOf(2000);
    // Sixteen times the length: in its square it would be 256 times as long.
    const [short, long] = [timeOf(2000), timeOf(32_000)];
    assert.ok(long < 5 * 16 * short + 50, `${long} ms, ${short} ms`);
  });
}
