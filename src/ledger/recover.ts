/**
 * Opening: the tree is rebuilt from the folder and must lead to the last signed checkpoint.
 *
 * What a checkpoint covers was on disk before it was signed. So below the checkpoint nothing is mended:
 * what is missing or different refuses to open. Beyond it stand entries that a kill -9 leaves whole, and
 * of which a power loss can tear those that no `sync` waited for; there the log ends at the first entry
 * that is not whole.
 *
 * @module
 */
import { readdir, truncate } from "node:fs/promises";
import { join } from "node:path";
import { Fault, isFault } from "../base/index.ts";
import { isEntry } from "./entry.ts";
import { Folder, absent, makeFolder, readIfThere } from "./folder.ts";
import { generateSigner, readSigner } from "./key.ts";
import {
  Frontier,
  HASH_BYTES,
  TILE_WIDTH,
  leafHash,
  splitHashes,
  tileRoot,
  type FullTile,
} from "./merkle.ts";
import {
  openCheckpoint,
  readDecimal,
  signCheckpoint,
  type Checkpoint,
  type Signer,
} from "./note.ts";
import * as tile from "./tile.ts";

/** The private key's name in the folder of keys. */
const KEY_FILE = "ledger.key";

/** A bundle that still grows, or waits for its commit: its entries, and the length of its journal. */
export interface Segment {
  readonly n: number;
  readonly entries: Buffer[];
  bytes: number;
}

/** What opening found. */
export interface Recovered {
  readonly tree: Frontier;
  /** Full tiles that no checkpoint covers yet, so perhaps not written. */
  readonly tiles: FullTile[];
  readonly segments: readonly Segment[];
  /** Entries beyond the last checkpoint: unsigned until now, so not protected while they lay there. */
  readonly unsigned: number;
  /** Bytes cut off behind the last whole entry: never acknowledged with `sync`. */
  readonly cutBytes: number;
}

function corrupt(message: string): Fault {
  return new Fault("ledger.corrupt", message, {
    hint: "run `cofferdam verify`; keep this folder as evidence and restore a good copy, or start in a new home",
  });
}

/**
 * The signer of the ledger in `folder`, made with an empty log where nothing is there yet.
 *
 * @throws {Fault} `ledger.key` where the key or the ledger is gone while the other is there.
 */
export async function openSigner(folder: Folder, keys: string, origin: string): Promise<Signer> {
  const keyFile = join(keys, KEY_FILE);
  const signer = await readSigner(keyFile);
  const note = await readIfThere(folder.path(tile.CHECKPOINT_FILE));
  if (signer !== undefined) {
    if (note !== undefined) return signer;
    throw new Fault("ledger.key", `there is a key but no ledger in ${folder.dir}`, {
      hint: `restore the ledger; to begin a new one, move ${keyFile} away, which old proofs will show`,
    });
  }
  // The key comes last, so a first start that was cut short left an empty log and no key.
  const names = await readdir(folder.dir);
  const empty = note === undefined || note.toString().split("\n")[1] === "0";
  if (!empty || names.includes(tile.JOURNAL_FOLDER) || names.includes("tile")) {
    throw new Fault("ledger.key", `the ledger's key is gone: ${keyFile}`, {
      hint: "put it back, or move the ledger's folder away to begin a new one",
    });
  }
  const fresh = generateSigner(origin);
  const start = signCheckpoint({ size: 0, root: new Frontier().root() }, fresh.signer);
  await folder.write(tile.VERIFIER_KEY_FILE, `${fresh.signer.verifier.text}\n`, true);
  await folder.write(tile.CHECKPOINT_FILE, start, true);
  await folder.sync();
  await makeFolder(keys);
  const keyFolder = new Folder(keys);
  await keyFolder.write(KEY_FILE, fresh.text, true);
  await keyFolder.sync();
  return fresh.signer;
}

