/**
 * Host and run side by side, each pinned at its root.
 *
 * @module
 */
import { closeSync } from "node:fs";
import { openHost, openUpper, type Layer } from "./layer.ts";
import { Tree } from "./tree.ts";

/** The host's folder, and what the run changed. */
export interface Trees {
  readonly host: Tree;
  readonly upper: Tree;
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
      return await use({ host: new Tree(host, false), upper: new Tree(upper, true) });
    } finally {
      closeSync(upper);
    }
  } finally {
    closeSync(host);
  }
}
