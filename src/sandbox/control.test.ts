import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createReportReader, encodeFrame, parseReport } from "./control.ts";

/** Reads a frame as native/control.c does. */
function readFrame(bytes: Buffer): readonly Buffer[] {
  assert.equal(bytes.readUInt32LE(0), bytes.length - 4);
  const fields: Buffer[] = [];
  for (let at = 4; at < bytes.length;) {
    const length = bytes.readUInt32LE(at);
    fields.push(bytes.subarray(at + 4, at + 4 + length));
    assert.equal(
      bytes[at + 4 + length],
      0,
      "every field ends in a NUL, so that C may read it as text",
    );
    at += length + 5;
  }
  return fields;
}

test("a frame carries text, numbers and bytes as they are", () => {
  const bytes = Buffer.from([0, 1, 255, 0]);
  const fields = readFrame(encodeFrame(["ü", 7, -1, "", bytes]));
  assert.deepEqual(fields.slice(0, 4).map(String), ["ü", "7", "-1", ""]);
  assert.deepEqual(fields[4], bytes);
});

test("any list of fields comes back", () => {
  const property = fc.property(fc.array(fc.uint8Array()), (list) => {
    const fields = list.map((bytes) => Buffer.from(bytes));
    assert.deepEqual(readFrame(encodeFrame(fields)), fields);
  });
  fc.assert(property);
});

test("fault sandbox.field: text with a NUL would be cut short by C, and is refused", () => {
  assert.throws(() => encodeFrame(["a\0b"]), { code: "sandbox.field" });
});

test("lines arrive in pieces, and come out whole", () => {
  const lines = ['{"type":"sealed"}', '{"type":"proof","control":"a","found":"b"}'];
  const all = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  const property = fc.property(fc.array(fc.nat(all.length)), (cuts) => {
    const reader = createReportReader();
    const ends = [...cuts.toSorted((a, b) => a - b), all.length];
    const reports = ends.flatMap((end, n) => reader.push(all.subarray(ends[n - 1] ?? 0, end)));
    assert.deepEqual(
      reports.map(({ type }) => type),
      ["sealed", "proof"],
    );
  });
  fc.assert(property);
});

const BAD: readonly (readonly [string, string])[] = [
  ["", "nothing"],
  ["{", "half an object"],
  ['{"type":"sealed"', "cut off"],
  ['{"type":"other"}', "a type that the launcher never sends"],
  ['{"type":"proof","control":1,"found":"x"}', "a number for a name"],
  ["null", "no object"],
];
for (const [line, why] of BAD) {
  test(`fault sandbox.report: ${line}: ${why}`, () =>
    assert.throws(() => parseReport(line), { code: "sandbox.report" }));
}

test("fault sandbox.report: a line without end is not kept for ever", () => {
  const reader = createReportReader();
  reader.push(Buffer.alloc(60_000, 97));
  assert.throws(() => reader.push(Buffer.alloc(10_000, 97)), { code: "sandbox.report" });
});
