/**
 * What the host's upper folders were at the start: each folder's inode and the names in it. With that it is
 * known whether a name that only the run has was taken away on the host, and whether another folder has come
 * to stand in a folder's place; the overlay does not tell either.
 *
 * To list everything would delay each start, so the listing goes from the root down, through no dependencies
 * and no repository's own data, until {@link NAMES_MAX} names. Below it, folders are judged by their times.
 *
 * @module
 */
import { closeSync, constants, fstatSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Fault } from "../base/index.ts";
import { errorCode } from "../sys/index.ts";
import { openHost, writeWhole, type Layer } from "./layer.ts";
import { createPace } from "./pace.ts";
import { joinRaw, parsePathText, pathText, rawOf, type RawPath } from "./path-text.ts";
import { Tree } from "./tree.ts";

/** Most names that are listed: about 10 ms. */
export const NAMES_MAX = 5000;
const SKIPPED = new Set([".git", "node_modules", ".venv", "venv", "target"]);
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A folder of the host as it was at the start. */
export interface StartFolder {
  readonly ino: bigint;
  readonly names: ReadonlySet<RawPath>;
}

/** The listed folders by path; the root's is empty. */
export type StartNames = ReadonlyMap<RawPath, StartFolder>;

const rowSchema = z.tuple([z.string(), z.string(), z.array(z.string())]);

/** Lists the host's folders, right after the start mark was taken, into the layer's file `names`. */
export async function writeStartNames(layer: Layer): Promise<void> {
  const host = openHost(layer);
  const lines: string[] = [];
  const pace = createPace();
  try {
    const tree = new Tree(host, false);
    const waiting: RawPath[] = [""];
    let count = 0;
    for (let raw = waiting.shift(); raw !== undefined; raw = waiting.shift()) {
      await pace();
      const found = listFolder(tree, raw, BigInt(layer.start.instantNs));
      if (found === undefined) continue;
      count += found.names.length;
      if (count > NAMES_MAX) break;
      const names = found.names.map(pathText);
      lines.push(
        `${JSON.stringify([raw === "" ? "" : pathText(raw), String(found.ino), names])}\n`,
      );
      waiting.push(...found.folders.map((name) => joinRaw(raw, name)));
    }
  } finally {
    closeSync(host);
  }
  await writeWhole(join(layer.folder, "names"), lines.join(""));
}

/** `undefined` for a folder that cannot be read, or that has changed since the start mark. */
function listFolder(tree: Tree, raw: RawPath, startNs: bigint) {
  let folder: number;
  try {
    folder = tree.open(raw, FOLDER);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
  try {
    const entries = readdirSync(`/proc/self/fd/${folder}`, {
      withFileTypes: true,
      encoding: "buffer",
    });
    const { ino, ctimeNs } = fstatSync(folder, { bigint: true });
    if (ctimeNs > startNs) return undefined;
    const folders = entries.filter((one) => one.isDirectory()).map(({ name }) => rawOf(name));
    return {
      ino,
      names: entries.map(({ name }) => rawOf(name)),
      folders: folders.filter((name) => !SKIPPED.has(name)),
    };
  } catch (error) {
    if (errorCode(error) === "EACCES") return undefined;
    throw error;
  } finally {
    closeSync(folder);
  }
}

/** Reads the listing; empty where the layer has none. @throws {Fault} `workspace.layer` where damaged. */
export async function readStartNames(layer: Layer): Promise<StartNames> {
  const listed = new Map<RawPath, StartFolder>();
  try {
    for (const line of (await readFile(join(layer.folder, "names"), "utf8"))
      .split("\n")
      .slice(0, -1)) {
      const [path, ino, names] = rowSchema.parse(JSON.parse(line));
      const folder = { ino: BigInt(ino), names: new Set(names.map(parsePathText)) };
      listed.set(path === "" ? "" : parsePathText(path), folder);
    }
    return listed;
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return listed;
    throw new Fault("workspace.layer", "the list of the host's names at the start is damaged", {
      hint: "compare by hand, then discard the run's changes",
      cause,
    });
  }
}
