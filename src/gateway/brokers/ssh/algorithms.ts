/**
 * What is offered on both sides. AES-GCM first: ssh2's chacha20-poly1305 is broken on the OpenSSL of Node 24,
 * and Terrapin (CVE-2023-48795) does not concern GCM. CTR only with keys that reset the sequence numbers. No
 * group exchange, in which the server chooses primes of any size; no SHA-1; no compression.
 *
 * @module
 */
import type { Algorithms } from "ssh2";
import type { PinnedKey } from "../../../protocols/index.ts";

export const ALGORITHMS = {
  kex: [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group14-sha256",
  ],
  cipher: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr"],
  hmac: ["hmac-sha2-256", "hmac-sha2-512"],
  compress: ["none"],
} as const satisfies Algorithms;

/** Whether the negotiated cipher is one for which strict keys matter. */
export function needsStrictKeys(negotiated: {
  readonly cs: { readonly cipher: string };
  readonly sc: { readonly cipher: string };
}): boolean {
  return ![negotiated.cs.cipher, negotiated.sc.cipher].every((cipher) => cipher.includes("gcm"));
}

/** The host key algorithms that a server with one of `keys` can prove one with. */
export function hostKeyAlgorithms(
  keys: readonly PinnedKey[],
): NonNullable<Algorithms["serverHostKey"]> {
  const names = keys.flatMap(({ algorithm }) =>
    algorithm === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [algorithm],
  );
  return [...new Set(names)] as NonNullable<Algorithms["serverHostKey"]>;
}
