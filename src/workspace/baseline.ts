/**
 * What the host's files were when the run started, as far as it can be told: unchanged, or not.
 *
 * A file is unchanged if its ctime is no later than the start mark, or if it is exactly what our own
 * `apply` left there. The latter is kept by inode and ctime, which no later writer can bring back, as
 * lines `INODE CTIME_NS PATH` of the file `applied`.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../base/index.ts";
import { errorCode } from "../sys/index.ts";
import { writeWhole, type Layer } from "./layer.ts";
import { createPace } from "./pace.ts";
import { parsePathText, pathText, type RawPath } from "./path-text.ts";
import { changedAfterNs } from "./start-mark.ts";

const LINE = /^(\d+) (\d+) (.+)$/;

/** Two numbers that together change whenever a file's content, mode, owner or name does. */
export interface Stamp {
  readonly ino: bigint;
  readonly ctimeNs: bigint;
}

/** Judges host files against the start, and remembers what `apply` wrote. */
export interface Baseline {
  hasChanged(raw: RawPath, stamp: Stamp): boolean;
  /** Whether it is what our own `apply` left there. */
  hasApplied(raw: RawPath, stamp: Stamp): boolean;
  record(raw: RawPath, stamp: Stamp): void;
  save(): Promise<void>;
}

/**
 * Opens the baseline of a layer.
 *
 * @throws {Fault} `workspace.layer` where its record of applied files is damaged.
 */
export async function openBaseline(layer: Layer): Promise<Baseline> {
  const file = join(layer.folder, "applied");
  const afterNs = changedAfterNs(layer.start);
  const applied = await readApplied(file);
  let isDirty = false;
  const hasApplied = (raw: RawPath, { ino, ctimeNs }: Stamp): boolean => {
    const ours = applied.get(raw);
    return ours !== undefined && ours.ino === ino && ours.ctimeNs === ctimeNs;
  };
  return {
    hasApplied,
    hasChanged: (raw, stamp) => stamp.ctimeNs > afterNs && !hasApplied(raw, stamp),
    record(raw, { ino, ctimeNs }) {
      applied.set(raw, { ino, ctimeNs });
      isDirty = true;
    },
    async save() {
      if (!isDirty) return;
      const lines: string[] = [];
      const pace = createPace();
      for (const [raw, { ino, ctimeNs }] of applied) {
        lines.push(`${ino} ${ctimeNs} ${pathText(raw)}\n`);
        await pace();
      }
      await writeWhole(file, lines.join(""));
      isDirty = false;
    },
  };
}

async function readApplied(file: string): Promise<Map<RawPath, Stamp>> {
  const applied = new Map<RawPath, Stamp>();
  const pace = createPace();
  try {
    for (const line of (await readFile(file, "utf8")).split("\n").slice(0, -1)) {
      const [, ino, ctimeNs, path] = LINE.exec(line) ?? [];
      if (ino === undefined || ctimeNs === undefined || path === undefined) throw new Error(line);
      applied.set(parsePathText(path), { ino: BigInt(ino), ctimeNs: BigInt(ctimeNs) });
      await pace();
    }
    return applied;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return applied;
    throw new Fault("workspace.layer", "the record of what was applied is damaged", {
      hint: "compare by hand, then discard the run's changes",
      cause: error,
    });
  }
}
