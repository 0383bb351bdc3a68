/**
 * The bare repository of ours that a run's commits are fetched from.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, fchownSync, fstatSync, openSync, writeSync } from "node:fs";
import { chown, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault } from "../base/index.ts";
import { isUntouched, type Copied } from "./copied.ts";
import type { Refs } from "./git-refs.ts";
import { runGit } from "./git-run.ts";
import type { Ids, Layer } from "./layer.ts";
import { createPace, type Pace } from "./pace.ts";
import { joinRaw, type RawPath } from "./path-text.ts";
import { CHUNK_BYTES, readFully } from "./same-content.ts";
import type { Look, Tree } from "./tree.ts";

/** Most bytes and files of objects that are taken from one run's repository. */
export const OBJECT_BYTES_MAX = 8 * 2 ** 30;
export const OBJECT_FILES_MAX = 500_000;

const LOOSE_FOLDER = /^[0-9a-f]{2}$/;
const LOOSE_FILE = /^(?:[0-9a-f]{38}|[0-9a-f]{62})$/;
const PACK_FILE = /^pack-(?:[0-9a-f]{40}|[0-9a-f]{64})\.pack$/;
const SHA256_CHARS = 64;
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** A repository on disk, whose files belong to `ids`, and how to take it away. */
export interface Donor {
  readonly folder: string;
  /** Who runs Git: the workspace's owner where we are root, else ourselves. */
  readonly ids: Ids | undefined;
  remove(): Promise<void>;
}

/** What a donor is made from. */
export interface DonorParts {
  readonly upper: Tree;
  /** What of a copied workspace the host has too. */
  readonly copied: Copied | undefined;
  /** The run's `.git`, as a raw path, and the host's, as an absolute path. */
  readonly repository: RawPath;
  readonly hostPath: string;
  readonly refs: Refs;
  /** The host's `shallow` file, empty for none. */
  readonly shallow: string;
}

/**
 * Puts the donor together, to be removed by the caller.
 *
 * @throws {Fault} `workspace.fetch` where there is too much to take, or a pack is damaged.
 */
export async function makeDonor(layer: Layer, parts: DonorParts): Promise<Donor> {
  const ids = process.geteuid?.() === 0 ? layer.owner : undefined;
  // The owner may not pass to our own folders where we are root.
  const parent = ids === undefined ? layer.folder : tmpdir();
  const folder = await mkdtemp(join(parent, "cofferdam-donor-"));
  const donor: Donor = { folder, ids, remove: () => removeAs(ids, folder) };
  try {
    const packs = await fill(folder, ids, parts);
    // Until here nobody else could reach it; from here on we leave it to its owner.
    if (ids !== undefined) await chown(folder, ids.uid, ids.gid);
    for (const pack of packs) await runGit(ids, ["index-pack", "--fsck-objects", pack]);
    return donor;
  } catch (error) {
    await donor.remove();
    throw error;
  }
}

async function fill(
  folder: string,
  ids: Ids | undefined,
  parts: DonorParts,
): Promise<readonly string[]> {
  const make = async (name: string): Promise<void> => {
    await mkdir(join(folder, name), { mode: 0o700 });
    if (ids !== undefined) await chown(join(folder, name), ids.uid, ids.gid);
  };
  const write = async (name: string, content: string): Promise<void> => {
    await writeFile(join(folder, name), content, { mode: 0o600 });
    if (ids !== undefined) await chown(join(folder, name), ids.uid, ids.gid);
  };
  for (const name of ["refs", "objects", "objects/info", "objects/pack"]) await make(name);
  const isSha256 = [...parts.refs.values()].some((one) => one.length === SHA256_CHARS);
  await write("config", configText(isSha256));
  if (parts.shallow !== "") await write("shallow", parts.shallow);
  await write("HEAD", "ref: refs/heads/none\n");
  await write("objects/info/alternates", `${quotePath(`${parts.hostPath}/objects`)}\n`);
  const refs = [...parts.refs].map(
    ([name, value]) => `${value} ${name === "HEAD" ? "refs/detached/HEAD" : name}\n`,
  );
  await write("packed-refs", refs.join(""));
  return copyObjects(folder, ids, parts, make);
}

