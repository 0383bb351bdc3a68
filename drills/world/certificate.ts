/**
 * A test certificate authority and one server certificate, so that the drill's web service is a real
 * TLS peer that has to be verified. X.509 v3, ECDSA P-256 (RFC 5280, RFC 5480), written here because
 * the drill shares no code with what it tests and the host may have no `openssl`.
 *
 * @module
 */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";

/** PEM texts: what to trust, and what the server shows and holds. */
export interface TestCertificate {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

const ECDSA_SHA256 = sequence(oid(1, 2, 840, 10045, 4, 3, 2));
const DAY_MS = 86_400_000;

/** Makes an authority of its own and a certificate of it for `names`, valid for one day. */
export function createTestCertificate(names: readonly string[]): TestCertificate {
  const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const server = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = commonName("Cofferdam drill authority");
  const ca = certify({
    issuer,
    subject: issuer,
    publicKey: authority.publicKey,
    signer: authority.privateKey,
    extensions: [
      extension(oid(2, 5, 29, 19), sequence(Buffer.from([0x01, 0x01, 0xff])), true), // CA:TRUE
      extension(oid(2, 5, 29, 15), Buffer.from([0x03, 0x02, 0x01, 0x06]), true), // keyCertSign, cRLSign
    ],
  });
  const alternative = names.map((name) => tagged(0x82, Buffer.from(name, "ascii")));
  const certificate = certify({
    issuer,
    subject: commonName(names[0] ?? "drill"),
    publicKey: server.publicKey,
    signer: authority.privateKey,
    extensions: [
      extension(oid(2, 5, 29, 17), sequence(...alternative), false),
      extension(oid(2, 5, 29, 37), sequence(oid(1, 3, 6, 1, 5, 5, 7, 3, 1)), false), // serverAuth
    ],
  });
  const key = server.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { ca: pem(ca), certificate: pem(certificate), key };
}

function certify(of: {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly extensions: readonly Buffer[];
}): Buffer {
  const now = Date.now();
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))), // version 3
    tagged(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(15)])), // serial, positive
    ECDSA_SHA256,
    of.issuer,
    sequence(time(now - DAY_MS), time(now + DAY_MS)),
    of.subject,
    of.publicKey.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...of.extensions)),
  );
  const signature = sign("sha256", body, of.signer);
  return sequence(body, ECDSA_SHA256, tagged(0x03, Buffer.concat([Buffer.alloc(1), signature])));
}

function commonName(name: string): Buffer {
  const text = tagged(0x0c, Buffer.from(name, "utf8"));
  return sequence(tagged(0x31, sequence(oid(2, 5, 4, 3), text)));
}

function extension(id: Buffer, value: Buffer, critical: boolean): Buffer {
  const flag = critical ? Buffer.from([0x01, 0x01, 0xff]) : Buffer.alloc(0);
  return sequence(id, flag, tagged(0x04, value));
}

function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replaceAll(/[-:T]/g, "").slice(2, 14);
  return tagged(0x17, Buffer.from(`${text}Z`, "ascii")); // UTCTime: good until 2049
}

function oid(...arcs: readonly number[]): Buffer {
  const [first = 0, second = 0, ...rest] = arcs;
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tagged(0x06, Buffer.from(bytes));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").replaceAll(/(.{64})/g, "$1\n");
  return `-----BEGIN CERTIFICATE-----\n${lines.trimEnd()}\n-----END CERTIFICATE-----\n`;
}
