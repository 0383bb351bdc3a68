/**
 * Proofs that an entry is in the log, as one text that needs nothing else (C2SP tlog-proof):
 *
 *   c2sp.org/tlog-proof@v1
 *   extra <base64 of the entry>
 *   index <seq>
 *   <base64 of a hash>, the leaf's sibling first
 *
 *   <signed checkpoint>
 *
 * `extra` is not authenticated by the format; here it is, since the leaf's hash is taken from it. It may be left out:
 * then the leaf's hash is told beside the proof, and shows that an entry is there without showing what it says.
 *
 * @module
 */
import type { Event } from "../action/index.ts";
import { Fault } from "../base/index.ts";
import { decodeEvent } from "./entry.ts";
import { climbPath, HASH_BYTES, leafHash, type PathStep } from "./merkle.ts";
import { openCheckpoint, parseVerifierKey, readBase64, readDecimal } from "./note.ts";

const FIRST_LINE = "c2sp.org/tlog-proof@v1";
const PATH_MAX = 53; // Levels of a tree whose size is a safe integer.

/** What a proof holds. */
export interface Proof {
  readonly seq: number;
  /** The entry's bytes, as they stand in the log. */
  readonly entry: Buffer;
  readonly path: readonly Buffer[];
  /** A signed checkpoint that covers `seq`. */
  readonly checkpoint: string;
}

/** What a proof that holds shows. */
export interface Included {
  readonly seq: number;
  readonly origin: string;
  /** The size of the log that the entry was shown to be in. */
  readonly size: number;
}

export interface Proven extends Included {
  readonly event: Event;
}

export function formatProof(proof: Proof): string {
  const lines = [
    FIRST_LINE,
    `extra ${proof.entry.toString("base64")}`,
    `index ${proof.seq}`,
    ...proof.path.map((hash) => hash.toString("base64")),
  ];
  return `${lines.join("\n")}\n\n${proof.checkpoint}`;
}

function bad(why: string): Fault {
  return new Fault("ledger.proof", `the proof does not hold: ${why}`);
}

/**
 * Checks a proof offline against `publicKey`, a verifier key as in the ledger's file `vkey`.
 *
 * @throws {Fault} `ledger.proof` where it does not hold, `ledger.note` where its checkpoint or the key
 *   does not.
 */
export function verifyProof(text: string, publicKey: string): Proven {
  const proof = parseProof(text);
  if (proof.entry === undefined) throw bad("no entry after `extra` on the second line");
  const included = include(proof, leafHash(proof.entry), publicKey);
  return { ...included, event: decodeEvent(proof.entry, proof.seq) };
}

/** The same of a proof whose entry is withheld: that something with this `leaf` hash is entry `seq`. */
export function verifyInclusion(text: string, leaf: string, publicKey: string): Included {
  const hash = readBase64(leaf);
  if (hash?.length !== HASH_BYTES) throw bad("the leaf is no hash");
  return include(parseProof(text), hash, publicKey);
}

/** A proof without its entry, and the hash that stands for it: nothing of the entry can be read from either. */
export function withholdEntry(text: string): { readonly proof: string; readonly leaf: string } {
  const { entry } = parseProof(text);
  if (entry === undefined) throw bad("no entry after `extra` on the second line");
  return { proof: text.replace(/^extra .*\n/m, ""), leaf: leafHash(entry).toString("base64") };
}

/** A proof taken apart for a person who wants to see why it holds. Hashes are bytes of SHA-256. */
export interface ShownProof extends Included {
  readonly leaf: Buffer;
  /** From the leaf to the root. */
  readonly steps: readonly PathStep[];
  readonly root: Buffer;
  /** The signed note. */
  readonly checkpoint: string;
}

/** Checks a proof, as {@link verifyProof}, and tells each step of it. @throws {Fault} as that does. */
export function showProof(text: string, publicKey: string): ShownProof {
  const proof = parseProof(text);
  if (proof.entry === undefined) throw bad("no entry after `extra` on the second line");
  const leaf = leafHash(proof.entry);
  return { ...climb(proof, leaf, publicKey), leaf, checkpoint: proof.checkpoint };
}

function include(proof: Parsed, leaf: Buffer, publicKey: string): Included {
  const { seq, origin, size } = climb(proof, leaf, publicKey);
  return { seq, origin, size };
}

function climb({ seq, path, checkpoint }: Parsed, leaf: Buffer, publicKey: string) {
  const { size, root, origin } = openCheckpoint(checkpoint, parseVerifierKey(publicKey));
  const steps = climbPath(leaf, { index: seq, size }, path);
  if (steps === undefined || !(steps.at(-1)?.node ?? leaf).equals(root)) {
    throw bad("entry, place and hashes do not lead to the checkpoint's root");
  }
  return { seq, origin, size, root, steps };
}

type Parsed = Omit<Proof, "entry"> & { readonly entry: Buffer | undefined };

/** Takes a proof apart; whether it holds is another question. @throws {Fault} `ledger.proof` */
export function parseProof(text: string): Parsed {
  const split = text.indexOf("\n\n");
  const [first, ...lines] = text.slice(0, Math.max(split, 0)).split("\n");
  const hasEntry = lines[0]?.startsWith("extra ") === true;
  const entry = hasEntry ? readBase64(lines[0]?.slice(6) ?? "") : undefined;
  const [index = "", ...hashes] = lines.slice(hasEntry ? 1 : 0);
  const seq = index.startsWith("index ") ? readDecimal(index.slice(6)) : undefined;
  if (first !== FIRST_LINE) throw bad(`the first line is not ${FIRST_LINE}`);
  if (hasEntry && entry === undefined) throw bad("no entry after `extra` on the second line");
  if (seq === undefined) throw bad("no number after `index`");
  if (hashes.length > PATH_MAX) throw bad("too many hashes");
  const path = hashes.flatMap((line) => readBase64(line) ?? []);
  if (path.length !== hashes.length || path.some((hash) => hash.length !== HASH_BYTES)) {
    throw bad("a line is no hash");
  }
  return { seq, entry, path, checkpoint: text.slice(split + 2) };
}
