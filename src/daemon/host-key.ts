/**
 * The SSH host key of a run: its clients know it for every name, so none of them asks whether to trust a server,
 * and none takes another for it.
 *
 * @module
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";

const TYPE = "ssh-ed25519"; // RFC 8709.

/** A fresh key, as PEM (PKCS 8). */
export function createHostKey(): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** The line of a known_hosts file (sshd(8)) by which clients know `pem` for every name and port. */
export function knownHostsLine(pem: string): string {
  const { x = "" } = createPublicKey(createPrivateKey(pem)).export({ format: "jwk" });
  const blob = Buffer.concat([lengthed(Buffer.from(TYPE)), lengthed(Buffer.from(x, "base64url"))]);
  return `* ${TYPE} ${blob.toString("base64")} cofferdam\n`;
}

/** An RFC 4251 string. */
function lengthed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
