/**
 * How the log lies in its folder: C2SP tlog-tiles paths, and the entry bundles in them.
 *
 *   tile/<L>/<N>[.p/<W>]       W (or 256) hashes of 32 bytes: row 8*L of the tree
 *   tile/entries/<N>[.p/<W>]   W (or 256) entries, each after its length as u16, big-endian
 *   journal/<N>                our own: bundle N while it still grows, in the same form
 *
 * @module
 */
import { TILE_WIDTH } from "./merkle.ts";

/** One tile or entry bundle; `width` is {@link TILE_WIDTH} where it is full. */
export interface TileName {
  readonly level: number | "entries";
  readonly n: number;
  readonly width: number;
}

export const CHECKPOINT_FILE = "checkpoint";
export const VERIFIER_KEY_FILE = "vkey";
/** How many files may be on their way to the disk at a time. */
export const SCRATCH_FILES = 8;
/** The scratch file of a pruning, which may be done while a commit is. */
export const PRUNING_SCRATCH = SCRATCH_FILES;
/** Where the newest pruning is; see pruned.ts. */
export const PRUNED_FILE = "pruned";

/** Where a file is written before it is renamed into its place. Nothing is ever read from it. */
export function scratchPath(n: number): string {
  return n === 0 ? "scratch" : `scratch.${n}`;
}

export const JOURNAL_FOLDER = "journal";
/** How long the length before an entry is. */
export const LENGTH_BYTES = 2;

/** The path of bundle `n` while it grows. */
export function journalPath(n: number): string {
  return `${JOURNAL_FOLDER}/${n}`;
}

/** `tile/0/x001/x234/067.p/8`: the index in groups of three digits, all but the last after an `x`. */
export function tilePath(tile: TileName): string {
  const digits = String(tile.n);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const groups = padded.match(/.{3}/g) ?? [];
  const index = groups.map((group, n) => (n < groups.length - 1 ? `x${group}` : group)).join("/");
  return `tile/${tile.level}/${index}${tile.width === TILE_WIDTH ? "" : `.p/${tile.width}`}`;
}

const TILE_PATH = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/;

/** Reads a path that {@link tilePath} could have written; `undefined` for any other. */
export function parseTilePath(path: string): TileName | undefined {
  const [, level, index, width] = TILE_PATH.exec(path) ?? [];
  if (level === undefined || index === undefined) return undefined;
  const tile: TileName = {
    level: level === "entries" ? level : Number(level),
    n: Number(index.replaceAll(/[x/]/g, "")),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  return tile.width >= 1 && tilePath(tile) === path ? tile : undefined;
}

/** The partial tiles, entry bundle included, that a tree of `size` leaves has: at most one a level. */
export function partialTiles(size: number): readonly TileName[] {
  const tiles: TileName[] = [];
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / TILE_WIDTH)) {
    const place = { n: Math.floor(count / TILE_WIDTH), width: count % TILE_WIDTH };
    if (place.width === 0) continue;
    if (level === 0) tiles.push({ level: "entries", ...place });
    tiles.push({ level, ...place });
  }
  return tiles;
}

/** An entry as it stands in a bundle. */
export function frameEntry(entry: Buffer): Buffer {
  const record = Buffer.allocUnsafe(LENGTH_BYTES + entry.length);
  record.writeUInt16BE(entry.length);
  entry.copy(record, LENGTH_BYTES);
  return record;
}

/** The entries at the start of `bundle` that are whole, and where the last of them ends. */
export interface Bundle {
  readonly entries: readonly Buffer[];
  readonly end: number;
}

/** Splits a bundle up to the first thing in it that is no whole entry by `isEntry`. */
export function splitBundle(bundle: Buffer, isEntry: (entry: Buffer) => boolean): Bundle {
  const entries: Buffer[] = [];
  let end = 0;
  while (end + LENGTH_BYTES <= bundle.length) {
    const start = end + LENGTH_BYTES;
    const stop = start + bundle.readUInt16BE(end);
    const entry = bundle.subarray(start, stop);
    if (stop > bundle.length || !isEntry(entry)) break;
    entries.push(entry);
    end = stop;
  }
  return { entries, end };
}

/** Entry number `place` of `bundle`, found without a look at what stands in those before; where it is whole. */
export function entryOf(bundle: Buffer, place: number): Buffer | undefined {
  let start = 0;
  for (let n = 0; start + LENGTH_BYTES <= bundle.length; n += 1) {
    const stop = start + LENGTH_BYTES + bundle.readUInt16BE(start);
    if (stop > bundle.length) return undefined;
    if (n === place) return bundle.subarray(start + LENGTH_BYTES, stop);
    start = stop;
  }
  return undefined;
}
