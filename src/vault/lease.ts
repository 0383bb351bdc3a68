/**
 * A lease: what a worker needs to attach one credential to requests for one place, and no more. A refresh token, a
 * client's secret and an AWS secret access key are never in it.
 *
 * @module
 */
import type { Place, CredentialSpec } from "./spec.ts";
import type { Secret } from "./secret.ts";
import { leaseSigV4, type SigV4Attachment } from "./sigv4.ts";
import type { HmacAttachment } from "./hmac.ts";
import { signJwt } from "./jwt.ts";
import { leaseSshCertificate, type SshCertificateAttachment } from "./ssh-ca.ts";

/** What is attached, and where. Plain data: it crosses to the worker as JSON. */
export type Attachment =
  | { readonly kind: "header"; readonly name: string; readonly value: string }
  | { readonly kind: "query"; readonly name: string; readonly value: string }
  | { readonly kind: "path"; readonly value: string }
  | { readonly kind: "login"; readonly user: string; readonly password: string }
  | { readonly kind: "ssh-key"; readonly user: string; readonly privateKey: string }
  | SshCertificateAttachment
  | SigV4Attachment
  | HmacAttachment;

export interface Lease {
  readonly credential: string;
  readonly attach: Attachment;
  /** Every text that must never be echoed: for `createRedactor`. */
  readonly secrets: readonly string[];
}

/** The lease of a credential for `place`, which its binding covers. `value` is what is sent: the secret, or an access token. */
export function makeLease(
  { name, how }: CredentialSpec,
  { value, secret, place, wallMs, of = `cofferdam ${name}` }: LeaseOf,
): Lease {
  const lease = (attach: Attachment, ...secrets: readonly string[]): Lease => ({
    credential: name,
    attach,
    secrets,
  });
  switch (how.kind) {
    case "bearer":
      return lease(authorization(`${how.word ?? "Bearer"} ${value}`), value);
    case "oauth2":
      return lease(authorization(`Bearer ${value}`), value);
    case "basic": {
      const pair = `${how.user}:${value}`;
      const encoded = Buffer.from(pair).toString("base64");
      return lease(authorization(`Basic ${encoded}`), value, pair);
    }
    case "header":
      return lease(
        { kind: "header", name: how.name, value: how.word ? `${how.word} ${value}` : value },
        value,
      );
    case "query":
      return lease({ kind: "query", name: how.name, value }, value);
    case "path":
      return lease({ kind: "path", value }, value);
    case "login":
      return lease({ kind: "login", user: how.user, password: value }, value);
    case "ssh-key":
      return lease({ kind: "ssh-key", user: how.user, privateKey: value }, value);
    case "ssh-ca": {
      const made = leaseSshCertificate(how, { caPrivateKey: value, keyId: of, wallMs });
      return lease(made, made.privateKey);
    }
    case "sigv4": {
      const { sessionToken } = secret;
      const attach = leaseSigV4(how, { secretAccessKey: value, sessionToken, place, wallMs });
      return lease(attach, ...(sessionToken === undefined ? [] : [sessionToken]));
    }
    case "jwt": {
      const token = signJwt(how, value, wallMs);
      return lease(authorization(`Bearer ${token}`), token);
    }
    default:
      return lease({ ...how, key: value }, value);
  }
}

interface LeaseOf {
  readonly value: string;
  readonly secret: Secret;
  readonly place: Place;
  readonly wallMs: number;
  /** Whose it is, where that can be said in it. */
  readonly of?: string | undefined;
}

function authorization(value: string): Attachment {
  return { kind: "header", name: "Authorization", value };
}
