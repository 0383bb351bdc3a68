/**
 * Restoring: all of an archive is listed and held against its manifest before a byte of it is written; what is written
 * goes beside the home, is held against its digests and against the record's own signature, and only then takes the
 * home's place, by one rename.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, mkdtemp, open, readdir, rename, rm, statfs } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { describeError, Fault } from "../base/index.ts";
import { verifyLedger } from "../ledger/index.ts";
import { unsealByPassphrase } from "../vault/index.ts";
import { readArchive, readWhole, refused, tarHead, type ArchiveEntry } from "./archive.ts";
import {
  BACKUP_FORMAT,
  boundBy,
  MANIFEST_FILE,
  manifestSchema,
  type Manifest,
} from "./manifest.ts";

/** What the next daemon puts on record first. */
export const RESTORED_FILE = "restored.json";
export const restoredSchema = z.strictObject({
  /** When the backup was made, and how many entries it has. */
  of: z.string(),
  entries: z.int().nonnegative(),
  checkpoint: z.string(),
});

const MANIFEST_BYTES_MAX = 1 << 30;
const PIECE_BYTES = 1 << 20;
/** A restored home has room for more than itself. */
const ROOM_BYTES = 64 << 20;

export interface RestoreOptions {
  /** The archive. */
  readonly file: string;
  /** The home to be; absent, or an empty folder. */
  readonly to: string;
  /** Asked for only where keys are sealed in it; without one they stay there. */
  passphrase(): Promise<string | undefined>;
  /** The record's verifier key, from elsewhere. */
  readonly key?: string;
}

/** What was restored. */
export interface Restored {
  readonly at: string;
  readonly entries: number;
  readonly files: number;
  readonly hasKeys: boolean;
  readonly left: readonly string[];
}

/**
 * @throws {Fault} `backup.home` where something is there already, `backup.archive` where the archive is not as it was
 *   made, `backup.record` where its record does not verify, `base.format`, `vault.wrong_key`. Nothing is in place then.
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const to = resolve(options.to);
  await requireEmpty(to);
  await using archive = await open(options.file, constants.O_RDONLY | constants.O_NONBLOCK).catch(
    (cause: unknown) => {
      throw new Fault("backup.archive", `${options.file} cannot be read: ${describeError(cause)}`, {
        cause,
      });
    },
  );
  const about = await archive.stat();
  if (!about.isFile()) throw refused("it is not a plain file");
  const entries = await readArchive(archive.fd, about.size);
  const manifest = await readManifest(archive.fd, entries);
  const files = matchUp(entries, manifest);
  const secrets = await openSecrets(manifest, options);
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  const { bavail, bsize } = await statfs(dirname(to));
  if (bavail * bsize < about.size + ROOM_BYTES) {
    throw new Fault("backup.home", `there is no room for ${about.size} bytes beside ${to}`, {
      hint: "free some, or restore to another disk",
    });
  }
  const beside = await mkdtemp(join(dirname(to), `.${basename(to)}.restoring-`));
  try {
    for (const [file, sha256] of files) await extract(archive.fd, file, sha256, beside);
    for (const [path, content] of secrets) await place(beside, path, content);
    await verify(beside, manifest, options.key);
    const { at: of, entries: count, checkpoint } = manifest;
    const marker = JSON.stringify({ of, entries: count, checkpoint });
    await place(beside, RESTORED_FILE, Buffer.from(marker));
    await requireEmpty(to);
    await rename(beside, to); // Over a folder only where that is empty.
    await syncFolder(dirname(to));
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    throw error;
  }
  const { at, left } = manifest;
  return { at, entries: manifest.entries, files: files.length, hasKeys: secrets.size > 0, left };
}

async function requireEmpty(to: string): Promise<void> {
  try {
    if ((await readdir(to)).length === 0) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new Fault("backup.home", `${to} is no folder to restore to: ${describeError(error)}`, {
      hint: "name a folder that is not there yet",
    });
  }
  throw new Fault("backup.home", `${to} is not empty`, {
    hint: "nothing is written over: name a folder that is not there yet, or move this one away",
  });
}

async function readManifest(
  descriptor: number,
  entries: readonly ArchiveEntry[],
): Promise<Manifest> {
  const last = entries.at(-1);
  if (last?.path !== MANIFEST_FILE || last.bytes > MANIFEST_BYTES_MAX) {
    throw refused("its last file is no manifest");
  }
  const bytes = Buffer.alloc(last.bytes);
  await readWhole(descriptor, bytes, last.at);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    throw refused("its manifest is no JSON");
  }
  const format = z.looseObject({ format: z.int() }).safeParse(value).data?.format;
  if (format !== undefined && format !== BACKUP_FORMAT) {
    throw new Fault(
      "base.format",
      `the backup is of format ${format}; this Cofferdam reads format ${BACKUP_FORMAT}`,
      { hint: "restore it by the Cofferdam that made it, or by a newer one" },
    );
  }
  const { data, error } = manifestSchema.safeParse(value);
  if (data === undefined)
    throw refused(`its manifest says ${error.issues[0]?.message ?? "nothing"}`);
  return data;
}

/** Every file with its digest: those that the manifest lists, and no others. */
function matchUp(
  entries: readonly ArchiveEntry[],
  manifest: Manifest,
): readonly (readonly [ArchiveEntry, string])[] {
  const listed = new Map(manifest.files.map((file) => [file.path, file]));
  const found = entries.slice(0, -1).map((entry) => {
    const file = listed.get(entry.path);
    if (file?.bytes !== entry.bytes) throw refused(`${entry.path} is not as its manifest says`);
    return [entry, file.sha256] as const;
  });
  if (found.length === manifest.files.length) return found;
  throw refused("files are missing that its manifest lists");
}

