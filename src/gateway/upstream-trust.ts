/**
 * Who may vouch for an upstream: the system's certificate authorities, and those a grant names.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import { Fault } from "../base/index.ts";

/** Contexts for TLS as a client. */
export interface UpstreamTrust {
  /** @throws {Fault} `gateway.ca` where `extraPem` is no certificate. */
  contextFor(extraPem: string | undefined): SecureContext;
}

/** The host's own store; Node's copy of Mozilla's where the host has none. */
function systemAuthorities(): readonly string[] {
  const system = getCACertificates("system");
  return [...new Set(system.length > 0 ? system : getCACertificates("bundled"))];
}

/** Reads the authorities on first use (tens of ms) and keeps one context for each extra PEM. */
export function createUpstreamTrust(authorities = systemAuthorities): UpstreamTrust {
  let system: readonly string[] | undefined;
  const contexts = new Map<string, SecureContext>();
  return {
    contextFor(extraPem) {
      const key = extraPem ?? "";
      const known = contexts.get(key);
      if (known !== undefined) return known;
      const extra = extraPem === undefined ? [] : certificatesIn(extraPem);
      system ??= authorities();
      const context = createSecureContext({ ca: [...system, ...extra], minVersion: "TLSv1.2" });
      contexts.set(key, context);
      return context;
    },
  };
}

/** OpenSSL takes what it can read and leaves the rest out silently; here all must be readable. */
function certificatesIn(pem: string): readonly string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    const certificates = blocks.map((block) => new X509Certificate(block).toString());
    if (certificates.length > 0) return certificates;
  } catch (cause) {
    throw new Fault("gateway.ca", "the grant's `ca:` holds a broken certificate", { cause });
  }
  throw new Fault("gateway.ca", "the grant's `ca:` holds no PEM certificate");
}

let shared: UpstreamTrust | undefined;

/** The one trust of this process: reading the system's authorities takes a tenth of a second. */
export function systemTrust(): UpstreamTrust {
  return (shared ??= createUpstreamTrust());
}
