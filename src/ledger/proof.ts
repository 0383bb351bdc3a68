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
 * `extra` is not authenticated by the format; here it is, since the leaf's hash is taken from it.
 *
 * @module
 */
import type { Event } from "../action/index.ts";
import { Fault } from "../base/index.ts";
import { decodeEvent } from "./entry.ts";
import { HASH_BYTES, leafHash, rootOfPath } from "./merkle.ts";
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
export interface Proven {
  readonly seq: number;
  readonly event: Event;
  readonly origin: string;
  /** The size of the log that the entry was shown to be in. */
  readonly size: number;
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
  const checkpoint = openCheckpoint(proof.checkpoint, parseVerifierKey(publicKey));
  const place = { index: proof.seq, size: checkpoint.size };
  const root = rootOfPath(leafHash(proof.entry), place, proof.path);
  if (root?.equals(checkpoint.root) !== true) {
    throw bad("entry, place and hashes do not lead to the checkpoint's root");
  }
  const event = decodeEvent(proof.entry, proof.seq);
  return { seq: proof.seq, event, origin: checkpoint.origin, size: checkpoint.size };
}

function parseProof(text: string): Proof {
  const split = text.indexOf("\n\n");
  const [first, extra = "", index = "", ...hashes] = text.slice(0, Math.max(split, 0)).split("\n");
  const entry = extra.startsWith("extra ") ? readBase64(extra.slice(6)) : undefined;
  const seq = index.startsWith("index ") ? readDecimal(index.slice(6)) : undefined;
  if (first !== FIRST_LINE) throw bad(`the first line is not ${FIRST_LINE}`);
  if (entry === undefined) throw bad("no entry after `extra` on the second line");
  if (seq === undefined) throw bad("no number after `index` on the third line");
  if (hashes.length > PATH_MAX) throw bad("too many hashes");
  const path = hashes.flatMap((line) => readBase64(line) ?? []);
  if (path.length !== hashes.length || path.some((hash) => hash.length !== HASH_BYTES)) {
    throw bad("a line is no hash");
  }
  return { seq, entry, path, checkpoint: text.slice(split + 2) };
}
