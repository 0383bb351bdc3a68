/**
 * What certain files of a workspace say, on the host and in the run's view.
 *
 * @module
 */
import { closeSync, constants, fstatSync, readSync } from "node:fs";
import { errorCode } from "../sys/index.ts";
import type { Change } from "./change.ts";
import type { Layer } from "./layer.ts";
import type { RawPath } from "./path-text.ts";
import type { Tree } from "./tree.ts";
import { withTrees, type Trees } from "./trees.ts";

/** A changed file; absent where there is none, or none that can be read as a text of 64 KiB. */
export interface ChangedText {
  readonly path: string;
  readonly before?: string;
  readonly after?: string;
}

/** Of which files the texts are wanted, and who gets them. */
export interface TextsWanted {
  isWanted(path: string): boolean;
  /** Called once, before the first byte is written where that is going to happen. */
  take(texts: readonly ChangedText[]): void;
}

const FILES_MAX = 20;
const BYTES_MAX = 64 * 1024;
const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Reads what `wanted` of `changes` says. */
export async function readChangedTexts(
  layer: Layer,
  changes: readonly Change[],
  wanted: TextsWanted,
): Promise<void> {
  await withTrees(layer, (trees) => takeTexts(trees, changes, wanted));
}

export function takeTexts(
  { host, upper }: Trees,
  changes: readonly Change[],
  { isWanted, take }: TextsWanted,
): void {
  const files = changes.filter(({ path, kind, from, to }) => {
    return kind !== "mode" && (to ?? from)?.type === "file" && isWanted(path);
  });
  take(
    files.slice(0, FILES_MAX).map(({ path, raw, from, to }) => {
      const before = from?.type === "file" ? textAt(host, raw) : undefined;
      const after = to?.type === "file" ? textAt(upper, raw) : undefined;
      return {
        path,
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
      };
    }),
  );
}

function textAt(tree: Tree, raw: RawPath): string | undefined {
  let file: number;
  try {
    file = tree.open(raw, OPEN);
  } catch (error) {
    // Closed to us, or swapped since it was listed.
    const known = ["EACCES", "ENOENT", "ELOOP", "ENOTDIR", "EXDEV", "ENXIO"];
    if (!known.includes(errorCode(error) ?? "")) throw error;
    return undefined;
  }
  try {
    const { size } = fstatSync(file);
    if (!fstatSync(file).isFile() || size > BYTES_MAX) return undefined;
    const bytes = Buffer.alloc(size);
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, size, 0));
  } finally {
    closeSync(file);
  }
}
