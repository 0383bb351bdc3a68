/**
 * A certificate for one lease, by an authority that SSH servers trust: whoever has it can log in for minutes, and
 * the server's log says whose it was. The authority's key never leaves the daemon.
 *
 * @module
 */
import type { Kind } from "./spec.ts";
import { createSshKey, mintSshCertificate } from "./ssh-certificate.ts";

/** What logs in. */
export interface SshCertificateAttachment {
  readonly kind: "ssh-certificate";
  readonly user: string;
  /** Of a key that was made for this lease alone. */
  readonly privateKey: string;
  /** One line, as in a file of `ssh-keygen -s`. */
  readonly certificate: string;
}

const MINUTES = 5;
const EARLY_SECONDS = 60; // Clocks differ.

/** @throws {Fault} `vault.ssh_certificate` */
export function leaseSshCertificate(
  how: Extract<Kind, { kind: "ssh-ca" }>,
  lease: { readonly caPrivateKey: string; readonly keyId: string; readonly wallMs: number },
): SshCertificateAttachment {
  const { caPrivateKey, keyId, wallMs } = lease;
  const { user, principals = user, minutes = MINUTES, forceCommand, sourceAddress } = how;
  const { privateKey, publicKey } = createSshKey();
  const now = Math.floor(wallMs / 1000);
  const certificate = mintSshCertificate({
    caPrivateKey,
    publicKey,
    keyId,
    principals: principals.split(","),
    validAfter: now - EARLY_SECONDS,
    validBefore: now + Number(minutes) * 60,
    criticalOptions: {
      ...(forceCommand === undefined ? {} : { "force-command": forceCommand }),
      ...(sourceAddress === undefined ? {} : { "source-address": sourceAddress }),
    },
    // Whether there is a terminal is for the grant to say, which the broker holds.
    extensions: ["permit-pty"],
  });
  return { kind: "ssh-certificate", user, privateKey, certificate };
}
