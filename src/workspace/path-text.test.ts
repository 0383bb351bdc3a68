import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOf, parsePathText, pathText, rawOf, visibleText } from "./path-text.ts";

const NAMES: readonly (readonly [string | Buffer, string, string])[] = [
  ["src/main.ts", "src/main.ts", "what can be printed stands for itself"],
  ["-rf", "-rf", "a leading dash is a name like any other"],
  ["bücher/日本", "bücher/日本", "so do letters of any script"],
  ["a\nb", "a\\u{a}b", "a line end would forge a second entry"],
  ["\u001b[2Jx", "\\u{1b}[2Jx", "a terminal command is not carried out"],
  ["x\u202etxt.sh", "x\\u{202e}txt.sh", "a reversed name is not read reversed"],
  ["a\u200bb", "a\\u{200b}b", "nothing has no width"],
  ["a\u00a0b", "a\\u{a0}b", "a space that is none shows"],
  ["a\\b", "a\\\\b", "a backslash cannot forge an escape"],
  [Buffer.from([0x61, 0xff, 0x62]), "a\\xffb", "bytes that are not UTF-8"],
  [Buffer.from([0xc0, 0xaf]), "\\xc0\\xaf", "an overlong slash is two bytes, not a slash"],
  [Buffer.from([0xed, 0xa0, 0x80]), "\\xed\\xa0\\x80", "a surrogate is not a character"],
  [Buffer.from([0xe2, 0x82]), "\\xe2\\x82", "half a character"],
  ["", ".", "the root"],
];
for (const [name, text, why] of NAMES) {
  test(`${JSON.stringify(text)}: ${why}`, () => {
    const raw = rawOf(Buffer.from(name));
    assert.equal(pathText(raw), text);
    assert.equal(parsePathText(text), raw);
  });
}

for (const text of [
  "/etc",
  "a//b",
  "../x",
  "a/../b",
  "",
  "a/",
  "\\x61",
  "\\xzz",
  "\\",
  "a\u202e",
  "\\u{110000}",
  "\\u{ff",
  "a\0",
  "./a",
]) {
  test(`fault workspace.path: ${JSON.stringify(text)} is no path's text`, () => {
    assert.throws(() => parsePathText(text), { code: "workspace.path" });
  });
}

test("every path has one text and every text one path", () => {
  const component = fc
    .uint8Array({ minLength: 1, maxLength: 20 })
    .map((bytes) => Buffer.from(bytes));
  const property = fc.property(
    fc.oneof(
      component,
      fc.string().map((text) => Buffer.from(text)),
    ),
    (bytes) => {
      const raw = rawOf(bytes);
      const odd = raw.split("/").some((one) => ["", ".", ".."].includes(one)) || raw.includes("\0");
      fc.pre(!odd);
      const text = pathText(raw);
      assert.deepEqual(bytesOf(parsePathText(text)), bytes);
      assert.doesNotMatch(text, /[\p{Cc}\p{Cf}]/u);
    },
  );
  fc.assert(property);
});

test("a file's text cannot command the terminal", () => {
  assert.equal(
    visibleText("a\tb\n\u001b]0;x\u0007é\r\u202e"),
    "a\tb\n\\u{1b}]0;x\\u{7}é\\u{d}\\u{202e}",
  );
});