function configText(isSha256: boolean): string {
  const version = isSha256 ? "1\n[extensions]\n\tobjectFormat = sha256" : "0";
  return `[core]\n\tbare = true\n\thooksPath = /dev/null\n\tfsmonitor = false\n\trepositoryFormatVersion = ${version}\n[gc]\n\tauto = 0\n`;
}

/** A line of `alternates`: in quotes, C style, where it would be read as something else. */
function quotePath(path: string): string {
  if (!/[\n"\\]/.test(path) && !path.startsWith("#")) return path;
  return `"${path.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\n")}"`;
}

/** Copies what has the name of an object or a pack; returns the packs, which have no index yet. */
async function copyObjects(
  folder: string,
  ids: Ids | undefined,
  { upper, copied, repository }: DonorParts,
  make: (name: string) => Promise<void>,
): Promise<readonly string[]> {
  const pace = createPace();
  const packs: string[] = [];
  let [bytes, files] = [0, 0];
  const isNew = (raw: RawPath, look: Look): boolean =>
    look.type === "file" && !(copied !== undefined && isUntouched(copied, raw, look));
  const take = async (from: RawPath, to: string, { size }: Look): Promise<void> => {
    bytes += size;
    files += 1;
    if (bytes > OBJECT_BYTES_MAX || files > OBJECT_FILES_MAX) {
      throw new Fault("workspace.fetch", "the run's repository holds too much to take over");
    }
    await copyFile(upper, from, join(folder, to), ids, pace);
  };
  const objects = joinRaw(repository, "objects");
  for (const [name, { type }] of entriesOf(upper, objects)) {
    if (type !== "folder") continue;
    const isPacks = name === "pack";
    if (!isPacks && !LOOSE_FOLDER.test(name)) continue;
    if (!isPacks) await make(`objects/${name}`);
    for (const [file, look] of entriesOf(upper, joinRaw(objects, name))) {
      if (!(isPacks ? PACK_FILE : LOOSE_FILE).test(file)) continue;
      if (!isNew(`${objects}/${name}/${file}`, look)) continue;
      await take(`${objects}/${name}/${file}`, `objects/${name}/${file}`, look);
      if (isPacks) packs.push(join(folder, "objects/pack", file));
    }
  }
  return packs;
}

function entriesOf(tree: Tree, raw: RawPath): Iterable<[RawPath, Look]> {
  const listing = tree.list(raw);
  return "entries" in listing ? listing.entries : [];
}

async function copyFile(
  upper: Tree,
  raw: RawPath,
  path: string,
  ids: Ids | undefined,
  pace: Pace,
): Promise<void> {
  const source = upper.open(raw, READ);
  try {
    const { size } = fstatSync(source);
    const file = openSync(path, "wx", 0o600);
    try {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size));
      for (let at = 0; at < size; at += chunk.length) {
        const part = chunk.subarray(0, Math.min(chunk.length, size - at));
        if (!readFully(source, part, at))
          throw new Fault("workspace.fetch", "an object was cut off");
        for (let done = 0; done < part.length;) done += writeSync(file, part, done);
        await pace();
      }
      if (ids !== undefined) fchownSync(file, ids.uid, ids.gid);
    } finally {
      closeSync(file);
    }
  } finally {
    closeSync(source);
  }
}

/** Its owner could put links into it by now, so it is its owner who deletes it. */
async function removeAs(ids: Ids | undefined, folder: string): Promise<void> {
  const child = spawn("rm", ["-rf", "--", folder], {
    ...ids,
    cwd: "/",
    stdio: "ignore",
    env: { PATH: "/usr/bin:/bin" },
  });
  await once(child, "close");
}
