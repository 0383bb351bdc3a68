import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createTlsRecordWatch } from "./tls-records.ts";

/** Any type that exists, with a fragment of the given size. */
const record = (type: number, size: number, fill = 0x5a) =>
  Buffer.concat([Buffer.from([type, 3, 3, size >> 8, size & 0xff]), Buffer.alloc(size, fill)]);

const recordArbitrary = fc
  .tuple(fc.integer({ min: 20, max: 24 }), fc.integer({ min: 0, max: 600 }), fc.nat(255))
  .map(([type, size, fill]) => record(type, size, fill));

/** `bytes` in pieces that end at `cuts`. */
function cut(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const ends = [...new Set(cuts.map((at) => at % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...ends].map((from, at) => bytes.subarray(from, ends[at] ?? bytes.length));
}

test("records pass in any pieces, and what follows them that is none never does", () => {
  const property = fc.property(
    fc.array(recordArbitrary, { maxLength: 5 }),
    fc.array(fc.nat(), { maxLength: 8 }),
    fc.constantFrom("SSH-2.0-x", "GET / HTTP/1.1", '{"id":1}', "\x05\x01\x00", "\x00\x00"),
    (records, cuts, foreign) => {
      const good = Buffer.concat(records);
      const watch = createTlsRecordWatch();
      for (const piece of cut(good, cuts)) assert.equal(watch.push(piece), undefined);
      const after = cut(Buffer.concat([good, Buffer.from(foreign, "latin1")]), cuts);
      const other = createTlsRecordWatch();
      assert.ok(after.some((piece) => other.push(piece) !== undefined));
    },
  );
  fc.assert(property);
});

const HEADERS: readonly (readonly [string, readonly number[], boolean])[] = [
  ["application data of TLS 1.2", [23, 3, 3, 0x40, 0], true],
  ["the longest ciphertext", [23, 3, 3, 0x48, 0], true],
  ["longer", [23, 3, 3, 0x48, 1], false],
  ["heartbeat", [24, 3, 3, 0, 3], true],
  ["an unknown type", [25, 3, 3, 0, 3], false],
  ["an empty record", [23, 3, 3, 0, 0], true],
  ["SSL 2", [0x80, 0x2e, 1, 0, 2], false],
  ["an unknown version", [23, 3, 5, 0, 3], false],
  ["another major version", [23, 4, 0, 0, 3], false],
];
for (const [what, bytes, passes] of HEADERS) {
  test(`${what} ${passes ? "is" : "is not"} a record`, () => {
    assert.equal(createTlsRecordWatch().push(Buffer.from(bytes)) === undefined, passes);
  });
}

test("time grows with the bytes, however they come", () => {
  const watch = createTlsRecordWatch();
  const many = Buffer.concat(Array.from({ length: 20_000 }, () => record(23, 1)));
  for (const byte of many) assert.equal(watch.push(Buffer.of(byte)), undefined);
  assert.equal(watch.push(many), undefined);
});
