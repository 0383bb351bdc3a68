/**
 * The key that signs checkpoints: an Ed25519 key in PKCS #8 PEM, readable by its owner only.
 *
 * @module
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { Fault } from "../base/index.ts";
import { createSigner, type Signer } from "./note.ts";

const OTHERS = 0o077;

/**
 * Reads the key in `file`, to sign as `origin`; `undefined` where there is no such file.
 *
 * @throws {Fault} `ledger.key` where others may read it or it is no Ed25519 key.
 */
export async function readSigner(file: string, origin: string): Promise<Signer | undefined> {
  const found = await stat(file).catch(absent);
  if (found === undefined) return undefined;
  if ((found.mode & OTHERS) !== 0) {
    throw new Fault("ledger.key", `the ledger's key is open to other users: ${file}`, {
      hint: `chmod 600 ${file}, and see who could have read it`,
    });
  }
  return createSigner(origin, readPem(await readFile(file, "utf8"), file));
}

function readPem(pem: string, file: string): KeyObject {
  const hint = "put the ledger's own key back; without it nothing can be added to this ledger";
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new Fault("ledger.key", `no private key in ${file}`, { hint, cause });
  }
  if (key.asymmetricKeyType === "ed25519") return key;
  throw new Fault("ledger.key", `no Ed25519 key in ${file}`, { hint });
}

/** A new key for `origin`, with the text to be kept in its file. */
export function generateSigner(origin: string): { readonly signer: Signer; readonly pem: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  return { signer: createSigner(origin, privateKey), pem };
}

/** For `.catch` on a file that may be absent: any other failure goes on. */
export function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
