/**
 * Stores of roots beside the bundle, for programs that read no PEM bundle: Java's key store, browsers'
 * policies, OpenSSL's folder. They are files of the run's /etc and exist nowhere else (docs/decisions/0110).
 *
 * @module
 */
import { createHash, X509Certificate } from "node:crypto";
import { certificatesOf } from "./client-trust.ts";
import * as der from "./der.ts";

/** Where Java finds the store: what the JDKs of Debian, Arch and Fedora link to. */
const JAVA_STORES = ["ssl/certs/java/cacerts", "pki/java/cacerts"] as const;
/** Chromium and what is built on it; each of them reads only its own. */
const CHROMIUM_POLICIES = [
  "chromium",
  "opt/chrome",
  "opt/chrome_for_testing",
  "opt/edge",
  "brave",
] as const;
const AUTHORITY_ALONE = "ssl/cofferdam-authority.pem";

/** The stores, by their paths below /etc. */
export function trustStores(
  authorityPem: string,
  bundlePem: string,
): Readonly<Record<string, string | Buffer>> {
  const authority = new X509Certificate(authorityPem).raw;
  const roots = certificatesOf(bundlePem).flatMap(readRoot);
  const chromium = JSON.stringify({ CACertificates: [authority.toString("base64")] });
  const firefox = JSON.stringify({
    policies: { Certificates: { Install: [`/etc/${AUTHORITY_ALONE}`] } },
  });
  return Object.fromEntries([
    [AUTHORITY_ALONE, authorityPem],
    [`ssl/certs/${subjectHash(authorityPem)}.0`, authorityPem],
    ...JAVA_STORES.map((path) => [path, javaStore(roots)] as const),
    ...CHROMIUM_POLICIES.map((of) => [`${of}/policies/managed/cofferdam.json`, chromium] as const),
    ["firefox/policies/policies.json", firefox],
  ]);
}

/** None for a root of the host that cannot be read: one of them would make Java refuse all. */
function readRoot(pem: string): readonly Buffer[] {
  try {
    return [new X509Certificate(pem).raw];
  } catch {
    return [];
  }
}

const JKS_MAGIC = 0xfeed_feed;
const JKS_VERSION = 2;
const JKS_TRUSTED = 2; // A certificate without a key.
const JKS_PASSWORD = "changeit"; // What every JDK expects of its own store: a check sum, no secret.

/**
 * A Java key store (JKS, as sun.security.provider.JavaKeyStore reads and writes it) of trusted certificates:
 *
 *     magic u4, version u4, count u4, entries, SHA-1 over the password in UTF-16, "Mighty Aphrodite" and all before
 *     entry: tag u4, alias (length u2, text), ms since 1970 u8, type (length u2, "X.509"), length u4, DER
 *
 * Every Java reads it, also where the default type is PKCS #12.
 */
export function javaStore(certificates: readonly Buffer[]): Buffer {
  const entries = certificates.map((certificate, n) =>
    Buffer.concat([
      u4(JKS_TRUSTED),
      text(`root-${n}`),
      Buffer.alloc(8),
      text("X.509"),
      u4(certificate.length),
      certificate,
    ]),
  );
  const body = Buffer.concat([u4(JKS_MAGIC), u4(JKS_VERSION), u4(entries.length), ...entries]);
  const password = Buffer.from(JKS_PASSWORD, "utf16le").swap16();
  const digest = createHash("sha1").update(password).update("Mighty Aphrodite").update(body);
  return Buffer.concat([body, digest.digest()]);
}

function u4(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

const COMMON_NAME = "2.5.4.3";

/**
 * The name of a certificate's file in OpenSSL's folder, without `.0`: the first four bytes, last first, of SHA-1 over
 * the subject in OpenSSL's canonical form (x509_name_canon: UTF-8, lower case, no outer sequence). Only for a
 * subject of one common name, as our authority has.
 */
export function subjectHash(pem: string): string {
  const name = new X509Certificate(pem).subject.replace(/^CN=/, "");
  const value = der.utf8String(name.toLowerCase());
  const canonical = der.set(der.sequence(der.objectIdentifier(COMMON_NAME), value));
  const digest = createHash("sha1").update(canonical).digest();
  return digest.readUInt32LE(0).toString(16).padStart(8, "0");
}