async function openSecrets(
  manifest: Manifest,
  options: RestoreOptions,
): Promise<ReadonlyMap<string, Buffer>> {
  const passphrase = manifest.keys === undefined ? undefined : await options.passphrase();
  if (manifest.keys === undefined || passphrase === undefined) return new Map();
  const plain = await unsealByPassphrase(manifest.keys, passphrase, boundBy(manifest));
  const files = z.record(z.string(), z.base64()).parse(JSON.parse(plain.toString()));
  for (const path of Object.keys(files)) tarHead(path, 0); // The same paths as an archive's, and no others.
  return new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text, "base64")]));
}

async function extract(
  descriptor: number,
  { path, bytes, at }: ArchiveEntry,
  sha256: string,
  to: string,
): Promise<void> {
  const hash = createHash("sha256");
  await using file = await create(to, path);
  for (let done = 0; done < bytes;) {
    const piece = Buffer.alloc(Math.min(PIECE_BYTES, bytes - done));
    await readWhole(descriptor, piece, at + done);
    hash.update(piece);
    await file.writeFile(piece);
    done += piece.length;
  }
  if (hash.digest("hex") !== sha256) throw refused(`${path} is not what was put into it`);
  await file.sync();
}

async function place(to: string, path: string, content: Buffer): Promise<void> {
  await using file = await create(to, path);
  await file.writeFile(content);
  await file.sync();
}

/** A new file: where one is there, or stands where a folder should be, the archive names two things in one place. */
async function create(to: string, path: string) {
  try {
    await mkdir(dirname(join(to, path)), { recursive: true, mode: 0o700 });
    return await open(join(to, path), "wx", 0o600);
  } catch (error) {
    throw refused(`${path} cannot be written: ${describeError(error)}`);
  }
}

/** The record must verify, and be the one that the manifest tells of. */
async function verify(root: string, manifest: Manifest, key: string | undefined): Promise<void> {
  const hint = "nothing was put in place; take another backup";
  const { problems, size } = await verifyLedger(join(root, "ledger"), {
    publicKey: key ?? manifest.key,
    since: manifest.checkpoint,
  });
  const [first] = problems;
  if (first !== undefined) {
    const why = `its record does not verify: ${first.file}: ${first.what}`;
    throw new Fault("backup.record", why, { hint });
  }
  if (size === manifest.entries) return;
  const why = `its record has ${size} entries, and its manifest says ${manifest.entries}`;
  throw new Fault("backup.record", why, { hint });
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}
