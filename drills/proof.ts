/**
 * Checks a proof that an entry is in the ledger, with nothing of Cofferdam's own code: C2SP
 * tlog-proof, signed note with Ed25519, and the inclusion proof of RFC 9162, 2.1.3.2.
 *
 *   c2sp.org/tlog-proof@v1
 *   extra <base64 of the entry>
 *   index <number>
 *   <base64 of a hash>, from the leaf's sibling up
 *
 *   <origin> / <size> / <base64 of the root>
 *
 *   — <name> <base64 of 4 bytes of key id and the signature>
 *
 * @module
 */
import { createHash, createPublicKey, verify } from "node:crypto";
import { isDeepStrictEqual } from "node:util";

/** Signature type of Ed25519 in a verifier key. */
const ED25519 = 1;
/** A verifier key: `name+hex key id+base64 of type and key`. */
const VERIFIER_KEY = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/;

/**
 * Why `proof` does not show that `entry` (as `cofferdam log --json` printed it, with its `seq`) is in
 * the log that `key` signs; undefined where it does.
 */
export function verifyProof(
  proof: string,
  key: string,
  entry: Readonly<Record<string, unknown>> & { readonly seq: number },
): string | undefined {
  const [head = "", body = "", signatures = ""] = proof.split("\n\n");
  const [version, extra = "", index = "", ...path] = head.split("\n");
  const [origin = "", size = "", root = ""] = body.split("\n");
  if (version !== "c2sp.org/tlog-proof@v1") return "it is no tlog-proof";
  if (index !== `index ${entry.seq}`) return "it is about another entry";
  const leaf = Buffer.from(extra.replace(/^extra /, ""), "base64");
  const { seq: _, ...event } = entry;
  if (!isDeepStrictEqual(parse(leaf), event)) return "its entry is not the one the log printed";
  const hashes = path.map((line) => Buffer.from(line, "base64"));
  const computed = rootOf(leaf, entry.seq, Number(size), hashes);
  if (computed?.toString("base64") !== root) return "the hashes do not lead to the root";
  if (!isSigned(`${body}\n`, signatures, origin, key))
    return "the checkpoint is not signed by the key";
  return undefined;
}

/** The root of a tree of `size` leaves in which `leaf` is number `index`; undefined if it cannot be. */
function rootOf(
  leaf: Buffer,
  index: number,
  size: number,
  path: readonly Buffer[],
): Buffer | undefined {
  let node = sha256(Buffer.of(0), leaf);
  let position = index;
  let last = size - 1;
  if (!(position <= last)) return undefined;
  for (const hash of path) {
    if (last === 0) return undefined; // More hashes than levels.
    if (position % 2 === 1 || position === last) {
      node = sha256(Buffer.of(1), hash, node);
      // A last node without a sibling goes up unchanged until it is somebody's right child.
      while (position % 2 === 0 && position !== 0) {
        position = Math.floor(position / 2);
        last = Math.floor(last / 2);
      }
    } else node = sha256(Buffer.of(1), node, hash);
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? node : undefined;
}

function isSigned(text: string, signatures: string, origin: string, key: string): boolean {
  const [, name = "", id = "", encoded = ""] = VERIFIER_KEY.exec(key.trim()) ?? [];
  const typed = Buffer.from(encoded, "base64");
  const expected = sha256(Buffer.from(`${name}\n`), typed).subarray(0, 4);
  if (name !== origin || typed[0] !== ED25519 || expected.toString("hex") !== id) return false;
  const x = typed.subarray(1).toString("base64url");
  const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return signatures.split("\n").some((line) => {
    const [dash, signer, value = ""] = line.split(" ");
    const bytes = Buffer.from(value, "base64");
    if (dash !== "\u2014" || signer !== name || !bytes.subarray(0, 4).equals(expected))
      return false;
    return verify(null, Buffer.from(text), publicKey, bytes.subarray(4));
  });
}

function sha256(...parts: readonly Buffer[]): Buffer {
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined; // Equal to no entry.
  }
}
