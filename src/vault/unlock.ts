/**
 * What unlocks a vault: a key file of its own, or a passphrase through Argon2id (RFC 9106).
 *
 * The unlock key wraps the vault's data key and nothing else, so it can be changed without sealing anything anew.
 *
 * @module
 */
import { argon2, randomBytes, type Argon2Parameters } from "node:crypto";
import { constants as fs } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { z } from "zod";
import { Fault } from "../base/index.ts";
import { writeDurably } from "./durable.ts";
import { KEY_BYTES } from "./seal.ts";

const KEY_HEAD = "cofferdam vault key 1";
const SALT_BYTES = 16;
const base64 = z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/);

/** RFC 9106, 4: the second recommended option (64 MiB, 3 passes, 4 lanes). */
const COST = { memory: 65_536, passes: 3, parallelism: 4 } as const;

/** How a vault is unlocked, as its header says. The bounds keep a forged header from taking the machine's memory. */
export const lockSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("file") }),
  z.strictObject({
    kind: z.literal("passphrase"),
    kdf: z.literal("argon2id"),
    memory: z.number().int().min(19_456).max(1_048_576),
    passes: z.number().int().min(1).max(16),
    parallelism: z.number().int().min(1).max(16),
    salt: base64.length(24),
  }),
]);
export type Lock = z.infer<typeof lockSchema>;

/** What the caller has to unlock with. */
export interface Unlock {
  /** The key file; made where a new vault needs it. */
  readonly keyFile: string;
  /** Asked for only where the vault has one. */
  readonly passphrase?: string | undefined;
}

/** A lock for a passphrase, with a salt of its own. */
export function passphraseLock(): Lock {
  const salt = randomBytes(SALT_BYTES).toString("base64");
  return { kind: "passphrase", kdf: "argon2id", ...COST, salt };
}

/**
 * The unlock key that `lock` asks for.
 *
 * @throws {Fault} `vault.locked` where a passphrase is needed and none is given, `vault.key_missing` where the
 *   key file is gone, `vault.access` where others could read it, `vault.key_file` where it is no key.
 */
export async function unlockKey(lock: Lock, unlock: Unlock): Promise<Buffer> {
  if (lock.kind === "file") return readKeyFile(unlock.keyFile);
  if (unlock.passphrase === undefined) {
    throw new Fault("vault.locked", "the vault is locked by a passphrase", {
      hint: "`cofferdam credential unlock` asks for it",
    });
  }
  const { memory, passes, parallelism, salt } = lock;
  return stretch({
    message: Buffer.from(unlock.passphrase.normalize("NFKC")),
    nonce: Buffer.from(salt, "base64"),
    memory,
    passes,
    parallelism,
    tagLength: KEY_BYTES,
  });
}

async function stretch(parameters: Argon2Parameters): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2("argon2id", parameters, (error, key) => {
      if (error === null) resolve(Buffer.from(key));
      else reject(error);
    });
  });
}

/** Makes the key file where there is none, and gives its key. */
export async function makeKeyFile(path: string): Promise<Buffer> {
  const there = await readPrivate(path);
  if (there === undefined) {
    await writeDurably(path, `${KEY_HEAD}\n${randomBytes(KEY_BYTES).toString("base64")}\n`);
  }
  return readKeyFile(path);
}

async function readKeyFile(path: string): Promise<Buffer> {
  const text = await readPrivate(path);
  if (text === undefined) {
    throw new Fault("vault.key_missing", `the vault's key file is gone: ${path}`, {
      hint: "put it back from your backup; without it nobody can open the vault",
    });
  }
  const [head, body = "", ...rest] = text.split("\n");
  const key = Buffer.from(body, "base64");
  if (head !== KEY_HEAD || rest.join("") !== "" || key.toString("base64") !== body) {
    throw notAKey(path);
  }
  if (key.length !== KEY_BYTES) throw notAKey(path);
  return key;
}

function notAKey(path: string): Fault {
  return new Fault("vault.key_file", `not a vault key: ${path}`, {
    hint: "put the right file back from your backup",
  });
}

/**
 * The text of a file that nobody else could have read or written; `undefined` where there is none.
 *
 * @throws {Fault} `vault.access`
 */
export async function readPrivate(path: string): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, fs.O_RDONLY | fs.O_NOFOLLOW | fs.O_NONBLOCK);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new Fault("vault.access", `cannot open ${path}`, {
      hint: "it must be a plain file of the user that runs Cofferdam, with mode 0600",
      cause,
    });
  }
  await using handle = file;
  const about = await handle.stat();
  if (!about.isFile() || about.uid !== process.geteuid?.() || (about.mode & 0o077) !== 0) {
    throw new Fault("vault.access", `other users could reach ${path}`, {
      hint: `see who could have read it; then chmod 600 '${path}', and rotate what it holds`,
    });
  }
  return handle.readFile("utf8");
}
