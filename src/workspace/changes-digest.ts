/**
 * What a person was shown of a run's changes, as one value: whoever applies says it, and what has changed since is
 * not taken over (docs/decisions/0468).
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import { closeSync, constants, fstatSync, readSync } from "node:fs";
import { Fault } from "../base/index.ts";
import { errorCode } from "../sys/index.ts";
import type { Change } from "./change.ts";
import { listCommits, type Commits } from "./git-commits.ts";
import type { Layer } from "./layer.ts";
import { createPace, type Pace } from "./pace.ts";
import { bytesOf, type RawPath } from "./path-text.ts";
import type { Look, Tree } from "./tree.ts";
import { withTrees, type Trees } from "./trees.ts";

const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const PIECE_BYTES = 1 << 20;

/**
 * SHA-256 over all of `changes`, in their order: path, kind, mode, content or target of what the run has, and the
 * commits that would be fetched; 64 hexadecimal digits. Content is read, since times of a mapped file come late.
 */
export async function digestChanges(
  layer: Layer,
  run: string,
  changes: readonly Change[],
): Promise<string> {
  return withTrees(layer, (trees) => digestIn(trees, changes, listCommits(run, changes, trees)));
}

/** {@link digestChanges} over trees that the caller holds open. */
export async function digestIn(
  { upper }: Trees,
  changes: readonly Change[],
  commits: readonly Commits[],
): Promise<string> {
  const hash = createHash("sha256");
  const pace = createPace();
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (const { raw, kind, to } of changes) {
    await pace();
    put(hash, kind, bytesOf(raw), describe(to));
    if (to?.type === "file") await content(hash, { upper, raw, piece, pace });
  }
  for (const { raw, refs } of commits) {
    for (const { name, commit } of refs) put(hash, "ref", bytesOf(raw), `${name} ${commit}`);
  }
  return hash.digest("hex");
}

/** @throws {Fault} `workspace.changed` where `now` is not what was shown. */
export function requireShown(shown: string | undefined, now: string): void {
  if (shown === undefined || shown === now) return;
  throw new Fault("workspace.changed", "what the run changed is not what was shown", {
    hint: "look at the changes again, then apply those",
  });
}

function describe(look: Look | undefined): string {
  if (look === undefined) return "nothing";
  // Of a folder neither size nor time says anything about what it holds.
  const more = look.type === "file" ? look.size : look.type === "link" ? look.target : "";
  return `${look.type} ${look.mode} ${more}`;
}

/** Each part with its length: no two lists of parts are the same bytes. */
function put(hash: Hash, ...parts: readonly (string | Uint8Array)[]): void {
  for (const part of parts) {
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    hash.update(`${bytes.length}:`);
    hash.update(bytes);
  }
}

async function content(
  hash: Hash,
  of: {
    readonly upper: Tree;
    readonly raw: RawPath;
    readonly piece: Buffer;
    readonly pace: Pace;
  },
): Promise<void> {
  let file: number;
  try {
    file = of.upper.open(of.raw, OPEN);
  } catch (error) {
    // Closed to us, as it is to whoever applies it.
    put(hash, `unread ${errorCode(error) ?? "?"}`);
    return;
  }
  try {
    if (!fstatSync(file).isFile()) return put(hash, "another");
    const inside = createHash("sha256");
    for (;;) {
      const read = readSync(file, of.piece, 0, PIECE_BYTES, null);
      if (read === 0) break;
      inside.update(of.piece.subarray(0, read));
      await of.pace();
    }
    put(hash, inside.digest());
  } finally {
    closeSync(file);
  }
}
