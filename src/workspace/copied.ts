/**
 * What a copied workspace held when the copy was done, so that later it can be told what the run did to
 * it: nothing (the same inode and ctime, which no ordinary call brings back), something, or a deletion.
 *
 * Kept as lines `INODE STAMP_NS MODE PATH` of the layer's file `copied`. A name that is not in it was not
 * copied: it came to the host later, or cannot be copied (a socket, a pipe, a device, what is closed to us).
 *
 * @module
 */
import { fstatSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../base/index.ts";
import { writeWhole } from "./layer.ts";
import { parsePathText, pathText, type RawPath } from "./path-text.ts";
import type { Look } from "./tree.ts";

/** One name of the copy. */
export interface CopiedName {
  readonly ino: bigint;
  /** The ctime of a file or link; of a folder, whose ctime moves with its entries, when it was made. */
  readonly stampNs: bigint;
  readonly mode: number;
}

/** All names of the copy as it was handed to the run. */
export type Copied = ReadonlyMap<RawPath, CopiedName>;

const LINE = /^(\d+) (\d+) (\d+) (.+)$/;

/** Reports whether the run left the file at `raw` as it got it; never of a folder. */
export function isUntouched(copied: Copied, raw: RawPath, { type, ino, ctimeNs }: Look): boolean {
  const was = copied.get(raw);
  return type !== "folder" && was?.ino === ino && was.stampNs === ctimeNs;
}

/** Reports whether the open folder at `raw` is another than the run got there. */
export function isMadeAnew(copied: Copied, raw: RawPath, folder: number): boolean {
  const was = copied.get(raw);
  const { ino, birthtimeNs } = fstatSync(folder, { bigint: true });
  return was !== undefined && (was.ino !== ino || was.stampNs !== birthtimeNs);
}

/** Writes the record of the layer in `folder`. */
export async function writeCopied(folder: string, copied: Copied): Promise<void> {
  const lines: string[] = [];
  for (const [raw, { ino, stampNs, mode }] of copied) {
    lines.push(`${ino} ${stampNs} ${mode} ${pathText(raw)}\n`);
  }
  await writeWhole(join(folder, "copied"), lines.join(""));
}

/** Reads the record of the layer in `folder`. @throws {Fault} `workspace.layer` where it is damaged. */
export async function readCopied(folder: string): Promise<Copied> {
  const copied = new Map<RawPath, CopiedName>();
  try {
    for (const line of (await readFile(join(folder, "copied"), "utf8")).split("\n").slice(0, -1)) {
      const [, ino, stampNs, mode, path] = LINE.exec(line) ?? [];
      if (ino === undefined || stampNs === undefined || path === undefined) throw new Error(line);
      copied.set(parsePathText(path), {
        ino: BigInt(ino),
        stampNs: BigInt(stampNs),
        mode: Number(mode),
      });
    }
    return copied;
  } catch (cause) {
    throw new Fault("workspace.layer", "the record of what was copied is damaged", {
      hint: "compare by hand, then discard the run's changes",
      cause,
    });
  }
}
