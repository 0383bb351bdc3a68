/**
 * The vault's file and keys: opened once, written whole at each change, and never trusted before it is authenticated.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describeError, Fault, requireOwnFolder } from "../base/index.ts";
import { removeUnfinished, writeDurably } from "./durable.ts";
import { deriveKey, KEY_BYTES, seal, unseal } from "./seal.ts";
import { secretSchema, type Secret } from "./secret.ts";
import type { CredentialSpec } from "./spec.ts";
import {
  makeKeyFile,
  passphraseLock,
  readPrivate,
  unlockKey,
  type Lock,
  type Unlock,
} from "./unlock.ts";
import {
  boundTo,
  checkOf,
  corrupt,
  fileMac,
  isSame,
  parseVaultFile,
  printVaultFile,
  type Entry,
  type VaultFile,
} from "./vault-file.ts";

const VAULT_FILE = "vault";

/** An unlocked vault file. */
export class Store {
  readonly #path: string;
  readonly #keyFile: string;
  readonly #dataKey: Buffer;
  readonly #sealing: Buffer;
  #file: VaultFile;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(path: string, keyFile: string, dataKey: Buffer, file: VaultFile) {
    this.#path = path;
    this.#keyFile = keyFile;
    this.#dataKey = dataKey;
    this.#sealing = deriveKey(dataKey, "seal");
    this.#file = file;
  }

  /** Opens the vault in `dir`; makes one, unlocked by the key file, where there is none. */
  static async open(dir: string, unlock: Unlock): Promise<Store> {
    await makeFolder(dir);
    requireOwnFolder(dir, { isVisit: false });
    await chmod(dir, 0o700);
    const path = join(dir, VAULT_FILE);
    await removeUnfinished(path);
    const text = await readPrivate(path);
    if (text === undefined) return Store.#make(path, unlock);
    const file = parseVaultFile(text, path);
    const dataKey = unwrap(file, await unlockKey(file.lock, unlock), path);
    if (!isSame(file.mac, fileMac(dataKey, file))) {
      throw corrupt(path, "it was changed by somebody without its key");
    }
    return new Store(path, unlock.keyFile, dataKey, file);
  }

  static async #make(path: string, { keyFile }: Unlock): Promise<Store> {
    const dataKey = randomBytes(KEY_BYTES);
    const key = await makeKeyFile(keyFile);
    const id = randomBytes(16).toString("base64");
    const file = withMac(dataKey, wrap(dataKey, key, { id, lock: { kind: "file" } }, []));
    await writeDurably(path, printVaultFile(file));
    return new Store(path, keyFile, dataKey, file);
  }

  get lock(): Lock["kind"] {
    return this.#file.lock.kind;
  }

  get entries(): readonly Entry[] {
    return this.#file.entries;
  }

  /** A key of the vault's for another purpose. */
  keyFor(purpose: string): Buffer {
    return deriveKey(this.#dataKey, purpose);
  }

  /** The secret of `entry`. */
  open(entry: Entry): Secret {
    const bound = boundTo(this.#file.id, entry);
    const plain = unseal(this.#sealing, Buffer.from(entry.sealed, "base64"), bound);
    const parsed = secretSchema.safeParse(
      plain === undefined ? undefined : JSON.parse(plain.toString("utf8")),
    );
    if (!parsed.success) throw corrupt(this.#path, `${entry.name} is not what was sealed`);
    return parsed.data;
  }

  /** `secret` sealed for `spec`. */
  seal(spec: CredentialSpec, secret: Secret): string {
    const plain = Buffer.from(JSON.stringify(secret));
    return seal(this.#sealing, plain, boundTo(this.#file.id, spec)).toString("base64");
  }

  /** Replaces the entries by what `change` makes of them; on disk when it resolves. One change at a time. */
  async change(change: (entries: readonly Entry[]) => readonly Entry[]): Promise<void> {
    await this.#write(async () => ({ ...this.#file, entries: [...change(this.#file.entries)] }));
  }

  /** Locks the vault by `passphrase` from now on, or by its key file where there is none. */
  async relock(passphrase: string | undefined): Promise<void> {
    await this.#write(async () => {
      const lock: Lock = passphrase === undefined ? { kind: "file" } : passphraseLock();
      const key =
        lock.kind === "file"
          ? await makeKeyFile(this.#keyFile)
          : await unlockKey(lock, { keyFile: this.#keyFile, passphrase });
      return wrap(this.#dataKey, key, { id: this.#file.id, lock }, this.#file.entries);
    });
  }

  async #write(make: () => Promise<VaultFile>): Promise<void> {
    const written = this.#writing.then(async () => {
      const file = withMac(this.#dataKey, await make());
      await writeDurably(this.#path, printVaultFile(file));
      this.#file = file; // Only what is on disk is true.
    });
    this.#writing = written.catch(() => {}); // Told to who asked for it; the next change may still succeed.
    await written;
  }
}

function wrap(
  dataKey: Uint8Array,
  unlockKey: Uint8Array,
  head: Pick<VaultFile, "id" | "lock">,
  entries: readonly Entry[],
): VaultFile {
  const wrapped = seal(deriveKey(unlockKey, "wrap"), dataKey, head.id).toString("base64");
  return { ...head, check: checkOf(unlockKey, head), wrapped, entries: [...entries], mac: "" };
}

function unwrap(file: VaultFile, unlockKey: Uint8Array, path: string): Buffer {
  if (!isSame(file.check, checkOf(unlockKey, file))) {
    const isFile = file.lock.kind === "file";
    throw new Fault(
      "vault.wrong_key",
      `this ${isFile ? "key file" : "passphrase"} is not the vault's`,
      {
        hint: isFile
          ? "put the key file that belongs to this vault back"
          : "try the passphrase again",
      },
    );
  }
  const wrapped = Buffer.from(file.wrapped, "base64");
  const dataKey = unseal(deriveKey(unlockKey, "wrap"), wrapped, file.id);
  if (dataKey?.length !== KEY_BYTES) throw corrupt(path, "its data key does not open");
  return dataKey;
}

function withMac(dataKey: Uint8Array, file: VaultFile): VaultFile {
  return { ...file, mac: fileMac(dataKey, file) };
}

/** @throws {Fault} `vault.access` where the folder cannot be made: credentials are refused then, and runs go on. */
async function makeFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Fault(
      "vault.access",
      `the folder of the vault cannot be made: ${describeError(cause)}`,
      {
        cause,
        hint: `${dir} must be a folder of your own, or a place where one can be made`,
      },
    );
  }
}
