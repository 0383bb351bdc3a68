/**
 * Files that are not yet in their place, or not any more: their names, and what becomes of those that an
 * apply left behind when it was killed.
 *
 * ```
 * .cofferdam-unplaced- ID(8) OF(12) OURS(12)    hexadecimal; OF = mac(ID, name), OURS = mac(ID)
 * ```
 *
 * The key is the layer's own, so only an apply of this layer is taken for ours, and the name that the file
 * stood or shall stand under can be told. Such a file may hold what the host wrote last: it is deleted only
 * if it is just what the run has there, or was not written to since the start, as what the run saw and an
 * apply was replacing. What else it is, is told and kept.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { closeSync, constants, unlinkSync } from "node:fs";
import { entryPath, errorCode } from "../sys/index.ts";
import type { Remark } from "./apply-plan.ts";
import type { Layer } from "./layer.ts";
import { createPace } from "./pace.ts";
import { bytesOf, joinRaw, pathText, type RawPath } from "./path-text.ts";
import { isSameContent } from "./same-content.ts";
import { changedAfterNs } from "./start-mark.ts";
import { lookAt } from "./tree.ts";
import type { Trees } from "./trees.ts";

const PREFIX = ".cofferdam-unplaced-";
const NAME = /^\.cofferdam-unplaced-([0-9a-f]{8})([0-9a-f]{12})([0-9a-f]{12})$/;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** A name of ours that stands in a folder of the host. */
export interface Leftover {
  readonly folder: RawPath;
  readonly name: RawPath;
}

/** Makes and knows such names. */
export interface UnplacedNames {
  /** A fresh name for what belongs at `name` of the same folder. */
  make(name: RawPath): RawPath;
  isOurs(name: RawPath): boolean;
  isOf(unplaced: RawPath, name: RawPath): boolean;
}

/** The names of one layer. */
export function unplacedNames({ folder, hostInode, start }: Layer): UnplacedNames {
  const key = `${folder}\n${hostInode}\n${start.instantNs}`;
  const mac = (text: string): string =>
    createHash("sha256").update(`${key}\n${text}`, "latin1").digest("hex").slice(0, 12);
  return {
    make(name) {
      const id = randomBytes(4).toString("hex");
      return `${PREFIX}${id}${mac(`${id}/${name}`)}${mac(id)}`;
    },
    isOurs(name) {
      const [, id, , ours] = NAME.exec(name) ?? [];
      return id !== undefined && ours === mac(id);
    },
    isOf(unplaced, name) {
      const [, id, of] = NAME.exec(unplaced) ?? [];
      return id !== undefined && of === mac(`${id}/${name}`);
    },
  };
}

/** Deletes what an apply that was killed left, as far as that loses nothing; tells the rest. */
export async function clearLeftovers(
  layer: Layer,
  trees: Trees,
  leftovers: readonly Leftover[],
): Promise<readonly Remark[]> {
  const kept: Remark[] = [];
  for (const leftover of leftovers) {
    if (await clearOne(layer, trees, leftover)) continue;
    const path = pathText(joinRaw(leftover.folder, leftover.name));
    kept.push({
      path,
      why: "left by an apply that broke off; it may be the host's: look, then delete it",
    });
  }
  return kept;
}

async function clearOne(layer: Layer, trees: Trees, { folder, name }: Leftover): Promise<boolean> {
  let opened: number;
  try {
    opened = trees.host.open(folder, FOLDER);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
  try {
    const look = lookAt(opened, name, false);
    if (look === undefined) return true;
    if (look.type !== "file" && look.type !== "link") return false;
    const isOld = look.mtimeNs <= changedAfterNs(layer.start);
    if (!isOld && !(await isOfRun(layer, trees, { folder, name }))) return false;
    unlinkSync(entryPath(opened, bytesOf(name)));
    return true;
  } finally {
    closeSync(opened);
  }
}

/** Whether the run has the very same under the name that the leftover was for. */
async function isOfRun(layer: Layer, trees: Trees, { folder, name }: Leftover): Promise<boolean> {
  const names = unplacedNames(layer);
  const listing = trees.upper.list(folder);
  if ("unreadable" in listing) return false;
  const of = [...listing.entries].find(([one]) => names.isOf(name, one));
  if (of === undefined) return false;
  const [at, to] = of;
  const look = trees.host.look(joinRaw(folder, name));
  if (look.type !== to.type || look.size !== to.size) return false;
  if (look.type === "link") {
    const host = trees.host.list(folder);
    return "entries" in host && host.entries.get(name)?.target === to.target;
  }
  const files = [
    trees.upper.open(joinRaw(folder, at), READ),
    trees.host.open(joinRaw(folder, name), READ),
  ] as const;
  try {
    return await isSameContent(files[0], files[1], to.size, createPace());
  } finally {
    for (const file of files) closeSync(file);
  }
}
