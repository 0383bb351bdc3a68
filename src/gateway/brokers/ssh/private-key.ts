/**
 * Private keys in the forms that people and the vault have them, for ssh2: it reads OpenSSH's own form and the
 * old ones, and no PKCS 8.
 *
 * @module
 */
import { createPrivateKey, randomBytes } from "node:crypto";
import ssh2 from "ssh2";
import type { ParsedKey } from "ssh2";
import { Fault } from "../../../base/index.ts";

const MAGIC = Buffer.from("openssh-key-v1\0");
const BLOCK = 8; // PROTOCOL.key: without a cipher, padded to this.

/**
 * Reads a private key: PKCS 8, PKCS 1, SEC 1 or OpenSSH's form, without a passphrase.
 *
 * @throws {Fault} `ssh.credential`
 */
export function readPrivateKey(text: string): ParsedKey {
  const key = ssh2.utils.parseKey(readableKey(text));
  const first = Array.isArray(key) ? key[0] : key;
  if (first instanceof Error || first === undefined || !first.isPrivateKey()) {
    throw new Fault("ssh.credential", "the private key cannot be read", {
      hint: "store it without a passphrase: ssh-keygen -p -N '' -f FILE",
    });
  }
  return first;
}

/** The same key in a form that ssh2 reads. */
export function readableKey(text: string): string {
  return text.includes("BEGIN PRIVATE KEY") ? fromPkcs8(text) : text;
}

function fromPkcs8(text: string): string {
  try {
    const key = createPrivateKey(text);
    switch (key.asymmetricKeyType) {
      case "ed25519":
        return opensshKey(key.export({ format: "jwk" }));
      case "rsa":
        return key.export({ format: "pem", type: "pkcs1" }).toString();
      case "ec":
        return key.export({ format: "pem", type: "sec1" }).toString();
      default:
        return "";
    }
  } catch {
    return ""; // What it says of the key may hold some of it.
  }
}

/** PROTOCOL.key of OpenSSH: one ed25519 key, no cipher. */
function opensshKey({ d = "", x = "" }: { readonly d?: string; readonly x?: string }): string {
  const secret = Buffer.from(d, "base64url");
  const open = Buffer.from(x, "base64url");
  const blob = Buffer.concat([text("ssh-ed25519"), text(open)]);
  const check = randomBytes(4);
  const inner = Buffer.concat([
    check,
    check,
    text("ssh-ed25519"),
    text(open),
    text(Buffer.concat([secret, open])),
    text(""),
  ]);
  const padding = Buffer.from(
    Array.from({ length: (BLOCK - (inner.length % BLOCK)) % BLOCK }, (_, at) => at + 1),
  );
  const whole = Buffer.concat([
    MAGIC,
    text("none"),
    text("none"),
    text(""),
    uint32(1),
    text(blob),
    text(Buffer.concat([inner, padding])),
  ]);
  const lines = whole.toString("base64").replaceAll(/.{70}/g, "$&\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
