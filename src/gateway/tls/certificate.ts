/**
 * Makes the two kinds of X.509 certificate (RFC 5280) that Cofferdam needs: its authority's own, and
 * the one of a single host, both with EC P-256 and ECDSA with SHA-256.
 *
 * @module
 */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from "node:crypto";
import { isIP, isIPv4, SocketAddress } from "node:net";
import { assert, Fault } from "../../base/index.ts";
import { canonicalHost } from "../../policy/index.ts";
import * as der from "./der.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long the authority is valid: as long as an installation may live. */
const AUTHORITY_MS = 3650 * DAY_MS;
/** How long a host's certificate is valid; clients refuse more than 398 days. */
export const LEAF_MS = 7 * DAY_MS;
/** Clocks inside a run are the host's; this forgives a step back, by NTP or a suspended machine. */
const BACKDATED_MS = HOUR_MS;

const OID = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAlternativeName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;

const KEY_USAGE_DIGITAL_SIGNATURE = 0;
const KEY_USAGE_CERT_SIGN = 5;

/** Who signs: a private key and the name that stands in its certificate. */
export interface Issuer {
  readonly key: KeyObject;
  /** The common name, which is the whole name. */
  readonly name: string;
  /** When the issuer's own certificate ends, in wall milliseconds. */
  readonly untilMs: number;
}

/** A certificate with its private key. */
export interface Leaf {
  readonly key: KeyObject;
  readonly certificatePem: string;
  readonly untilMs: number;
}

/** A new EC P-256 key. */
export function createKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
}

/** A name for an authority with this key, unique to it. */
export function authorityName(key: KeyObject): string {
  return `Cofferdam CA ${keyIdentifier(publicBytes(key)).toString("hex", 0, 4)}`;
}

/** The self-signed certificate of an authority that may sign hosts only (path length 0). */
export function createAuthorityCertificate(key: KeyObject, wallMs: number): string {
  const spki = publicBytes(key);
  const name = nameOf(authorityName(key));
  return signed(key, {
    issuer: name,
    subject: name,
    validity: der.sequence(der.time(wallMs - BACKDATED_MS), der.time(wallMs + AUTHORITY_MS)),
    spki,
    extensions: [
      extension(OID.basicConstraints, true, der.sequence(der.boolean(true), der.integer(0n))),
      extension(OID.keyUsage, true, der.namedBits(KEY_USAGE_CERT_SIGN)),
      extension(OID.subjectKeyIdentifier, false, der.octetString(keyIdentifier(spki))),
    ],
  });
}

/**
 * A certificate for `host` alone, with a key of its own.
 *
 * @throws {Fault} `tls.host` where `host` is neither a canonical host name nor a canonical address.
 */
export function createLeaf(issuer: Issuer, host: string, wallMs: number): Leaf {
  const name = alternativeName(host);
  const key = createKey();
  const spki = publicBytes(key);
  const untilMs = Math.min(wallMs + LEAF_MS, issuer.untilMs);
  const certificatePem = signed(issuer.key, {
    issuer: nameOf(issuer.name),
    // Empty: the one name stands in one place, which is then critical (RFC 5280, 4.2.1.6).
    subject: der.sequence(),
    validity: der.sequence(der.time(wallMs - BACKDATED_MS), der.time(untilMs)),
    spki,
    extensions: [
      extension(OID.basicConstraints, true, der.sequence()),
      extension(OID.keyUsage, true, der.namedBits(KEY_USAGE_DIGITAL_SIGNATURE)),
      extension(OID.extendedKeyUsage, false, der.sequence(der.objectIdentifier(OID.serverAuth))),
      extension(OID.subjectAlternativeName, true, der.sequence(name)),
      extension(OID.subjectKeyIdentifier, false, der.octetString(keyIdentifier(spki))),
      extension(
        OID.authorityKeyIdentifier,
        false,
        der.sequence(der.implicit(0, keyIdentifier(publicBytes(issuer.key)))),
      ),
    ],
  });
  return { key, certificatePem, untilMs };
}

