/**
 * OpenSSH user certificates for ed25519 keys (OpenSSH PROTOCOL.certkeys), made for one lease and minutes long.
 *
 * ```
 * string "ssh-ed25519-cert-v01@openssh.com" | string nonce | string pk | uint64 serial | uint32 type (1: user)
 * string key id | string principals | uint64 valid after | uint64 valid before
 * string critical options | string extensions | string reserved | string signature key | string signature
 * ```
 *
 * @module
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from "node:crypto";
import { Fault } from "../base/index.ts";

const KEY = "ssh-ed25519";
const CERTIFICATE = "ssh-ed25519-cert-v01@openssh.com";
const USER = 1;
const PRINCIPALS_MAX = 256; // SSHKEY_CERT_MAX_PRINCIPALS
const LIFETIME_SECONDS_MAX = 24 * 60 * 60;
/** `SEQUENCE { version, AlgorithmIdentifier ed25519, OCTET STRING { OCTET STRING } }` ahead of a seed (RFC 8410). */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

/** What a certificate says. Times in seconds since 1970. */
export interface SshCertificateOptions {
  /** The authority's ed25519 key without a passphrase: PKCS 8 or OpenSSH's own form. */
  readonly caPrivateKey: string;
  /** The key that is certified: `ssh-ed25519 AAAA...`. */
  readonly publicKey: string;
  /** What the server's log says of whoever logs in. */
  readonly keyId: string;
  /** Accounts, or names that the server maps to accounts; at least one, as none would mean all. */
  readonly principals: readonly string[];
  readonly validAfter: number;
  readonly validBefore: number;
  readonly criticalOptions?: {
    /** Runs this, whatever is asked for. */
    readonly "force-command"?: string;
    /** Comma-separated addresses and CIDR blocks. */
    readonly "source-address"?: string;
  };
  /** What OpenSSH would otherwise allow; none by default, so no forwarding, no terminal, no rc file. */
  readonly extensions?: readonly ("permit-pty" | "permit-user-rc")[];
  readonly serial?: bigint;
  /** 32 random bytes by default. */
  readonly nonce?: Uint8Array;
}

/**
 * Mints a certificate: one line, as in a file of `ssh-keygen -s`.
 *
 * @throws {Fault} `vault.ssh_certificate` where a key is not ed25519, nobody is named, or it would hold too long.
 */
export function mintSshCertificate(options: SshCertificateOptions): string {
  const { keyId, principals, validAfter, validBefore, serial = 0n } = options;
  const { criticalOptions = {}, extensions = [], nonce = randomBytes(32) } = options;
  if (principals.length === 0 || principals.length > PRINCIPALS_MAX || principals.includes("")) {
    throw fault(
      "it must name whom it is for",
      "name the accounts: a certificate without any is for all",
    );
  }
  const lifetime = validBefore - validAfter;
  if (!(lifetime > 0 && lifetime <= LIFETIME_SECONDS_MAX)) {
    throw fault(
      "it must hold for a day at most",
      "minutes are enough: it is made anew for each task",
    );
  }
  const authority = readAuthority(options.caPrivateKey);
  const critical = Object.entries(criticalOptions)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const body = Buffer.concat([
    text(CERTIFICATE),
    text(Buffer.from(nonce)),
    text(rawOfLine(options.publicKey)),
    uint64(serial),
    uint32(USER),
    text(keyId),
    text(Buffer.concat(principals.map(text))),
    uint64(BigInt(validAfter)),
    uint64(BigInt(validBefore)),
    text(Buffer.concat(critical.flatMap(([name, value]) => [text(name), text(text(value))]))),
    text(Buffer.concat([...new Set(extensions)].sort().flatMap((name) => [text(name), text("")]))),
    text(""),
    text(blobOf(rawOf(authority))),
  ]);
  const signature = Buffer.concat([text(KEY), text(sign(null, body, authority))]);
  return `${CERTIFICATE} ${Buffer.concat([body, text(signature)]).toString("base64")}`;
}

/** A fresh key for one lease: PKCS 8, and the line that is certified. */
export function createSshKey(): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  return {
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKey: sshPublicKey(privateKey),
  };
}

/** The line of an authority, for a server's `TrustedUserCAKeys`. @throws {Fault} `vault.ssh_certificate` */
export function sshAuthorityLine(caPrivateKey: string): string {
  return sshPublicKey(readAuthority(caPrivateKey));
}

function sshPublicKey(key: KeyObject): string {
  return `${KEY} ${blobOf(rawOf(key)).toString("base64")}`;
}

function readAuthority(pem: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = pem.includes("OPENSSH PRIVATE KEY") ? fromOpenssh(pem) : createPrivateKey(pem);
  } catch {
    key = undefined; // What is thrown may hold some of the key.
  }
  if (key?.asymmetricKeyType !== "ed25519") {
    throw fault(
      "the authority's key is no ed25519 key without a passphrase",
      "make one: ssh-keygen -t ed25519 -N '' -f ca",
    );
  }
  return key;
}

/** PROTOCOL.key: one key, no cipher. */
function fromOpenssh(pem: string): KeyObject | undefined {
  const bytes = Buffer.from(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ""), "base64");
  const magic = "openssh-key-v1\0";
  if (bytes.toString("latin1", 0, magic.length) !== magic) return undefined;
  const outer = new Strings(bytes, magic.length);
  const [cipher, kdf] = [outer.next(), outer.next(), outer.next()];
  if (cipher?.toString() !== "none" || kdf?.toString() !== "none" || outer.number() !== 1) {
    return undefined;
  }
  outer.next();
  const inner = new Strings(outer.next() ?? Buffer.alloc(0), 8); // Two equal check numbers.
  if (inner.next()?.toString() !== KEY) return undefined;
  inner.next();
  const seed = inner.next()?.subarray(0, 32);
  if (seed?.length !== 32) return undefined;
  const der = Buffer.concat([PKCS8_HEAD, seed]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

class Strings {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  number(): number {
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  next(): Buffer {
    const length = this.number();
    const value = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }
}

function rawOf(key: KeyObject): Buffer {
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  return Buffer.from(x, "base64url");
}

function rawOfLine(line: string): Buffer {
  const [algorithm, base64 = ""] = line.trim().split(/\s+/);
  const blob = Buffer.from(base64, "base64");
  if (
    algorithm !== KEY ||
    blob.length !== 51 ||
    !blob.subarray(0, 19).equals(blobOf(Buffer.alloc(32)).subarray(0, 19))
  ) {
    throw fault("the key to certify is no ed25519 key", "write it as ssh-ed25519 AAAA...");
  }
  return blob.subarray(19);
}

function blobOf(raw: Buffer): Buffer {
  return Buffer.concat([text(KEY), text(raw)]);
}

/** An RFC 4251 string. */
function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function fault(why: string, hint: string): Fault {
  return new Fault("vault.ssh_certificate", `no SSH certificate: ${why}`, { hint });
}
