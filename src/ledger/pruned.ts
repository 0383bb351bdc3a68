/**
 * Pruning: the contents of old bundles go, their hashes stay.
 *
 * A pruning is an entry of the log (`record`, `done: "prune"`) that is under a signed checkpoint before anything is
 * removed. It names the ranges that go now, each with its count and the root of its leaves (RFC 6962), and all that went
 * so far: so only the newest pruning must be kept, and older ones go with their bundles. Tiles of hashes are never
 * removed, which keeps the whole tree provable.
 *
 *   pruned     `<seq of the newest pruning>[ done]`: where that entry is; `done` once its bundles are removed
 *
 * The file is a pointer, believed only where it leads to such an entry (docs/decisions/0438).
 *
 * @module
 */
import { z } from "zod";
import type { Event } from "../action/index.ts";
import { Fault } from "../base/index.ts";
import type { Folder } from "./folder.ts";
import { Frontier, TILE_WIDTH, splitHashes } from "./merkle.ts";
import * as tile from "./tile.ts";

/** Most ranges that are told apart: an entry has 65,535 bytes, and a range takes some 30. */
export const RANGES_MAX = 1000;
/** Ranges that one pruning takes away: each is named with its root. */
export const RANGES_AT_ONCE = 100;

/** Entries `from` to before `to`; both are where bundles begin. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

const place = z.int().nonnegative().multipleOf(TILE_WIDTH);
const pruningSchema = z.object({
  done: z.literal("prune"),
  months: z.int().positive(),
  ranges: z.array(z.object({ from: place, to: place, count: z.int(), root: z.string() })).min(1),
  all: z.array(z.tuple([place, place])).min(1),
});

/** What a pruning says. */
export interface Pruning {
  /** Its entry. */
  readonly seq: number;
  /** RFC 3339. */
  readonly at: string;
  /** The retention by which it was done. */
  readonly months: number;
  /** What it took away, with the base64 of the root of the leaves of each. */
  readonly ranges: readonly (Range & { readonly root: string })[];
  /** All that was taken away so far, in order. */
  readonly all: readonly Range[];
}

/** What entry `seq` says, where it is a pruning of what stands before it. */
export function pruningOf(event: Event, seq: number): Pruning | undefined {
  if (event.type !== "record" || event.data?.["done"] !== "prune") return undefined;
  const { data } = pruningSchema.safeParse(event.data);
  if (data === undefined) return undefined;
  const all = data.all.map(([from, to]) => ({ from, to }));
  const isInOrder = all.every(({ from, to }, n) => from < to && from >= (all[n - 1]?.to ?? 0));
  if (!isInOrder || (all.at(-1)?.to ?? 0) > seq) return undefined;
  return { seq, at: event.at, months: data.months, ranges: data.ranges, all };
}

/** The end of the range of `ranges` that entry `seq` is in; `undefined` where it is in none. */
export function endOfRange(ranges: readonly Range[], seq: number): number | undefined {
  return ranges.find(({ from, to }) => from <= seq && seq < to)?.to;
}

/** Both lists as one, in order, with what touches joined. */
export function joinRanges(one: readonly Range[], other: readonly Range[]): readonly Range[] {
  const joined: Range[] = [];
  for (const range of [...one, ...other].toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last === undefined || last.to < range.from) joined.push(range);
    else joined.splice(-1, 1, { from: last.from, to: Math.max(last.to, range.to) });
  }
  return joined;
}

/** The refusal of an entry whose content is gone. */
export function prunedFault(seq: number, { at, months, all }: Pruning): Fault {
  const range = all.find(({ from, to }) => from <= seq && seq < to);
  const which =
    range === undefined ? `entry ${seq} was` : `entries ${range.from}-${range.to - 1} were`;
  return new Fault(
    "ledger.pruned",
    `${which} pruned on ${at.slice(0, 10)} (retention ${months} months)`,
    {
      hint: "their hashes stay: a proof that was made before still holds, `cofferdam verify --proof FILE`",
    },
  );
}

/** Reads the pointer: its entry, and whether its bundles are removed. */
export function parsePointer(
  text: string | undefined,
): { readonly seq: number; readonly isDone: boolean } | undefined {
  const [, seq, done] = /^(\d{1,16})( done)?\n$/.exec(text ?? "") ?? [];
  return seq === undefined ? undefined : { seq: Number(seq), isDone: done !== undefined };
}

/** Puts the pointer in place, durably. A scratch file of its own: a commit may be under way. */
export async function writePointer(folder: Folder, seq: number, isDone: boolean): Promise<void> {
  const text = `${seq}${isDone ? " done" : ""}\n`;
  await folder.write(tile.PRUNED_FILE, text, true, tile.PRUNING_SCRATCH);
  await folder.sync();
}

/** The root of the leaves of `range`, in base64, from its tiles; `undefined` where one is not whole. */
export async function rootOf(
  range: Range,
  read: (path: string) => Promise<Buffer | undefined>,
): Promise<string | undefined> {
  const tree = new Frontier();
  for (let n = range.from / TILE_WIDTH; n < range.to / TILE_WIDTH; n += 1) {
    const bytes = await read(tile.tilePath({ level: 0, n, width: TILE_WIDTH }));
    const hashes = splitHashes(bytes ?? Buffer.alloc(0));
    if (hashes.length !== TILE_WIDTH) return undefined;
    for (const hash of hashes) tree.append(hash, () => undefined);
  }
  return tree.root().toString("base64");
}

/** Removes the bundles of `ranges`, a few at a time; those that are gone already are no matter. */
export async function removeBundles(
  folder: Folder,
  ranges: readonly Range[],
  pace: () => Promise<void>,
): Promise<void> {
  for (const { from, to } of ranges) {
    for (let n = from / TILE_WIDTH; n < to / TILE_WIDTH; n += 1) {
      folder.remove(tile.tilePath({ level: "entries", n, width: TILE_WIDTH }));
      await pace();
    }
  }
  await folder.sync();
}
