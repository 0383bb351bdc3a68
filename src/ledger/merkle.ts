/**
 * The Merkle tree of RFC 6962, section 2: SHA-256, 0x00 before a leaf's bytes, 0x01 before two hashes.
 *
 * @module
 */
import { hash } from "node:crypto";
import { assert } from "../base/index.ts";

export const HASH_BYTES = 32;
/** Hashes in a full tile, and so the fan-out between two rows: eight levels of the binary tree. */
export const TILE_WIDTH = 256;
const TILE_LEVELS = 8;
const LEAF = Buffer.from([0]);
/** 0x01 and two hashes: filled anew for each node, since hashing is done within the turn. */
const node = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

export function leafHash(entry: Buffer): Buffer {
  return hash("sha256", Buffer.concat([LEAF, entry]), "buffer");
}

/**
 * The same for the entry at `start` to `stop` of `bytes`, with a byte of someone else's before it, which
 * stands in for the prefix meanwhile: entries in bundles have their length there. No copy.
 */
export function leafHashWithin(bytes: Buffer, start: number, stop: number): Buffer {
  const before = bytes[start - 1] ?? 0;
  bytes[start - 1] = 0;
  const leaf = hash("sha256", bytes.subarray(start - 1, stop), "buffer");
  bytes[start - 1] = before;
  return leaf;
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return hash("sha256", node, "buffer");
}

/** The tree's hash over `hashes`, whose count is a power of two. */
function perfectRoot(hashes: readonly Buffer[]): Buffer {
  let row = hashes;
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, n) =>
      nodeHash(at(row, 2 * n), at(row, 2 * n + 1)),
    );
  }
  return at(row, 0);
}

function at(row: readonly Buffer[], index: number): Buffer {
  const found = row[index];
  assert(found, "a hash is missing from its row");
  return found;
}

/** A tile that has just become full: `hashes` are {@link TILE_WIDTH} hashes of row `level`. */
export interface FullTile {
  readonly level: number;
  readonly n: number;
  readonly hashes: readonly Buffer[];
}

/**
 * The right edge of a growing tree: for each tile level the hashes that no full tile holds yet. That is
 * all that appending and the root need, so memory does not grow with the log.
 */
export class Frontier {
  size = 0;
  /** `rows[level]`: fewer than {@link TILE_WIDTH} hashes, the rightmost partial tile of that level. */
  readonly rows: Buffer[][] = [];

  /** Adds a leaf's hash; `onTile` gets each tile that this fills, lowest level first. */
  append(leaf: Buffer, onTile: (tile: FullTile) => void): void {
    this.size += 1;
    let carry: Buffer | undefined = leaf;
    for (let level = 0; carry !== undefined; level += 1) {
      const row: Buffer[] = (this.rows[level] ??= []);
      row.push(carry);
      carry = undefined;
      if (row.length < TILE_WIDTH) continue;
      onTile({ level, n: this.size / TILE_WIDTH ** (level + 1) - 1, hashes: row });
      carry = perfectRoot(row);
      this.rows[level] = [];
    }
  }

  /** The root hash (RFC 6962, section 2.1) of the tree as it stands. */
  root(): Buffer {
    const peaks = this.rows.toReversed().flatMap(rowPeaks);
    return (
      peaks.reduceRight<Buffer | undefined>(
        (right, left) => (right === undefined ? left : nodeHash(left, right)),
        undefined,
      ) ?? hash("sha256", "", "buffer")
    );
  }
}

/** The roots of the perfect subtrees that `row` consists of, largest (leftmost) first. */
function rowPeaks(row: readonly Buffer[]): readonly Buffer[] {
  const peaks: Buffer[] = [];
  let start = 0;
  for (let width = TILE_WIDTH / 2; width >= 1; width /= 2) {
    if ((row.length & width) === 0) continue;
    peaks.push(perfectRoot(row.slice(start, start + width)));
    start += width;
  }
  return peaks;
}

/** The root of a full tile's hashes: what stands for it in the row above. */
export function tileRoot(hashes: readonly Buffer[]): Buffer {
  assert(hashes.length === TILE_WIDTH, "only a full tile has a place in the row above");
  return perfectRoot(hashes);
}

export function splitHashes(tile: Buffer): readonly Buffer[] {
  return Array.from({ length: Math.floor(tile.length / HASH_BYTES) }, (_, n) =>
    tile.subarray(n * HASH_BYTES, (n + 1) * HASH_BYTES),
  );
}

/** Gives the hashes of tile `n` of `level`: all, or those within the tree that is asked about. */
export type TileReader = (level: number, n: number) => Promise<readonly Buffer[]>;

/**
 * The inclusion proof of leaf `index` in the tree of `size` leaves (RFC 6962, section 2.1.1): the
 * leaf's sibling first. Sizes may pass 2^32, so there is no bit arithmetic here.
 */
export async function inclusionPath(
  index: number,
  size: number,
  read: TileReader,
): Promise<Buffer[]> {
  const path: Buffer[] = [];
  let [low, high] = [0, size];
  while (high - low > 1) {
    const middle = low + largestPowerBelow(high - low);
    if (index < middle) {
      path.push(await rangeHash(middle, high, read));
      high = middle;
    } else {
      path.push(await rangeHash(low, middle, read));
      low = middle;
    }
  }
  return path.reverse();
}

/** The largest power of two that is smaller than `count`, which is at least 2. */
function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** The hash of leaves `low` to `high`, which is a subtree of the RFC's recursion. */
async function rangeHash(low: number, high: number, read: TileReader): Promise<Buffer> {
  const count = high - low;
  if (Number.isInteger(Math.log2(count))) {
    const level = Math.floor(Math.log2(count) / TILE_LEVELS);
    const first = low / TILE_WIDTH ** level;
    const tile = await read(level, Math.floor(first / TILE_WIDTH));
    const start = first % TILE_WIDTH;
    return perfectRoot(tile.slice(start, start + count / TILE_WIDTH ** level));
  }
  const middle = low + largestPowerBelow(count);
  return nodeHash(await rangeHash(low, middle, read), await rangeHash(middle, high, read));
}

/** One step of a path upwards: the hash that joins, on which side of ours, and what both make. */
export interface PathStep {
  readonly sibling: Buffer;
  readonly side: "left" | "right";
  readonly node: Buffer;
}

/**
 * The way that `path` leads from `leaf` at `index` of `size` to the root (RFC 9162, section 2.1.3.2), or `undefined`
 * where `path` has the wrong length for that place.
 */
export function climbPath(
  leaf: Buffer,
  place: { readonly index: number; readonly size: number },
  path: readonly Buffer[],
): readonly PathStep[] | undefined {
  if (place.index >= place.size) return undefined;
  const steps: PathStep[] = [];
  let [at, last, node] = [place.index, place.size - 1, leaf];
  for (const sibling of path) {
    if (last === 0) return undefined;
    const isRight = at % 2 === 1 || at === last;
    node = isRight ? nodeHash(sibling, node) : nodeHash(node, sibling);
    steps.push({ sibling, side: isRight ? "left" : "right", node });
    if (isRight) while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 ? steps : undefined;
}
