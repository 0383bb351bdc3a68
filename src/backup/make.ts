/**
 * Making a backup of a home that is in use: the record up to its checkpoint, what the daemon copied of its databases, and
 * every other file as it is at its moment. What changes is replaced whole or only grows, so each file is whole.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { constants, type Dirent } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../base/index.ts";
import { LedgerSnapshot } from "../ledger/index.ts";
import { sealByPassphrase } from "../vault/index.ts";
import { tarEnd, tarHead, tarPadding } from "./archive.ts";
import { BACKUP_FORMAT, boundBy, MANIFEST_FILE, type Manifest } from "./manifest.ts";

/** Files at the top of a home that are no secret. */
const OPEN_FILES = /^(?:[a-z-]+\.yaml|passkeys\.json|holds\.json|formats\.json)$/;
/** What is of the moment, made anew, or copied by the daemon. */
const PASSED_OVER =
  /^(?:(?:daemon|console)\.sock|daemon\.log|service|alive|restored\.json|.*\.new|[a-z-]+\.db(?:-wal|-shm|-journal|\.format-\d+)?)$/;
const FOLDERS = ["vault", "catalog", "facts", "rules", "tasks", "exports", "runs"] as const;
/** Folders of a run that are not Cofferdam's own: what the run can write (home, layer), it can turn into links. */
const OF_THE_RUN = /^runs\/[^/]+\/(?!(?:public|recordings|evidence)$)[^/]+$/;
const LEFT = [
  "workspaces of runs (`diff`, `apply`)",
  "homes of agents (homes/)",
  "snapshots (snapshots/)",
  "daemon.log",
] as const;
const PIECE_BYTES = 1 << 20;
const KEYS_BYTES_MAX = 64 << 20;

export interface BackupOptions {
  /** The home's folder. */
  readonly root: string;
  /** Where the daemon's copies of databases are, and which there are. */
  readonly copies: { readonly folder: string; readonly files: readonly string[] };
  /** Seals the keys; without one they are left out. */
  readonly passphrase: string | undefined;
  readonly version: string;
  /** RFC 3339. */
  readonly at: string;
  /** Takes the archive, piece by piece. */
  write(bytes: Buffer): Promise<void>;
}

/** What was made. */
export interface Made {
  readonly entries: number;
  readonly files: number;
  readonly bytes: number;
  readonly checkpoint: string;
  readonly hasKeys: boolean;
  readonly left: readonly string[];
}

/** @throws {Fault} `backup.path`, `backup.changed`, and what reading the ledger says. */
export async function makeBackup(options: BackupOptions): Promise<Made> {
  const { root, copies, passphrase, version, at, write } = options;
  const listed: Manifest["files"] = [];
  let bytes = 0;
  const add = async (path: string, from: Buffer | string) => {
    const done = await writeFile(path, from, write);
    if (done === undefined) return;
    listed.push(done);
    bytes += done.bytes;
  };
  for (const name of copies.files) await add(name, join(copies.folder, name));
  const secret = new Map<string, string>();
  for (const { path, isSecret } of await filesOf(root)) {
    if (!isSecret) await add(path, join(root, path));
    else secret.set(path, join(root, path));
  }
  // The record last: it has an entry of whatever was done to what came before.
  const snapshot = await LedgerSnapshot.read(join(root, "ledger"));
  for await (const file of snapshot.files()) {
    await add(`ledger/${file.path}`, "bytes" in file ? file.bytes : file.at);
  }
  const left = [...LEFT, ...(passphrase === undefined ? secret.keys() : [])];
  const manifest: Manifest = {
    ...{ format: BACKUP_FORMAT, version, at, checkpoint: snapshot.note, entries: snapshot.size },
    ...{ key: snapshot.verifierKey, left, files: listed },
  };
  const keys =
    passphrase === undefined
      ? undefined
      : await sealByPassphrase(await readSecrets(secret), passphrase, boundBy(manifest));
  const text = Buffer.from(JSON.stringify({ ...manifest, ...(keys && { keys }) }));
  await writeFile(MANIFEST_FILE, text, write);
  await write(tarEnd());
  const { note: checkpoint, size: entries } = snapshot;
  return { entries, files: listed.length, bytes, checkpoint, hasKeys: keys !== undefined, left };
}

interface HomeFile {
  readonly path: string;
  readonly isSecret: boolean;
}

async function filesOf(root: string): Promise<readonly HomeFile[]> {
  const top = await entriesIn(root);
  const files: HomeFile[] = [];
  for (const { name } of top.filter((one) => one.isFile())) {
    if (!PASSED_OVER.test(name)) files.push({ path: name, isSecret: !OPEN_FILES.test(name) });
  }
  for (const path of await below(root, "keys")) files.push({ path, isSecret: true });
  for (const folder of FOLDERS) {
    for (const path of await below(root, folder)) files.push({ path, isSecret: false });
  }
  return files;
}

/** Plain files below `folder`, in order; links lead nowhere. */
async function below(root: string, folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const item of await entriesIn(join(root, folder))) {
    const path = `${folder}/${item.name}`;
    if (item.isFile()) found.push(path);
    else if (item.isDirectory() && !OF_THE_RUN.test(path)) found.push(...(await below(root, path)));
  }
  return found;
}

async function entriesIn(path: string): Promise<readonly Dirent[]> {
  try {
    const found = await readdir(path, { withFileTypes: true });
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Writes one file; `undefined` where it went meanwhile. */
async function writeFile(
  path: string,
  from: Buffer | string,
  write: (bytes: Buffer) => Promise<void>,
): Promise<Manifest["files"][number] | undefined> {
  const hash = createHash("sha256");
  const put = async (piece: Buffer) => {
    hash.update(piece);
    await write(piece);
  };
  let size = from.length;
  if (typeof from === "string") {
    const file = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
        return undefined;
      },
    );
    if (file === undefined) return undefined;
    await using handle = file;
    ({ size } = await handle.stat());
    await write(tarHead(path, size));
    const piece = Buffer.alloc(Math.min(PIECE_BYTES, Math.max(size, 1)));
    for (let at = 0; at < size;) {
      const { bytesRead } = await handle.read(piece, 0, Math.min(piece.length, size - at), at);
      if (bytesRead === 0) {
        throw new Fault("backup.changed", `${path} became shorter while it was read`, {
          hint: "make the backup again",
        });
      }
      await put(Buffer.from(piece.subarray(0, bytesRead)));
      at += bytesRead;
    }
  } else {
    await write(tarHead(path, size));
    await put(from);
  }
  await write(tarPadding(size));
  return { path, bytes: size, sha256: hash.digest("hex") };
}

/** Secret files as one: `{path: base64}`. */
async function readSecrets(secret: ReadonlyMap<string, string>): Promise<Buffer> {
  const files: Record<string, string> = {};
  let bytes = 0;
  for (const [path, at] of secret) {
    await using file = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW);
    const content = await file.readFile();
    bytes += content.length;
    if (bytes > KEYS_BYTES_MAX) {
      throw new Fault("backup.path", `${path} is too large for a key or a secret`, {
        hint: "move what is not Cofferdam's out of its home",
      });
    }
    files[path] = content.toString("base64");
  }
  return Buffer.from(JSON.stringify(files));
}
