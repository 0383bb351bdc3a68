import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TILE_WIDTH } from "./merkle.ts";
import { frameEntry, parseTilePath, partialTiles, splitBundle, tilePath } from "./tile.ts";

const PATHS = [
  ["tile/0/000", { level: 0, n: 0, width: TILE_WIDTH }, "the first full tile"],
  ["tile/0/000.p/1", { level: 0, n: 0, width: 1 }, "a partial one"],
  ["tile/2/x001/x234/067.p/8", { level: 2, n: 1_234_067, width: 8 }, "groups of three digits"],
  ["tile/entries/x001/000", { level: "entries", n: 1000, width: TILE_WIDTH }, "an entry bundle"],
] as const;
for (const [path, tile, why] of PATHS) {
  test(`${path}: ${why}`, () => {
    assert.equal(tilePath(tile), path);
    assert.deepEqual(parseTilePath(path), tile);
  });
}

const NOT_PATHS = [
  ["tile/0/000.p/256", "a full tile has no width"],
  ["tile/0/000.p/0", "an empty tile is not stored"],
  ["tile/0/000.p/01", "no leading zero"],
  ["tile/0/x000/000", "one index, one path"],
  ["tile/00/000", "one level, one path"],
  ["tile/-1/000", "no such level"],
  ["tile/0/000/", "a folder"],
  ["tile/0/../0/000", "no way up"],
  ["tile/data/000", "another log's bundles"],
  ["journal/0", "not of the tiles"],
] as const;
for (const [path, why] of NOT_PATHS) {
  test(`${path} is no tile: ${why}`, () => assert.equal(parseTilePath(path), undefined));
}

test("a path and its tile say the same, for any tile; any other text is refused or its own path", () => {
  const tile = fc.record(
    {
      level: fc.oneof(fc.constant("entries" as const), fc.nat(6)),
      n: fc.nat(2 ** 40),
      width: fc.integer({ min: 1, max: TILE_WIDTH }),
    },
    { noNullPrototype: true },
  );
  fc.assert(fc.property(tile, (one) => assert.deepEqual(parseTilePath(tilePath(one)), one)));
  const text = fc.stringMatching(/^tile\/[0-9a-z]{1,8}\/[x0-9/]{1,12}(\.p\/[0-9]{1,3})?$/);
  fc.assert(
    fc.property(text, (path) => {
      const read = parseTilePath(path);
      if (read !== undefined) assert.equal(tilePath(read), path);
    }),
  );
});

const SIZES = [
  [0, [], "nothing"],
  [1, ["tile/entries/000.p/1", "tile/0/000.p/1"], "one leaf"],
  [256, ["tile/1/000.p/1"], "a full tile has its place in the row above"],
  [
    70_000,
    ["tile/entries/273.p/112", "tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"],
    "the example of the specification",
  ],
] as const;
for (const [size, paths, why] of SIZES) {
  test(`a tree of ${size} has the partial tiles ${paths.join(" ")}: ${why}`, () => {
    assert.deepEqual(partialTiles(size).map(tilePath), paths);
  });
}

test("a bundle splits into what was put in, and never reads past its end, for any bytes", () => {
  const entry = fc.uint8Array({ maxLength: 300 });
  const property = fc.property(fc.array(entry, { maxLength: 8 }), fc.nat(2000), (all, cut) => {
    const bundle = Buffer.concat(all.map((one) => frameEntry(Buffer.from(one))));
    const whole = splitBundle(bundle, () => true);
    assert.deepEqual(
      whole.entries.map((one) => new Uint8Array(one)),
      all,
    );
    assert.equal(whole.end, bundle.length);
    const torn = splitBundle(bundle.subarray(0, cut), () => true);
    assert.deepEqual(torn.entries, whole.entries.slice(0, torn.entries.length));
    assert.ok(torn.end <= cut);
  });
  fc.assert(property);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      assert.ok(splitBundle(Buffer.from(bytes), () => true).end <= bytes.length);
    }),
  );
});
