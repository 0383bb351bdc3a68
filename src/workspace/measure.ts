/**
 * How much disk a layer takes.
 *
 * @module
 */
import { closeSync, constants, openSync } from "node:fs";
import type { Layer } from "./layer.ts";
import { createPace } from "./pace.ts";
import { joinRaw, type RawPath } from "./path-text.ts";
import { Tree } from "./tree.ts";

/** What a layer holds. */
export interface Measure {
  /** Allocated on disk: holes are not counted, a file with several names is counted once. */
  readonly bytes: number;
  readonly files: number;
  /** Folders that we may not read (a rootless run can close its own): what is in them is not counted. */
  readonly unreadable: number;
}

/** Adds up `upper/` and `work/`; the run may go on meanwhile. */
export async function measureLayer(layer: Layer): Promise<Measure> {
  const pace = createPace();
  const seen = new Set<bigint>();
  let [bytes, files, unreadable] = [0, 0, 0];
  for (const part of [layer.upper, layer.work]) {
    const root = openSync(part, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      const tree = new Tree(root, true);
      const waiting: RawPath[] = [""];
      for (let raw = waiting.pop(); raw !== undefined; raw = waiting.pop()) {
        const listing = tree.list(raw);
        // overlayfs keeps its own folder closed, and empty but for what is on its way.
        if ("unreadable" in listing) {
          if (part !== layer.work) unreadable += 1;
          continue;
        }
        for (const [name, look] of listing.entries) {
          await pace();
          if (look.type === "folder") waiting.push(joinRaw(raw, name));
          if (look.links > 1 && look.type !== "folder") {
            if (seen.has(look.ino)) continue;
            seen.add(look.ino);
          }
          bytes += look.allocated;
          files += 1;
        }
      }
    } finally {
      closeSync(root);
    }
  }
  return { bytes, files, unreadable };
}