/** Rebuilds the state. @throws {Fault} `ledger.corrupt` where it does not lead to the checkpoint. */
export async function recover(folder: Folder, signer: Signer): Promise<Recovered> {
  const note = await readIfThere(folder.path(tile.CHECKPOINT_FILE));
  const vkey = await readIfThere(folder.path(tile.VERIFIER_KEY_FILE));
  if (note === undefined) throw corrupt("there is no checkpoint");
  if (vkey?.toString().trim() !== signer.verifier.text)
    throw corrupt("the file vkey is not of our key");
  const checkpoint = readCheckpoint(note.toString(), signer);
  const full = Math.floor(checkpoint.size / TILE_WIDTH);
  const tree = await readFrontier(folder, full);
  checkRoot(tree, checkpoint);
  const tiles: FullTile[] = [];
  const segments: Segment[] = [];
  let cutBytes = 0;
  for (let n = full; ; n += 1) {
    const found = await readSegment(folder, n);
    if (found === undefined) break;
    for (const entry of found.entries) {
      tree.append(leafHash(entry), (fullTile) => tiles.push(fullTile));
      checkRoot(tree, checkpoint);
    }
    if (found.sealed) continue;
    segments.push({ n, entries: [...found.entries], bytes: found.end });
    cutBytes += found.length - found.end;
    if (found.entries.length < TILE_WIDTH || found.end < found.length) break;
  }
  if (tree.size < checkpoint.size) {
    const covered = `the checkpoint covers ${checkpoint.size} entries`;
    throw corrupt(`entry ${tree.size} is missing or damaged; ${covered}`);
  }
  // Only now is it sure that nothing signed lies behind the cut.
  const last = segments.at(-1);
  if (last !== undefined) await truncate(folder.path(tile.journalPath(last.n)), last.bytes);
  cutBytes += await dropLater(folder, Math.floor(tree.size / TILE_WIDTH));
  return { tree, tiles, segments, unsigned: tree.size - checkpoint.size, cutBytes };
}

function readCheckpoint(note: string, signer: Signer): Checkpoint {
  try {
    return openCheckpoint(note, signer.verifier);
  } catch (error) {
    if (isFault(error, "ledger.note")) throw corrupt(`the checkpoint: ${error.message}`);
    throw error;
  }
}

function checkRoot(tree: Frontier, checkpoint: Checkpoint): void {
  if (tree.size === checkpoint.size && !tree.root().equals(checkpoint.root)) {
    throw corrupt(`the first ${tree.size} entries are not those that the checkpoint covers`);
  }
}

/** The tree's right edge at `full` full tiles of leaves, from the full tiles of each level. */
export async function readFrontier(folder: Folder, full: number): Promise<Frontier> {
  const tree = new Frontier();
  tree.size = full * TILE_WIDTH;
  tree.rows.push([]);
  for (let level = 0, count = full; count > 0; level += 1, count = Math.floor(count / TILE_WIDTH)) {
    const row: Buffer[] = [];
    for (let n = count - (count % TILE_WIDTH); n < count; n += 1) {
      const name = tile.tilePath({ level, n, width: TILE_WIDTH });
      const hashes = await readIfThere(folder.path(name));
      if (hashes?.length !== TILE_WIDTH * HASH_BYTES)
        throw corrupt(`${name} is missing or damaged`);
      row.push(tileRoot(splitHashes(hashes)));
    }
    tree.rows.push(row);
  }
  return tree;
}

interface FoundSegment extends tile.Bundle {
  readonly sealed: boolean;
  readonly length: number;
}

async function readSegment(folder: Folder, n: number): Promise<FoundSegment | undefined> {
  const path = tile.tilePath({ level: "entries", n, width: TILE_WIDTH });
  const sealed = await readIfThere(folder.path(path));
  const bytes = sealed ?? (await readIfThere(folder.path(tile.journalPath(n))));
  if (bytes === undefined) return undefined;
  const bundle = tile.splitBundle(bytes, isEntry);
  const whole = bundle.entries.length === TILE_WIDTH && bundle.end === bytes.length;
  // A bundle is on disk before it gets its name, so it is never torn.
  if (sealed !== undefined && !whole) {
    throw corrupt(`entry ${n * TILE_WIDTH + bundle.entries.length} is damaged in ${path}`);
  }
  if (bundle.entries.length > TILE_WIDTH)
    throw corrupt(`too many entries in ${tile.journalPath(n)}`);
  return { ...bundle, sealed: sealed !== undefined, length: bytes.length };
}

/** Removes journals after bundle `last`: they follow a cut, or a name that was lost. */
async function dropLater(folder: Folder, last: number): Promise<number> {
  let bytes = 0;
  for (const name of (await readdir(folder.path(tile.JOURNAL_FOLDER)).catch(absent)) ?? []) {
    const n = readDecimal(name);
    if (n === undefined || n <= last) continue;
    bytes += (await readIfThere(folder.path(tile.journalPath(n))))?.length ?? 0;
    folder.remove(tile.journalPath(n));
  }
  return bytes;
}
