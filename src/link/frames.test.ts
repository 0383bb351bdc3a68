import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  createFrameReader,
  encodeFrame,
  FRAME_BYTES_MAX,
  FRAME_TYPES,
  locateHome,
} from "./index.ts";

test("frames come out as they went in, at any split of the stream", () => {
  const frame = fc.tuple(fc.constantFrom(...FRAME_TYPES), fc.uint8Array({ maxLength: 300 }));
  const property = fc.property(
    fc.array(frame),
    fc.array(fc.nat(40), { minLength: 1 }),
    (list, cuts) => {
      const stream = Buffer.concat(
        list.map(([type, bytes]) => encodeFrame(type, Buffer.from(bytes))),
      );
      const reader = createFrameReader();
      const read = [];
      for (let at = 0, n = 0; at < stream.length; n += 1) {
        const size = 1 + (cuts[n % cuts.length] ?? 0);
        read.push(...reader.push(stream.subarray(at, at + size)));
        at += size;
      }
      assert.deepEqual(
        read.map((one) => [one.type, [...one.payload]]),
        list.map(([type, bytes]) => [type, [...bytes]]),
      );
    },
  );
  fc.assert(property);
});

const BAD: readonly (readonly [Buffer, string])[] = [
  [Buffer.from([99, 0, 0, 0, 0]), "an unknown type is not skipped"],
  [Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), "a length that would fill memory"],
];
for (const [bytes, why] of BAD) {
  test(`fault api.frame: ${why}`, () =>
    assert.throws(() => createFrameReader().push(bytes), { code: "api.frame" }));
}

test("fault api.frame: a payload above the limit is not sent", () => {
  const bytes = Buffer.alloc(FRAME_BYTES_MAX + 1);
  assert.throws(() => encodeFrame("stdin", bytes), { code: "api.frame" });
});

const HOMES: readonly (readonly [Record<string, string>, string, string])[] = [
  [{ COFFERDAM_HOME: "/a", HOME: "/h" }, "/a", "the named home rules"],
  [{ XDG_STATE_HOME: "/s", HOME: "/h" }, "/s/cofferdam", "then the XDG state folder"],
  [{ HOME: "/h" }, "/h/.local/state/cofferdam", "then its default"],
];
for (const [environment, root, why] of HOMES) {
  test(`home ${root}: ${why}`, () => assert.equal(locateHome(environment).root, root));
}
const LONGEST = `/${"a".repeat(107 - "//console.sock".length)}`;
test("the longest path that still leaves room for the socket's is a home", () =>
  assert.equal(locateHome({ COFFERDAM_HOME: LONGEST }).consoleSocket.length, 107));
for (const environment of [
  {},
  { COFFERDAM_HOME: "relative" },
  { COFFERDAM_HOME: "" },
  { COFFERDAM_HOME: `${LONGEST}a` },
]) {
  test(`fault api.home: ${JSON.stringify(environment)} names no place`, () =>
    assert.throws(() => locateHome(environment), { code: "api.home" }));
}
