import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createNamePool, POOL_NAMES_MAX } from "./index.ts";

test("a name has one address in each family, of the same index, in the order of asking", () => {
  const pool = createNamePool();
  assert.equal(pool.addressFor("a.example", 4), "198.18.0.1");
  assert.equal(pool.addressFor("b.example", 6), "fd63:6f66:6665::2");
  assert.equal(pool.addressFor("a.example", 6), "fd63:6f66:6665::1");
  assert.equal(pool.addressFor("b.example", 4), "198.18.0.2");
  assert.equal(pool.size, 2);
});

const pool = createNamePool();
pool.addressFor("a.example", 4);
const ADDRESSES: readonly (readonly [string, string | undefined, string])[] = [
  ["198.18.0.1", "a.example", "its IPv4 address"],
  ["fd63:6f66:6665::1", "a.example", "its IPv6 address"],
  ["FD63:6F66:6665:0:0:0:0:1", "a.example", "in another spelling"],
  ["fd63:6f66:6665::0.0.0.1", "a.example", "with a dotted end"],
  ["::ffff:198.18.0.1", "a.example", "mapped, as a dual-stack socket shows it"],
  ["::ffff:c612:1", "a.example", "mapped, in hexadecimal"],
  ["198.18.0.2", undefined, "not given out"],
  ["198.18.0.0", undefined, "the range's own address"],
  ["198.20.0.1", undefined, "beyond the range"],
  ["fd63:6f66:6665::", undefined, "the prefix itself"],
  ["fd63:6f66:6665:1::1", undefined, "another network"],
  ["fd63:6f66:6665::1:1", undefined, "beyond the names"],
  ["fd63:6f66:6666::1", undefined, "another prefix"],
  ["198.18.1", undefined, "no address in any strict reader"],
  ["", undefined, "nothing"],
  ["a.example", undefined, "a name"],
];
for (const [address, host, why] of ADDRESSES) {
  test(`${JSON.stringify(address)} stands for ${host ?? "no name"}: ${why}`, () =>
    assert.equal(pool.hostOf(address), host));
}

test("all addresses of a full pool differ, lead back, and no further name gets one", () => {
  const full = createNamePool();
  const seen = new Set<string>();
  for (let n = 0; n < POOL_NAMES_MAX; n += 1) {
    for (const family of [4, 6] as const) {
      const address = full.addressFor(`n${n}.example`, family) ?? "";
      seen.add(address);
      assert.equal(full.hostOf(address), `n${n}.example`, address);
    }
  }
  assert.equal(seen.size, 2 * POOL_NAMES_MAX);
  assert.equal(full.addressFor("one-more.example", 4), undefined);
  assert.equal(full.addressFor("n0.example", 4), "198.18.0.1", "a known name keeps its address");
});

test("any text gets an answer, and only a pool's address a name", () => {
  const text = fc.oneof(fc.string(), fc.ipV4Extended(), fc.ipV6());
  fc.assert(
    fc.property(text, (address) => {
      assert.ok([undefined, "a.example"].includes(pool.hostOf(address)));
    }),
  );
});
