import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import {
  Frontier,
  TILE_WIDTH,
  inclusionPath,
  leafHash,
  climbPath,
  type FullTile,
} from "./merkle.ts";

// The leaves and roots of the Certificate Transparency reference tests (RFC 6962, section 2.1.3).
const LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"];
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
for (const [size, root] of ROOTS.entries()) {
  test(`the reference root of ${size} leaves`, () => {
    const tree = new Frontier();
    const leaves = [...LEAVES, "606162636465666768696a6b6c6d6e6f"].slice(0, size);
    for (const leaf of leaves) tree.append(leafHash(Buffer.from(leaf, "hex")), () => undefined);
    assert.equal(tree.root().toString("hex"), root);
  });
}

const leafOf = (n: number): Buffer => leafHash(Buffer.from(`leaf ${n}`));

/** The definition, word for word and slow: MTH of RFC 6962, section 2.1. */
function plainRoot(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return only;
  let middle = 1;
  while (middle * 2 < leaves.length) middle *= 2;
  const hash = createHash("sha256").update(Buffer.from([1]));
  hash.update(plainRoot(leaves.slice(0, middle)));
  return hash.update(plainRoot(leaves.slice(middle))).digest();
}

function grow(size: number): { tree: Frontier; tiles: Map<string, readonly Buffer[]> } {
  const tree = new Frontier();
  const tiles = new Map<string, readonly Buffer[]>();
  const keep = (tile: FullTile): void => void tiles.set(`${tile.level}/${tile.n}`, tile.hashes);
  for (let n = 0; n < size; n += 1) tree.append(leafOf(n), keep);
  return { tree, tiles };
}

const SIZES = [
  [255, "the last before a full tile"],
  [256, "a full tile and nothing else"],
  [257, "one beyond"],
  [1000, "several tiles and a rest"],
  [TILE_WIDTH ** 2 + 3, "a full tile of the second level"],
] as const;
for (const [size, why] of SIZES) {
  test(`the root of ${size} leaves is the one of the definition: ${why}`, () => {
    const leaves = Array.from({ length: size }, (_, n) => leafOf(n));
    assert.deepEqual(grow(size).tree.root(), plainRoot(leaves));
  });
}

/** Where a path leads. */
const rootBy = (leaf: Buffer, ...rest: [{ index: number; size: number }, readonly Buffer[]]) => {
  const steps = climbPath(leaf, ...rest);
  return steps === undefined ? undefined : (steps.at(-1)?.node ?? leaf);
};

test("every leaf of every tree has a proof that leads to its root, and to no other", async () => {
  const biggest = 700;
  const place = fc
    .integer({ min: 1, max: biggest })
    .chain((size) =>
      fc.record({ size: fc.constant(size), index: fc.nat({ max: size - 1 }), other: fc.nat(2000) }),
    );
  const property = fc.asyncProperty(place, async ({ size, index, other }) => {
    const { tree, tiles } = grow(size);
    const path = await inclusionPath(index, size, async (level, n) => {
      return tiles.get(`${level}/${n}`) ?? tree.rows[level] ?? [];
    });
    const root = tree.root();
    assert.deepEqual(rootBy(leafOf(index), { index, size }, path), root);
    if (other !== index) {
      const elsewhere = rootBy(leafOf(index), { index: other, size }, path);
      assert.notDeepEqual(elsewhere, root, "at another place");
      assert.notDeepEqual(rootBy(leafOf(other), { index, size }, path), root, "another leaf");
    }
    assert.equal(rootBy(leafOf(index), { index, size }, [...path, root]), undefined);
    if (path.length > 0) {
      const short = rootBy(leafOf(index), { index, size }, path.slice(1));
      assert.notDeepEqual(short, root, "one hash less");
    }
  });
  await fc.assert(property, { numRuns: 40 });
});
