/**
 * The authority that runs trust: a key of this installation's own, kept in one file, and a certificate
 * per host that is made when a run first speaks TLS to it.
 *
 * The key never leaves the daemon, and no program outside a run trusts it. A file that is not as it was
 * written is refused, never replaced: a new authority would look like an attack to every run that goes
 * on, and would hide that somebody touched the old one (docs/decisions/0033).
 *
 * @module
 */
import { constants as openssl, createPrivateKey, randomBytes, X509Certificate } from "node:crypto";
import { constants as fs } from "node:fs";
import { link, open, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";
import { Fault, systemClock, type Clock } from "../../base/index.ts";
import {
  authorityName,
  createAuthorityCertificate,
  createKey,
  createLeaf,
  LEAF_MS,
  type Issuer,
} from "./certificate.ts";

/** The file within the directory: the private key (PKCS #8) and the certificate, both PEM, 0600. */
export const AUTHORITY_FILE = "authority.pem";
/** Hosts whose certificate is kept ready; each takes some 50 KiB. A busy run speaks to some dozens. */
export const CONTEXTS_MAX = 512;

const FILE_BYTES_MAX = 16_384;
/** A certificate is made anew when this much of its life is left. */
const RENEW_MS = LEAF_MS / 2;

/** Vouches for hosts towards runs. */
export interface CertificateAuthority {
  /** Its certificate, for {@link trustBundle}. */
  readonly certificatePem: string;
  /**
   * What answers a TLS handshake as `host`, TLS 1.2 or newer; the same object for the same host until
   * its certificate is renewed.
   *
   * @throws {Fault} `tls.host` where `host` is neither a canonical host name nor a canonical address.
   */
  contextFor(host: string): SecureContext;
  /**
   * A new certificate for `host` and its key, for a process that answers in this one's place: the
   * authority's own key stays here.
   *
   * @throws {Fault} `tls.host`
   */
  leafFor(host: string): Leaf;
}

/** A certificate for one host. */
export interface Leaf {
  readonly keyPem: string;
  readonly certificatePem: string;
  /** It must be made anew from this moment on (wall clock). */
  readonly renewMs: number;
}

export interface AuthorityOptions {
  readonly clock?: Clock;
  readonly contextsMax?: number;
}

/**
 * Opens the authority in `dir`, which exists; makes one where there is none.
 *
 * @throws {Fault} `tls.authority_access` where file or directory could be read or changed by others,
 *   `tls.authority_corrupt` where the file is not what was written, `tls.authority_expired`.
 */
export async function openAuthority(
  dir: string,
  { clock = systemClock, contextsMax = CONTEXTS_MAX }: AuthorityOptions = {},
): Promise<CertificateAuthority> {
  const path = join(dir, AUTHORITY_FILE);
  const { wallMs } = clock.now();
  const text = (await readPrivate(dir, path)) ?? (await createFile(dir, path, wallMs));
  const { issuer, certificatePem } = parseAuthority(text, path, wallMs);
  const contexts = new Map<string, { readonly context: SecureContext; readonly leaf: Leaf }>();
  return {
    certificatePem,
    contextFor(host) {
      const { wallMs: nowMs } = clock.now();
      const known = contexts.get(host);
      contexts.delete(host); // Set again below: the last of the map is the latest used.
      const entry =
        known !== undefined && isFresh(known.leaf, nowMs)
          ? known
          : withContext(leafOf(issuer, host, nowMs));
      contexts.set(host, entry);
      for (const oldest of contexts.keys()) {
        if (contexts.size <= contextsMax) break;
        contexts.delete(oldest);
      }
      return entry.context;
    },
    leafFor: (host) => leafOf(issuer, host, clock.now().wallMs),
  };
}

function withContext(leaf: Leaf) {
  return { leaf, context: leafContext(leaf) };
}

/** Reports whether `leaf` may still answer; one from the future says that the clock was set back. */
export function isFresh({ renewMs }: Leaf, wallMs: number): boolean {
  return wallMs < renewMs && renewMs - wallMs <= LEAF_MS - RENEW_MS;
}

/** What answers a handshake with `leaf`: TLS 1.2 or newer. */
export function leafContext({ keyPem, certificatePem }: Leaf): SecureContext {
  return createSecureContext({
    key: keyPem,
    cert: certificatePem,
    minVersion: "TLSv1.2",
    // No session outlives its connection, so none can be resumed under another name.
    secureOptions: openssl.SSL_OP_NO_TICKET | openssl.SSL_OP_NO_RENEGOTIATION,
  });
}

function leafOf(issuer: Issuer, host: string, wallMs: number): Leaf {
  const { key, certificatePem, untilMs } = createLeaf(issuer, host, wallMs);
  const keyPem = key.export({ type: "pkcs8", format: "pem" }).toString();
  return { keyPem, certificatePem, renewMs: untilMs - RENEW_MS };
}

/** The file's text, after proof that nobody else could have written it; `undefined` where it is absent. */
async function readPrivate(dir: string, path: string): Promise<string | undefined> {
  await using folder = await open(dir, fs.O_RDONLY | fs.O_DIRECTORY);
  await requireOwn(folder, dir, 0o022, "chmod 0700");
  let file: FileHandle;
  try {
    file = await open(path, fs.O_RDONLY | fs.O_NOFOLLOW | fs.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return undefined;
    throw new Fault("tls.authority_access", `cannot open ${path} (${String(code)})`, {
      hint: "it must be a plain file of the user that runs Cofferdam, with mode 0600",
      cause: error,
    });
  }
  await using handle = file;
  await requireOwn(handle, path, 0o077, "check who could read it; then chmod 0600");
  const status = await handle.stat();
  if (!status.isFile() || status.size > FILE_BYTES_MAX)
    throw corrupt(path, "not a small plain file");
  return handle.readFile("utf8");
}

async function requireOwn(handle: FileHandle, path: string, forbidden: number, fix: string) {
  const { uid, mode } = await handle.stat();
  if (uid === process.geteuid?.() && (mode & forbidden) === 0) return;
  const shown = (mode & 0o7777).toString(8).padStart(4, "0");
  throw new Fault("tls.authority_access", `${path} has owner ${uid} and mode ${shown}`, {
    hint: `others could have touched the key that runs trust; ${fix}, or move it away for a new one`,
  });
}

/** Writes a new authority so that the file is whole or absent at any instant, and never overwritten. */
async function createFile(dir: string, path: string, wallMs: number): Promise<string> {
  const key = createKey();
  const pem = key.export({ type: "pkcs8", format: "pem" }).toString();
  const text = pem + createAuthorityCertificate(key, wallMs);
  const fresh = join(dir, `.${AUTHORITY_FILE}.${randomBytes(8).toString("hex")}`);
  try {
    {
      await using handle = await open(fresh, "wx", 0o600);
      await handle.writeFile(text);
      await handle.sync();
    }
    await link(fresh, path); // Fails where the file is there by now.
    await using folder = await open(dir, fs.O_RDONLY | fs.O_DIRECTORY);
    await folder.sync();
  } finally {
    await rm(fresh, { force: true });
  }
  return text;
}

const PARTS =
  /^(-----BEGIN PRIVATE KEY-----\n[^-]+-----END PRIVATE KEY-----\n)(-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n)$/;

function parseAuthority(
  text: string,
  path: string,
  wallMs: number,
): { readonly issuer: Issuer; readonly certificatePem: string } {
  const [, keyPem, certificatePem] = PARTS.exec(text) ?? [];
  if (keyPem === undefined || certificatePem === undefined) {
    throw corrupt(path, "not one private key and one certificate");
  }
  const { key, certificate } = readParts(keyPem, certificatePem, path);
  const isOurs =
    key.asymmetricKeyDetails?.namedCurve === "prime256v1" &&
    certificate.ca &&
    certificate.checkPrivateKey(key) &&
    certificate.verify(certificate.publicKey) &&
    certificate.subject === `CN=${authorityName(key)}` &&
    certificate.issuer === certificate.subject;
  if (!isOurs) throw corrupt(path, "key and certificate are not of one authority of Cofferdam's");
  const untilMs = certificate.validToDate.getTime();
  if (wallMs < certificate.validFromDate.getTime() || wallMs >= untilMs) {
    const range = `${certificate.validFrom} to ${certificate.validTo}`;
    throw new Fault("tls.authority_expired", `the authority in ${path} is valid from ${range}`, {
      hint: "check the clock; if it is right, stop all runs and move the file away for a new one",
    });
  }
  return { issuer: { key, name: authorityName(key), untilMs }, certificatePem };
}

function readParts(keyPem: string, certificatePem: string, path: string) {
  try {
    return { key: createPrivateKey(keyPem), certificate: new X509Certificate(certificatePem) };
  } catch (error) {
    // The cause is left out on purpose: OpenSSL's messages may quote what they could not read.
    void error;
    throw corrupt(path, "the key or the certificate cannot be read");
  }
}

function corrupt(path: string, why: string): Fault {
  return new Fault("tls.authority_corrupt", `${path}: ${why}`, {
    hint: "find out what changed it; then restore it, or move it away for a new authority",
  });
}
