import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CastReader } from "./cast.ts";
import { LineSearch, ScreenText } from "./screen-text.ts";

const ESC = "\u001b";

/** The lines that `text` leaves on a screen of `columns`. */
function linesFrom(text: string, columns = 20): readonly string[] {
  const screen = new ScreenText();
  screen.push({ seconds: 0, columns });
  return [...screen.push({ seconds: 1, text }), ...screen.end()].map((line) => line.text);
}

const CASES: readonly (readonly [written: string, lines: readonly string[], why: string])[] = [
  ["a\r\nb\n", ["a", "b"], "lines end by LF, with CR or without"],
  [`${ESC}[1;31mred${ESC}[0m text`, ["red text"], "colours are none of it"],
  [`re${ESC}[1md${ESC}(B ${ESC}[mtext`, ["red text"], "nor are they within a word"],
  [`${ESC}]0;title\u0007prompt$ ls`, ["prompt$ ls"], "a title is not on the screen"],
  [`${ESC}P1$r0m${ESC}\\x`, ["x"], "nor is a string of the device, up to ST"],
  [`${ESC}]52;c;aGk=${ESC}[31mred`, ["red"], "another sequence ends a string"],
  ["\u009b31mred\u009d0;t\u009cx", ["redx"], "controls of one character work alike"],
  ["lss\b \b -l\r\n", ["ls -l"], "BS goes back"],
  ["10%\r20%\r30%\n", ["30%"], "CR goes to the beginning"],
  [`wrong${ESC}[2K\rright`, ["right"], "EL wipes the line"],
  [`wrong${ESC}[3D${ESC}[K`, ["wr"], "EL wipes to the end"],
  ["a\tb", ["a       b"], "HT goes to the next eighth column"],
  [`ab${ESC}[3Cc`, ["ab   c"], "CUF leaves room"],
  [`abcd${ESC}[4D${ESC}[2P`, ["cd"], "DCH takes out"],
  [`cd${ESC}[2D${ESC}[2@ab`, ["abcd"], "ICH makes room"],
  [`one${ESC}[2;1Htwo${ESC}[Jx`, ["one", "twox"], "CUP leads to another line"],
  [
    "0123456789012345678x \ryz\r\n",
    ["0123456789012345678xyz"],
    "a long line is one, as readline wraps it",
  ],
  [
    `0123456789012345678xyz${ESC}[A\rA`,
    ["A123456789012345678xyz"],
    "CUU stays on a line of several rows",
  ],
  [`${ESC}[${"1".repeat(100)}mx`, [`${"1".repeat(35)}mx`], "what is no sequence is shown"],
  [`a${ESC}[31\u0018b`, ["ab"], "CAN ends a sequence"],
  ["müßig 🙂\n", ["müßig 🙂"], "all characters stand"],
];
for (const [written, lines, why] of CASES) {
  test(`screen text: ${why}`, () => assert.deepEqual(linesFrom(written), lines));
}

test("no control is ever left in a text, and cutting changes none, whatever a terminal is told", () => {
  const piece = fc.constantFrom(
    ESC,
    "[",
    "]",
    "P",
    "\\",
    "K",
    "2",
    ";",
    "A",
    "H",
    "\r",
    "\n",
    "\b",
    "\t",
    "\u0007",
    "\u009b",
    "x",
  );
  const property = fc.property(fc.array(piece, { maxLength: 60 }), fc.nat(59), (pieces, at) => {
    const whole = linesFrom(pieces.join(""));
    // oxlint-disable-next-line no-control-regex
    for (const line of whole) assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/);
    const screen = new ScreenText();
    screen.push({ seconds: 0, columns: 20 });
    const cut = [pieces.slice(0, at), pieces.slice(at)].flatMap((some) =>
      screen.push({ seconds: 1, text: some.join("") }),
    );
    assert.deepEqual(
      [...cut, ...screen.end()].map(({ text }) => text),
      whole,
    );
  });
  fc.assert(property, { numRuns: 2000 });
});

function found(text: string, wanted: string): readonly number[] {
  const screen = new ScreenText();
  const search = new LineSearch(wanted);
  return [screen.push({ seconds: 1, text }), screen.end()]
    .flatMap((lines) => search.of(lines))
    .map(({ number }) => number);
}

const SEARCHES: readonly (readonly [
  written: string,
  wanted: string,
  lines: readonly number[],
  why: string,
])[] = [
  [`a\npass${ESC}[1mwo${ESC}[0mrd\n`, "Password", [2], "over sequences, in capitals or not"],
  [`pass${ESC}]0;title\u0007word\n`, "password", [1], "over a title"],
  ["rm -rf /\rls       \n", "rm -rf", [1], "what was overwritten"],
  [`cat secret${ESC}[2Kls\n`, "cat secret", [1], "what was wiped out"],
  [`${ESC}]0;root:x:0\nbin:x:1\u0007\n`, "bin:x", [2], "what stands in a string of control"],
  [`${"y".repeat(16_380)}needle\n`, "needle", [2], "over the cut of a line that is too long"],
  ["a\nb\n", "ab", [], "but not over lines"],
];
for (const [written, wanted, lines, why] of SEARCHES) {
  test(`search finds ${why}`, () => assert.deepEqual(found(written, wanted), lines));
}

test("a line without end costs no more than its length", () => {
  const screen = new ScreenText();
  for (let n = 0; n < 64; n += 1) screen.push({ seconds: n, text: "x".repeat(1 << 16) });
  for (const text of [
    "\b".repeat(1 << 16),
    "x\r".repeat(1 << 16),
    `${ESC}[9999@x`.repeat(1 << 12),
  ]) {
    screen.push({ seconds: 99, text });
  }
  const [last] = screen.end();
  assert.ok((last?.text.length ?? 0) <= 16_384);
});

test("a cast is read in pieces of any size, and what is no event of it is passed over", () => {
  const lines = [
    '{"version":2,"width":33,"height":5}',
    '[0.5,"o","schön"]',
    '[0.6,"i","typed"]',
    "no JSON",
    "[1]",
    '[1,"o",2]',
    '[0.7,"r","44x10"]',
    '[0.8,"r","x"]',
    '[0.9,"o","torn',
  ];
  const bytes = Buffer.from(lines.join("\n"));
  for (const size of [1, 7, 4096]) {
    const reader = new CastReader();
    const events = [];
    for (let at = 0; at < bytes.length; at += size) {
      events.push(...reader.push(bytes.subarray(at, at + size)));
    }
    assert.deepEqual(events, [
      { seconds: 0, columns: 33 },
      { seconds: 0.5, text: "schön" },
      { seconds: 0.7, columns: 44 },
    ]);
  }
});
