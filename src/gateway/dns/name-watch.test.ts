import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { createNameWatch, LIMITS, oddShapes, type Odd, type OddKind } from "./name-watch.ts";

const random = (n: number, chars: number) =>
  BigInt(`0x${createHash("sha512").update(String(n)).digest("hex")}`)
    .toString(32)
    .slice(0, chars);

const SHAPES: readonly (readonly [string, readonly OddKind[], string])[] = [
  ["registry.packages.example", [], "ordinary"],
  ["d111111abcdef8.cloudfront.net", [], "a network's generated name"],
  [
    "internal-k8s-default-ingress-abc1234567-1234567890.eu-central-1.elb.amazonaws.com",
    [],
    "a balancer's generated name",
  ],
  ["3f2504e0-4f89-41d3-9a0c-0305e82c3301.example.com", [], "a UUID"],
  [`${"0123456789abcdef".repeat(2)}.r2.example.com`, [], "a hash in hexadecimal"],
  [`${random(1, 40)}.t.example.com`, ["high-entropy"], "base32 of random bytes"],
  [`${random(1, 56)}.t.example.com`, ["long-label", "high-entropy"], "more of it"],
  [
    Array.from({ length: 4 }, (_, n) => random(n, 50)).join("."),
    ["long-name", "high-entropy"],
    "iodine's long names",
  ],
  ["a.b.c.d.e.f.g.h.i.j", ["many-labels"], "ten labels"],
];
for (const [name, kinds, why] of SHAPES) {
  test(`${why}: ${name.slice(0, 50)} is ${kinds.join(", ") || "nothing odd"}`, () => {
    assert.deepEqual(
      oddShapes(name).map(([kind]) => kind),
      kinds,
    );
  });
}

/** What a watch tells of `names`, asked one a second. */
function told(names: readonly string[], everyMs = 1000): readonly Odd[] {
  const watch = createNameWatch();
  return names.flatMap((name, n) => watch.note(name, n * everyMs));
}
const kindsOf = (odd: readonly Odd[]) => [...new Set(odd.map(({ kind }) => kind))];
const below = (domain: string, count: number, chars: number) =>
  Array.from({ length: count }, (_, n) => `${random(n, chars)}.${domain}`);

const VOLUMES: readonly (readonly [readonly string[], boolean, string])[] = [
  [below("t.example.com", 100, 20), true, "2 kB of different names below one domain"],
  [below("example.co.uk", 100, 20), true, "below a country's second level too"],
  [below("t.example.com", 14, 20), false, "fourteen hosts of one site"],
  [Array.from({ length: 500 }, () => "same.t.example.com"), false, "the same name again and again"],
  [below("t.example.com", 9, 200), false, "nine long names: other measures tell of those"],
  [
    below("", 100, 20).map((name, n) => `${name}site-${n}.com`),
    false,
    "many sites with one name each",
  ],
];
for (const [names, suspicious, why] of VOLUMES) {
  test(`volume ${suspicious ? "is" : "is not"} told: ${why}`, () => {
    const odd = told(names).filter(({ kind }) => kind === "volume");
    assert.equal(odd.length, suspicious ? 1 : 0);
    assert.ok(odd.every((one) => one.suspicious));
  });
}

test("data is noticed within 2 kB, whatever the size of its pieces", () => {
  const sizes = fc.integer({ min: 8, max: 60 });
  const property = fc.property(sizes, (chars) => {
    const count = Math.ceil(2000 / chars);
    assert.ok(kindsOf(told(below("x.example.com", count, chars))).includes("volume"));
  });
  fc.assert(property, { numRuns: 20 });
});

test("many new names in a minute are told, spread out they are not", () => {
  const names = Array.from({ length: 600 }, (_, n) => `site-${n}.com`);
  assert.deepEqual(kindsOf(told(names, 50)), ["many-names"]);
  assert.deepEqual(kindsOf(told(names, 250)), []);
});

test("long labels are worth a finding from the 16th, also where every name has its own domain", () => {
  const names = Array.from({ length: 16 }, (_, n) => `a${random(n, 56)}.${random(n, 20)}.x${n}`);
  const odd = told(names).filter(({ kind }) => kind === "long-label");
  assert.deepEqual(
    odd.map(({ count, suspicious }) => [count, suspicious]),
    [
      [1, false],
      [2, false],
      [4, false],
      [8, false],
      [16, true],
    ],
  );
});

test("a sweep of reverse names is told once, a few of them are not", () => {
  const watch = createNameWatch();
  const odd = Array.from({ length: 64 }, (_, n) => watch.noteReverse(`${n}.0.0.10.in-addr.arpa`));
  assert.deepEqual(
    odd.flatMap((one, n) => (one === undefined ? [] : [n])),
    [LIMITS.reverseNames - 1],
  );
});

test("a flood of one kind is told at its 1st, 2nd, 4th, ... time", () => {
  const watch = createNameWatch();
  const odd = Array.from({ length: 1000 }, () => watch.count("malformed", "x")?.count);
  const counts = odd.filter((count) => count !== undefined);
  assert.deepEqual(counts, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
});
