/**
 * What the host's files were when the run started, as far as it can be told: unchanged, or not.
 *
 * A file is unchanged if its ctime is no later than the start mark, or if it is exactly what our own
 * `apply` left there. The latter is kept by inode and ctime, which no later writer can bring back.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Fault } from "../base/index.ts";
import { errorCode } from "../sys/index.ts";
import { writeWhole, type Layer } from "./layer.ts";
import { parsePathText, pathText, type RawPath } from "./path-text.ts";
import { changedAfterNs } from "./start-mark.ts";

const appliedSchema = z.array(z.tuple([z.string(), z.string(), z.string()]));

/** Two numbers that together change whenever a file's content, mode, owner or name does. */
export interface Stamp {
  readonly ino: bigint;
  readonly ctimeNs: bigint;
}

/** Judges host files against the start, and remembers what `apply` wrote. */
export interface Baseline {
  hasChanged(raw: RawPath, stamp: Stamp): boolean;
  record(raw: RawPath, stamp: Stamp): void;
  save(): Promise<void>;
}

/**
 * Opens the baseline of a layer.
 *
 * @throws {Fault} `workspace.layer` where its record of applied files is damaged.
 */
export async function openBaseline(layer: Layer): Promise<Baseline> {
  const file = join(layer.folder, "applied.json");
  const afterNs = changedAfterNs(layer.start);
  const applied = await readApplied(file);
  let isDirty = false;
  return {
    hasChanged(raw, { ino, ctimeNs }) {
      if (ctimeNs <= afterNs) return false;
      const ours = applied.get(raw);
      return ours === undefined || ours.ino !== ino || ours.ctimeNs !== ctimeNs;
    },
    record(raw, { ino, ctimeNs }) {
      applied.set(raw, { ino, ctimeNs });
      isDirty = true;
    },
    async save() {
      if (!isDirty) return;
      const entries = [...applied].map(([raw, one]) => [
        pathText(raw),
        `${one.ino}`,
        `${one.ctimeNs}`,
      ]);
      await writeWhole(file, JSON.stringify(entries));
      isDirty = false;
    },
  };
}

async function readApplied(file: string): Promise<Map<RawPath, Stamp>> {
  try {
    const entries = appliedSchema.parse(JSON.parse(await readFile(file, "utf8")));
    return new Map(
      entries.map(([path, ino, ctimeNs]) => [
        parsePathText(path),
        { ino: BigInt(ino), ctimeNs: BigInt(ctimeNs) },
      ]),
    );
  } catch (error) {
    if (errorCode(error) === "ENOENT") return new Map();
    throw new Fault("workspace.layer", "the record of what was applied is damaged", {
      hint: "compare by hand, then discard the run's changes",
      cause: error,
    });
  }
}
