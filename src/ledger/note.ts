/**
 * Signed notes (C2SP signed-note) with Ed25519 keys, and the one kind of note that the ledger signs: the
 * checkpoint (C2SP tlog-checkpoint).
 *
 *   origin LF  size LF  base64(root) LF  LF  U+2014 " " name " " base64(key id (4) || signature (64)) LF
 *   verifier key: name "+" hex(key id) "+" base64(0x01 || public key (32))
 *
 * @module
 */
import { createPublicKey, hash, sign, verify, type KeyObject } from "node:crypto";
import { Fault } from "../base/index.ts";
import { HASH_BYTES } from "./merkle.ts";

const ED25519 = 1; // The signature type byte.
const ID_BYTES = 4;
const KEY_BYTES = 32;
const SIGNATURES_MAX = 64; // signed-note asks for at least 16.
const NOTE_CHARS_MAX = 1_000_000;
const NAME = /^[^\s+\p{Z}\p{Cc}]+$/u;
const VERIFIER_KEY = /^([^+]+)\+[0-9a-f]{8}\+(.+)$/;
const SIGNATURE_LINE = /^\u2014 (\S+) (\S+)$/;

/** Whom a signature is from. */
export interface VerifierKey {
  readonly name: string;
  readonly id: Buffer;
  readonly key: KeyObject;
  /** The key as text, to be kept where the log's keeper cannot reach it. */
  readonly text: string;
}

/** A key that can sign, with the public half that checks it. */
export interface Signer {
  readonly verifier: VerifierKey;
  readonly privateKey: KeyObject;
}

/** What a checkpoint commits to: all entries before `size`. */
export interface Checkpoint {
  /** Which log this is; also the name of the key. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

function fault(message: string, hint?: string): Fault {
  return new Fault("ledger.note", message, hint === undefined ? {} : { hint });
}

/** The signer that `privateKey` (Ed25519) makes under `name`. */
export function createSigner(name: string, privateKey: KeyObject): Signer {
  if (!NAME.test(name))
    throw fault(`not a key name: ${JSON.stringify(name)}`, "no spaces, no plus");
  const raw = createPublicKey(privateKey).export({ format: "jwk" }).x;
  if (privateKey.asymmetricKeyType !== "ed25519" || raw === undefined) {
    throw fault("not an Ed25519 key");
  }
  return { verifier: createVerifier(name, Buffer.from(raw, "base64url")), privateKey };
}

function createVerifier(name: string, raw: Buffer): VerifierKey {
  const typed = Buffer.concat([Buffer.from([ED25519]), raw]);
  const id = hash("sha256", Buffer.concat([Buffer.from(`${name}\n`), typed]), "buffer");
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") },
    format: "jwk",
  });
  const short = id.subarray(0, ID_BYTES);
  return {
    name,
    id: short,
    key,
    text: `${name}+${short.toString("hex")}+${typed.toString("base64")}`,
  };
}

/** @throws {Fault} `ledger.note` where `text` is no Ed25519 verifier key or its id does not fit it. */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name = "", keyText = ""] = VERIFIER_KEY.exec(text.trim()) ?? [];
  const typed = readBase64(keyText);
  if (!NAME.test(name) || typed?.length !== 1 + KEY_BYTES || typed[0] !== ED25519) {
    throw fault(
      "not an Ed25519 verifier key",
      "it reads name+id+key, as the ledger's file vkey does",
    );
  }
  const verifier = createVerifier(name, typed.subarray(1));
  if (verifier.text !== text.trim()) throw fault("the verifier key's id does not fit its key");
  return verifier;
}

/** Strict: what does not encode back to itself is refused, so that one value has one text. */
export function readBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

/** The signed text of `checkpoint`, which names the signer as its origin. */
export function signCheckpoint(checkpoint: Omit<Checkpoint, "origin">, signer: Signer): string {
  const { name, id } = signer.verifier;
  const text = `${name}\n${checkpoint.size}\n${checkpoint.root.toString("base64")}\n`;
  const signature = sign(null, Buffer.from(text), signer.privateKey);
  return `${text}\n\u2014 ${name} ${Buffer.concat([id, signature]).toString("base64")}\n`;
}

/**
 * Reads a checkpoint and checks that `key` signed it. Signatures of other keys (witnesses) are ignored.
 *
 * @throws {Fault} `ledger.note` where it is malformed, unsigned, or its signature does not hold.
 */
export function openCheckpoint(note: string, key: VerifierKey): Checkpoint {
  const split = note.lastIndexOf("\n\n");
  if (note.length > NOTE_CHARS_MAX || split < 0 || !note.endsWith("\n")) {
    throw fault("not a signed checkpoint");
  }
  const text = note.slice(0, split + 1);
  checkSignature(text, note.slice(split + 2, -1).split("\n"), key);
  const [origin, sizeText = "", rootText = ""] = text.split("\n");
  const size = readDecimal(sizeText);
  const root = readBase64(rootText);
  if (origin !== key.name)
    throw fault("the checkpoint is of another log", `it should be ${key.name}`);
  if (size === undefined || root?.length !== HASH_BYTES)
    throw fault("not a checkpoint's size and root");
  return { origin, size, root };
}

function checkSignature(text: string, lines: readonly string[], key: VerifierKey): void {
  if (lines.length > SIGNATURES_MAX) throw fault("too many signatures");
  let signed = false;
  for (const line of lines) {
    const [, name, blob] = SIGNATURE_LINE.exec(line) ?? [];
    const bytes = blob === undefined ? undefined : readBase64(blob);
    if (bytes === undefined || bytes.length <= ID_BYTES) throw fault("malformed signature line");
    if (name !== key.name || !bytes.subarray(0, ID_BYTES).equals(key.id)) continue;
    if (!verify(null, Buffer.from(text), key.key, bytes.subarray(ID_BYTES))) {
      throw fault(`the signature of ${key.name} does not hold`);
    }
    signed = true;
  }
  if (!signed) throw fault(`not signed by ${key.text}`);
}

/** A non-negative safe integer in decimal without leading zeroes, or `undefined`. */
export function readDecimal(text: string): number | undefined {
  const value = Number(text);
  return /^(0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}
