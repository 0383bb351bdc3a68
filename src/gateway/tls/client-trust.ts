/**
 * By what a program inside a run comes to trust the run's authority: variables, and one bundle of roots.
 *
 * No single way reaches all programs: Node ignores the system's store, Rust and Go ignore Node's
 * variable, Python's `requests` brings roots of its own. So all are set, and the bundle also stands where
 * the system's does (docs/decisions/0034). Who reads no PEM bundle is reached by trust-stores.ts.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import type { CertificateAuthority } from "./authority.ts";

/** Variables that name a file of roots, with who reads each. */
export const TRUST_FILE_VARIABLES = {
  SSL_CERT_FILE: "OpenSSL, Go, Rust (native certs), Ruby, PHP, Bun, uv",
  NODE_EXTRA_CA_CERTS: "Node, Bun; added to what is built in",
  REQUESTS_CA_BUNDLE: "Python requests, conda, Azure CLI",
  CURL_CA_BUNDLE: "curl, and Python requests after its own",
  PIP_CERT: "pip",
  GIT_SSL_CAINFO: "git over HTTPS",
  AWS_CA_BUNDLE: "AWS CLI and SDKs",
  CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE: "gcloud",
  CARGO_HTTP_CAINFO: "cargo",
  DENO_CERT: "Deno; added to what is built in",
  NIX_SSL_CERT_FILE: "Nix and what it built",
  BUNDLE_SSL_CA_CERT: "Ruby's bundler",
  HEX_CACERTS_PATH: "Elixir's hex",
  PERL_LWP_SSL_CA_FILE: "Perl's LWP",
  HTTPLIB2_CA_CERTS: "Python httplib2",
  GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: "gRPC's C core",
} as const;

/** Variables that make a program read a store of the run's /etc: trust-stores.ts, or the bundle as the system's. */
export const TRUST_SWITCHES = {
  NODE_USE_SYSTEM_CA: "1",
  DENO_TLS_CA_STORE: "system",
  // A JDK from elsewhere than the distribution has a store of its own. Java says on stderr that it read this.
  JAVA_TOOL_OPTIONS: "-Djavax.net.ssl.trustStore=/etc/ssl/certs/java/cacerts",
} as const;

/** The variables by which programs trust the bundle at `bundlePath`, a path inside the run. */
export function clientTrust(bundlePath: string): Readonly<Record<string, string>> {
  const files = Object.keys(TRUST_FILE_VARIABLES).map((name) => [name, bundlePath] as const);
  return { ...Object.fromEntries(files), ...TRUST_SWITCHES };
}

/** Where distributions keep the system's roots as one file; the first that is there is read. */
export const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Arch, Alpine
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora
  "/etc/pki/tls/certs/ca-bundle.crt", // older Fedora, RHEL
  "/etc/ssl/ca-bundle.pem", // SUSE
  "/etc/ssl/cert.pem", // Alpine
] as const;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----/g;

/** The certificates in `pem`, each with its first and last line, and nothing else of it. */
export function certificatesOf(pem: string): readonly string[] {
  return (pem.match(CERTIFICATE) ?? []).map((one) => one.replaceAll("\r", ""));
}

/** The bundle: the authority's certificate first, then the certificates (nothing else) of `systemPem`. */
export function buildBundle(certificatePem: string, systemPem: string): string {
  return `${[certificatePem.trim(), ...certificatesOf(systemPem)].join("\n")}\n`;
}

/**
 * The bundle for runs: the authority's certificate and the host's roots. On a host without any, the
 * authority alone, which is what every connection of a run shows.
 */
export async function trustBundle(
  authority: Pick<CertificateAuthority, "certificatePem">,
  paths: readonly string[] = SYSTEM_BUNDLES,
): Promise<string> {
  for (const path of paths) {
    const system = await readIfPresent(path);
    if (system !== undefined) return buildBundle(authority.certificatePem, system);
  }
  return buildBundle(authority.certificatePem, "");
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
