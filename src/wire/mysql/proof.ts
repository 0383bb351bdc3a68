/**
 * How a password is proved to a MySQL server (https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods.html).
 *
 * @module
 */
import { constants, createHash, createPublicKey, publicEncrypt } from "node:crypto";

const sum = (kind: string, ...parts: readonly Buffer[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash(kind)).digest();

function mixed(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, at) => byte ^ (other[at % other.length] ?? 0)));
}

/** mysql_native_password: SHA1(p) xor SHA1(scramble + SHA1(SHA1(p))). */
export function nativeProof(password: string, scramble: Buffer): Buffer {
  if (password === "") return Buffer.alloc(0);
  const once = sum("sha1", Buffer.from(password));
  return mixed(once, sum("sha1", scramble, sum("sha1", once)));
}

/** caching_sha2_password: SHA256(p) xor SHA256(SHA256(SHA256(p)) + scramble). */
export function sha2Proof(password: string, scramble: Buffer): Buffer {
  if (password === "") return Buffer.alloc(0);
  const once = sum("sha256", Buffer.from(password));
  return mixed(once, sum("sha256", sum("sha256", once), scramble));
}

/** The password for a server of which `key` (PEM) is known to be its own. */
export function sealedPassword(password: string, scramble: Buffer, key: string): Buffer {
  const text = mixed(Buffer.from(`${password}\0`), scramble);
  return publicEncrypt(
    { key: createPublicKey(key), padding: constants.RSA_PKCS1_OAEP_PADDING },
    text,
  );
}