/** GeneralName: `[2]` dNSName, `[7]` iPAddress of 4 or 16 bytes (RFC 5280, 4.2.1.6). */
function alternativeName(host: string): Buffer {
  if (canonicalHost(host) === host) return der.implicit(2, Buffer.from(host, "latin1"));
  if (isIP(host) !== 0 && SocketAddress.parse(`[${host}]`)?.address === host) {
    return der.implicit(7, ipv6Bytes(host));
  }
  if (isIPv4(host)) return der.implicit(7, Buffer.from(host.split(".").map(Number)));
  const shown = JSON.stringify(host.length > 80 ? `${host.slice(0, 80)}...` : host);
  throw new Fault("tls.host", `no certificate can name ${shown}`, {
    hint: "a certificate names one host in lower case, or one address in its shortest form",
  });
}

function ipv6Bytes(address: string): Buffer {
  const [, dotted] = /:(\d+\.\d+\.\d+\.\d+)$/.exec(address) ?? [];
  const tail = dotted?.split(".").map(Number) ?? [];
  const groups = dotted === undefined ? address : address.slice(0, -dotted.length - 1);
  const [left = [], right] = groups
    .split("::")
    .map((half) => half.split(":").filter((group) => group !== ""));
  const bytes = Buffer.alloc(16);
  const write = (at: number, group: string) => bytes.writeUInt16BE(Number.parseInt(group, 16), at);
  left.forEach((group, n) => write(2 * n, group));
  const start = 16 - tail.length - 2 * (right?.length ?? 0);
  right?.forEach((group, n) => write(start + 2 * n, group));
  Buffer.from(tail).copy(bytes, 16 - tail.length);
  return bytes;
}

/** SubjectPublicKeyInfo of a key, in DER. */
function publicBytes(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}

const POINT_BYTES = 65; // An uncompressed point of P-256, which ends its SubjectPublicKeyInfo.

/** RFC 7093, 2 (1): the leftmost 160 bits of the SHA-256 of the public key's bits. */
function keyIdentifier(spki: Buffer): Buffer {
  assert(spki.length > POINT_BYTES && spki.at(-POINT_BYTES) === 4, "tls: an EC P-256 key");
  return createHash("sha256").update(spki.subarray(-POINT_BYTES)).digest().subarray(0, 20);
}

function nameOf(commonName: string): Buffer {
  const attribute = der.sequence(der.objectIdentifier(OID.commonName), der.utf8String(commonName));
  return der.sequence(der.set(attribute));
}

function extension(oid: string, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [der.boolean(true)] : [];
  return der.sequence(der.objectIdentifier(oid), ...flag, der.octetString(value));
}

interface Content {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly validity: Buffer;
  readonly spki: Buffer;
  readonly extensions: readonly Buffer[];
}

const VERSION_3 = 2n; // RFC 5280, 4.1.2.1.

/** TBSCertificate, its algorithm and its signature (RFC 5280, 4.1), as PEM. */
function signed(key: KeyObject, content: Content): string {
  const algorithm = der.sequence(der.objectIdentifier(OID.ecdsaWithSha256));
  const toSign = der.sequence(
    der.explicit(0, der.integer(VERSION_3)),
    der.integer(randomSerial()),
    algorithm,
    content.issuer,
    content.validity,
    content.subject,
    content.spki,
    der.explicit(3, der.sequence(...content.extensions)),
  );
  const signature = sign("sha256", toSign, key);
  return toPem(der.sequence(toSign, algorithm, der.bitString(signature)));
}

/** 127 random bits after a one: never zero, in practice never equal, at most 20 bytes in DER. */
function randomSerial(): bigint {
  return BigInt(`0x${randomBytes(16).toString("hex")}`) | (1n << 127n);
}

function toPem(bytes: Buffer): string {
  const lines = bytes.toString("base64").replaceAll(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
