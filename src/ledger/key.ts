/**
 * The key that signs checkpoints: one file, readable by its owner only, with the log's name on its
 * first line and an Ed25519 key (PKCS #8, PEM) after it.
 *
 * @module
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { stat } from "node:fs/promises";
import { Fault } from "../base/index.ts";
import { absent, readIfThere } from "./folder.ts";
import { createSigner, type Signer } from "./note.ts";

const OTHERS = 0o077;

/**
 * Reads the key in `file`; `undefined` where there is none.
 *
 * @throws {Fault} `ledger.key` where others may read it or it is no Ed25519 key.
 */
export async function readSigner(file: string): Promise<Signer | undefined> {
  const found = await stat(file).catch(absent);
  const text = (await readIfThere(file))?.toString();
  if (found === undefined || text === undefined) return undefined;
  if ((found.mode & OTHERS) !== 0) {
    throw new Fault("ledger.key", `the ledger's key is open to other users: ${file}`, {
      hint: `chmod 600 ${file}, and see who could have read it`,
    });
  }
  const end = text.indexOf("\n");
  return createSigner(text.slice(0, end), readPem(text.slice(end + 1), file));
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

/** A new key for the log `origin`, with the text of its file. */
export function generateSigner(origin: string): { readonly signer: Signer; readonly text: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  return { signer: createSigner(origin, privateKey), text: `${origin}\n${pem}` };
}
