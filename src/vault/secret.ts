/**
 * A secret as it is sealed, and what may be one: bytes that would break a request are refused where they come in.
 *
 * @module
 */
import { z } from "zod";
import { Fault } from "../base/index.ts";
import { requireSigningKey } from "./jwt.ts";
import type { Kind } from "./spec.ts";
import { sshAuthorityLine } from "./ssh-certificate.ts";

/** A shorter one would be found everywhere in answers that are searched for it. */
export const SECRET_CHARS_MIN = 8;
export const SECRET_CHARS_MAX = 16_384;

const text = z.string().min(1).max(SECRET_CHARS_MAX);

/** `value` is the secret itself: token, password, refresh token, secret access key, signing key. */
export const secretSchema = z.strictObject({
  value: text,
  /** OAuth 2: the client's own secret. */
  clientSecret: text.optional(),
  /** OAuth 2: an access token known when the credential came in; it also gives the placeholder's shape. */
  accessToken: text.optional(),
  accessExpiresMs: z.number().int().nonnegative().optional(),
  /** AWS: of temporary credentials. */
  sessionToken: text.optional(),
  /** What an agent's own login file holds beside the tokens, as JSON, and which agent's it is. */
  login: z.strictObject({ agent: z.string(), file: z.string().max(65_536) }).optional(),
});
export type Secret = z.infer<typeof secretSchema>;

/** Every text of `secret` that nobody may see. */
export function textsOf(secret: Secret): readonly string[] {
  const { value, clientSecret, accessToken, sessionToken } = secret;
  return [value, clientSecret, accessToken, sessionToken].filter((one) => one !== undefined);
}

/**
 * Passes where `secret` can be sent as `how` says.
 *
 * @throws {Fault} `vault.secret` without the secret in it.
 */
export function requireUsable(how: Kind, secret: Secret): void {
  const parsed = secretSchema.safeParse(secret);
  if (!parsed.success) throw refusal("it is empty, too long, or has members that no kind has");
  for (const one of textsOf(secret)) {
    if (one.length < SECRET_CHARS_MIN) {
      throw refusal(`it is shorter than ${SECRET_CHARS_MIN} characters`, "make a longer one");
    }
    if (!one.isWellFormed()) throw refusal("it is not Unicode text");
    if (!IN_LINES.has(how.kind) && /\p{Cc}/u.test(one)) {
      throw refusal("it holds a line end or another control character", "give the bare secret");
    }
  }
  if (how.kind === "jwt") requireSigningKey(secret.value, how.algorithm);
  if (how.kind === "ssh-ca") sshAuthorityLine(secret.value); // Throws where it is none.
  if (how.kind === "ssh-key" && !PRIVATE_KEY.test(secret.value)) {
    throw refusal(
      "it is no private key, or one that needs a passphrase",
      "ssh-keygen -p -N '' removes it",
    );
  }
  if (ANY_TEXT.has(how.kind)) return;
  for (const one of textsOf(secret)) {
    if (!/^[!-~]+$/.test(one)) {
      throw refusal(
        "it holds a space or a character beyond ASCII, and stands in a request as it is",
      );
    }
  }
}

/** Keys in PEM. */
const IN_LINES: ReadonlySet<Kind["kind"]> = new Set(["jwt", "ssh-key", "ssh-ca"]);
/** Encoded, hashed, or sent where any text may stand. */
const ANY_TEXT: ReadonlySet<Kind["kind"]> = new Set([
  "basic",
  "hmac",
  "jwt",
  "login",
  "ssh-key",
  "ssh-ca",
]);
/** PKCS 8, PKCS 1 and SEC 1 (RFC 7468), and OpenSSH's own (PROTOCOL.key). */
const PRIVATE_KEY =
  /^-----BEGIN (?:OPENSSH |RSA |EC )?PRIVATE KEY-----\r?\n[\s\S]+-----END [A-Z ]+-----\s*$/;

function refusal(why: string, hint = "copy it again from where it was issued"): Fault {
  return new Fault("vault.secret", `this secret cannot be used: ${why}`, { hint });
}
