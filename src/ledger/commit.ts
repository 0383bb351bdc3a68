/**
 * A commit: everything that a checkpoint covers is put on disk, then the checkpoint in its place.
 *
 * The order is what crash safety stands on: journals are synced; full ones become bundles by a rename, so
 * a bundle is never torn; full tiles are synced; only then comes the checkpoint. Partial tiles are copies
 * of what the journal holds and are not synced: opening writes them again.
 *
 * @module
 */
import type { Folder } from "./folder.ts";
import { HASH_BYTES, TILE_WIDTH, type FullTile } from "./merkle.ts";
import type { Segment } from "./recover.ts";
import * as tile from "./tile.ts";

/** A bundle that no commit has sealed yet, with the descriptor of its journal. */
export interface OpenSegment extends Segment {
  readonly descriptor: number;
  /** How many of its bytes are on disk. */
  synced: number;
  /** Whether its name is. */
  named: boolean;
}

/** What is to be committed, all of one moment. */
export interface Commit {
  readonly size: number;
  /** The signed checkpoint. */
  readonly note: string;
  /** The tree's right edge, as in `Frontier`. */
  readonly rows: readonly (readonly Buffer[])[];
  /** Oldest first; they may hold entries beyond `size`. */
  readonly segments: readonly OpenSegment[];
  /** Full tiles that are not written yet. */
  readonly tiles: readonly FullTile[];
  /** The size of the commit before, 0 if its partial tiles may be missing. */
  readonly before: number;
}

/** Writes `commit` and returns how many of its segments became bundles. */
export async function writeCommit(folder: Folder, commit: Commit): Promise<number> {
  const written: tile.TileName[] = [];
  let sealed = 0;
  await Promise.all(commit.segments.map((segment) => syncSegment(folder, segment)));
  for (const { n } of commit.segments) {
    if ((n + 1) * TILE_WIDTH > commit.size) continue;
    const bundle: tile.TileName = { level: "entries", n, width: TILE_WIDTH };
    await folder.move(tile.journalPath(n), tile.tilePath(bundle));
    written.push(bundle);
    sealed += 1;
  }
  const full = commit.tiles.map(({ level, n }): tile.TileName => ({ level, n, width: TILE_WIDTH }));
  const contents = commit.tiles.map(({ hashes }) => Buffer.concat(hashes));
  await folder.writeAll(
    full.map((name, n) => [tile.tilePath(name), contents[n] ?? Buffer.alloc(0)] as const),
  );
  written.push(...full);
  const there = new Set(tile.partialTiles(commit.before).map(tile.tilePath));
  for (const partial of tile.partialTiles(commit.size)) {
    if (there.has(tile.tilePath(partial))) continue;
    await folder.write(tile.tilePath(partial), partialContent(partial, commit), false);
    written.push(partial);
  }
  // A checkpoint is in place only after all that it covers, and acknowledged only once it stays.
  await folder.sync();
  await folder.write(tile.CHECKPOINT_FILE, commit.note, true);
  await folder.sync();
  for (const name of written) folder.prune(name);
  return sealed;
}

/** Makes what the segment holds durable, where it is not. */
export async function syncSegment(folder: Folder, segment: OpenSegment): Promise<void> {
  const { bytes } = segment;
  if (segment.synced >= bytes) return;
  await folder.syncData(segment.descriptor);
  segment.synced = Math.max(segment.synced, bytes);
}

/** What the partial tile `partial` holds. */
export function partialContent(
  partial: tile.TileName,
  commit: {
    readonly rows: Commit["rows"];
    readonly segments: readonly Pick<Segment, "n" | "entries">[];
  },
): Buffer {
  if (partial.level !== "entries") {
    return Buffer.concat(commit.rows[partial.level] ?? [], partial.width * HASH_BYTES);
  }
  const entries = commit.segments.find((segment) => segment.n === partial.n)?.entries ?? [];
  return Buffer.concat(entries.slice(0, partial.width).map(tile.frameEntry));
}
