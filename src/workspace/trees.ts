/**
 * Host and run side by side, each pinned at its root.
 *
 * @module
 */
import { closeSync } from "node:fs";
import { readCopied, type Copied } from "./copied.ts";
import { openHost, openUpper, type Layer } from "./layer.ts";
import { Tree } from "./tree.ts";

/** The host's folder, and what the run changed. */
export interface Trees {
  readonly host: Tree;
  readonly upper: Tree;
  /** Where `upper` is a copy of the whole: what it held at the start. */
  readonly copied?: Copied;
}

/**
 * Opens both roots of a layer for as long as `use` takes.
 *
 * @throws {Fault} `workspace.moved` where another folder lies there than at the start.
 */
export async function withTrees<T>(
  layer: Layer,
  use: (trees: Trees) => T | Promise<T>,
): Promise<T> {
  const host = openHost(layer);
  try {
    const upper = openUpper(layer);
    try {
      // A copy has no whiteouts: a device 0:0 in it is one.
      const trees = { host: new Tree(host, false), upper: new Tree(upper, layer.copied !== true) };
      if (layer.copied !== true) return await use(trees);
      return await use({ ...trees, copied: await readCopied(layer.folder) });
    } finally {
      closeSync(upper);
    }
  } finally {
    closeSync(host);
  }
}
