/**
 * Signed tokens: what a GitHub App proves itself with (RFC 7515, RFC 7519; docs.github.com, "Generating a JSON
 * Web Token for a GitHub App"). Made for each lease, so that the key itself never leaves the vault.
 *
 * @module
 */
import { createPrivateKey, sign, type KeyObject } from "node:crypto";
import { Fault } from "../base/index.ts";

/** Back, for clocks that differ; and the life, of which GitHub takes ten minutes at most. In seconds. */
const BACK_S = 60;
const LIFE_S = 540;
const RSA_BITS_MIN = 2048;

type Algorithm = "RS256" | "ES256";

/** A token of `issuer`, signed with `key` (PEM). */
export function signJwt(
  { issuer, algorithm }: { readonly issuer: string; readonly algorithm: Algorithm },
  key: string,
  wallMs: number,
): string {
  const nowS = Math.floor(wallMs / 1000);
  const head = part({ alg: algorithm, typ: "JWT" });
  const signed = `${head}.${part({ iat: nowS - BACK_S, exp: nowS + LIFE_S, iss: issuer })}`;
  // RFC 7518, 3.4: an ECDSA signature is R and S, not DER.
  const how = { key: createPrivateKey(key), dsaEncoding: "ieee-p1363" } as const;
  return `${signed}.${sign("sha256", Buffer.from(signed), how).toString("base64url")}`;
}

/**
 * Passes where `key` is a private key in PEM that `algorithm` signs with.
 *
 * @throws {Fault} `vault.secret` with nothing of the key in it.
 */
export function requireSigningKey(key: string, algorithm: Algorithm): void {
  const parsed = parseKey(key);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = parsed ?? {};
  const fits =
    algorithm === "RS256"
      ? type === "rsa" && (details?.modulusLength ?? 0) >= RSA_BITS_MIN
      : type === "ec" && details?.namedCurve === "prime256v1";
  if (fits) return;
  throw new Fault(
    "vault.secret",
    `this secret cannot be used: it is no private key for ${algorithm}`,
    {
      hint: "give the PEM file as it was issued, without a passphrase: --file key.pem",
    },
  );
}

function parseKey(key: string): KeyObject | undefined {
  try {
    return createPrivateKey(key);
  } catch {
    return undefined; // The caller says that it is none.
  }
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
