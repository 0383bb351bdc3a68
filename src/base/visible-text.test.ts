import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import {
  codePointText,
  shellWord,
  UNSEEN_IN_LINES,
  visibleLine,
  visibleLines,
} from "./visible-text.ts";

for (const [text, line, why] of [
  ["plain, with spaces", "plain, with spaces", "it is as it was"],
  ["bücher 日本 é", "bücher 日本 é", "letters of any script stay"],
  ["\u001b]0;title\u0007", "\\u001b]0;title\\u0007", "it would set a title"],
  ["\u009b2J", "\\u009b2J", "it would clear a screen that takes 8-bit controls"],
  ["a\n   7  10:00  allow", "a\\u000a   7  10:00  allow", "it would pass for an entry"],
  ["a\rb", "a\\u000db", "it would overwrite the line"],
  ["exe\u202ecod", "exe\\u202ecod", "it would turn the reading order round"],
  ["a\u200bb\u00a0c", "a\\u200bb\\u00a0c", "nobody would see it"],
  ["\u{e0041}", "\\udb40\\udc41", "nor this, beyond the first plane"],
] as const) {
  test(`INV-93: on one line: ${JSON.stringify(text)}: ${why}`, () =>
    assert.equal(visibleLine(text), line));
}

test("lines keep their ends and tabs, and nothing else that is not seen", () =>
  assert.equal(visibleLines("a\tb\r\nc\u001b[m\rd\n"), "a\tb\r\nc\\u001b[m\\u000dd\n"));

test("INV-188: in lines, tabs and line feeds alone of what is not seen are as they are", () => {
  const unseen = (from: number, to = from) =>
    Array.from({ length: to - from + 1 }, (_, at) => String.fromCodePoint(from + at));
  for (const one of [
    ...[...unseen(0xfe00, 0xfe0f), ...unseen(0xe0000, 0xe01ef), ...unseen(0x2000, 0x200f)],
    ...Array.from("\u034f\u115f\u17b4\u180b\u2800\u3000\u3164\u00a0\r\0\u202e\ud800\ue000\u0378"),
  ]) {
    assert.match(one, UNSEEN_IN_LINES, codePointText(one));
  }
  for (const one of "\t\n aé日👍\u0301")
    assert.doesNotMatch(one, UNSEEN_IN_LINES, codePointText(one));
  assert.deepEqual(["\u200b", "\u{e0100}"].map(codePointText), ["U+200B", "U+E0100"]);
});

test("a line of JSON stays the same value, for any string", () => {
  const property = fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.equal(JSON.parse(visibleLines(JSON.stringify(text))), text);
  });
  fc.assert(property);
});

test("a shell reads a word as what it was, for any string", () => {
  const odd = fc.string({ unit: fc.constantFrom("'", '"', "\\", "$", "`", ";", " ", "\n", "a") });
  const property = fc.property(odd, (text) => {
    assert.equal(
      execFileSync("sh", ["-c", `printf %s. ${shellWord(text)}`]).toString(),
      `${text}.`,
    );
  });
  fc.assert(property, { numRuns: 25 });
});
