/**
 * What a credential is, without its secret: kind, and where it may go. All of this is authenticated beside the
 * sealed secret, so none of it can be changed without the vault's key.
 *
 * @module
 */
import { z } from "zod";
import { Fault } from "../base/index.ts";
import { canonicalHost, matchesHost, parseHostPattern } from "../policy/index.ts";

/** Names are what a person types: no secret fits the form by accident. */
export const credentialName = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,39}$/,
    "a name is a-z, 0-9 and -, at most 40, and begins with a letter",
  );

const FIELD_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/; // RFC 9110, 5.6.2: token.
/** Fields that say where a request goes or where it ends (RFC 9110, 7.6.1; RFC 9112, 6): no secret's place. */
const FRAMING = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "te",
  "trailer",
  "upgrade",
  "expect",
]);
const fieldName = z
  .string()
  .regex(FIELD_NAME, "a header field's name")
  .refine(
    (name) => !FRAMING.has(name.toLowerCase().replaceAll("_", "-")),
    "a field that is the request's own",
  );
/** A word before a value, such as `Bearer`. */
const word = z.string().regex(/^[A-Za-z0-9_-]{1,32}$/, "one word");
/** Visible ASCII: it stands in headers and in files that people read. */
const plain = z.string().regex(/^[!-~]{1,512}$/, "visible ASCII without spaces");
const template = z.string().regex(/^[ -~]{1,256}$/, "printable ASCII");

const host = z.string().refine(isPattern, "a host name or *.NAME");

/** Protocols that credentials are for. */
export const SCHEMES = [
  "https",
  "http",
  "ssh",
  "postgres",
  "mysql",
  "redis",
  "smtp",
  "mcp",
] as const;

/** Scheme, hosts and port that a credential may be sent to; all of it must fit. */
export const bindingSchema = z.strictObject({
  scheme: z.enum(SCHEMES),
  /** Exact names or `*.NAME`, as in a task file. */
  hosts: z.array(host).min(1).max(8),
  port: z.number().int().min(1).max(65_535),
});
export type Binding = z.infer<typeof bindingSchema>;

/** Where the token answers come from. Plain HTTP only to this machine itself. */
const tokenUrl = z.string().refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== "" || url.password !== "") return false;
  return url.protocol === "https:" || (url.protocol === "http:" && url.hostname === "127.0.0.1");
}, "an https URL without a user");

/** The kinds, each with the place that it takes in a request. */
export const kindSchema = z.discriminatedUnion("kind", [
  /** `Authorization: WORD secret`; WORD is `Bearer` unless the system has another (`token`, `Bot`). */
  z.strictObject({ kind: z.literal("bearer"), word: word.optional() }),
  /** `Authorization: Basic base64(user:secret)` (RFC 7617): no colon in the user. */
  z.strictObject({
    kind: z.literal("basic"),
    user: z.string().regex(/^[^:\p{Cc}]{1,256}$/u, "a user without colon or control character"),
  }),
  z.strictObject({ kind: z.literal("header"), name: fieldName, word: word.optional() }),
  z.strictObject({ kind: z.literal("query"), name: plain }),
  /** The secret stands in a path segment, as in `/botSECRET/sendMessage`. */
  z.strictObject({ kind: z.literal("path") }),
  /** RFC 6749, 6: the secret is a refresh token; what is sent is `Authorization: Bearer access-token`. */
  z.strictObject({
    kind: z.literal("oauth2"),
    tokenUrl,
    clientId: plain.optional(),
    /** How the token endpoint wants its parameters; RFC 6749 has `form`. */
    format: z.enum(["form", "json"]).optional(),
    scope: template.optional(),
  }),
  /** A signed JWT (RFC 7519) for each lease, good for minutes: GitHub Apps. The secret is the private key in PEM. */
  z.strictObject({ kind: z.literal("jwt"), issuer: plain, algorithm: z.enum(["RS256", "ES256"]) }),
  /** Of a session: the secret is the password. No control characters in the user. */
  z.strictObject({
    kind: z.literal("login"),
    user: z.string().regex(/^[^\p{Cc}]{1,256}$/u, "a user"),
  }),
  /** Of SSH: the secret is a private key, as OpenSSH or in PEM, without a passphrase. */
  z.strictObject({ kind: z.literal("ssh-key"), user: z.string().regex(/^[!-~]{1,64}$/, "a user") }),
  /**
   * Of SSH: the secret is the private key of an authority that the servers trust (sshd_config(5),
   * TrustedUserCAKeys). Each lease is a certificate of its own, good for minutes; the authority's key stays.
   */
  z.strictObject({
    kind: z.literal("ssh-ca"),
    user: z.string().regex(/^[!-~]{1,64}$/, "a user"),
    /** Whom it is for, where the servers map that to accounts; by default the user. Commas between. */
    principals: z
      .string()
      .regex(/^[!-~]{1,512}$/, "names with commas between")
      .optional(),
    /** How long a certificate is good to log in with; 5 by default. */
    minutes: z
      .string()
      .regex(/^(?:[1-9]|[1-5][0-9]|60)$/, "minutes, 60 at most")
      .optional(),
    /** Runs this at the server, whatever is asked for. */
    forceCommand: template.optional(),
    /** Addresses that may log in with it: commas between, CIDR blocks too. */
    sourceAddress: plain.optional(),
  }),
  /** AWS Signature Version 4; the secret is the secret access key. */
  z.strictObject({
    kind: z.literal("sigv4"),
    accessKeyId: z.string().regex(/^[A-Z0-9]{16,128}$/i, "an access key id"),
    region: word,
    service: word,
  }),
  /**
   * A signature of the request in a header. In `value` and `signed` stand `{timestamp}` (seconds),
   * `{timestamp_ms}`, `{method}`, `{target}`; in `signed` also `{body}`, in `value` also `{signature}`.
   */
  z.strictObject({
    kind: z.literal("hmac"),
    name: fieldName,
    value: template.refine((text) => text.includes("{signature}"), "it must hold {signature}"),
    signed: template.refine((text) => text.includes("{body}"), "it must hold {body}"),
    algorithm: z.enum(["sha256", "sha512", "sha1"]),
    encoding: z.enum(["hex", "base64"]),
    /** A header of its own for `{timestamp}`. */
    timestampName: fieldName.optional(),
  }),
]);
export type Kind = z.infer<typeof kindSchema>;

/** A credential as `add` takes it, less its secret. */
export const specSchema = z.strictObject({
  name: credentialName,
  binding: bindingSchema,
  how: kindSchema,
});
export type CredentialSpec = z.infer<typeof specSchema>;

/** Where a request goes. */
export interface Place {
  readonly scheme: (typeof SCHEMES)[number];
  readonly host: string;
  readonly port: number;
}

/**
 * Passes where `binding` covers `place`; hosts are compared in canonical form, so a look-alike is another host.
 *
 * @throws {Fault} `vault.place`
 */
export function requirePlace(name: string, binding: Binding, place: Place): void {
  const host = canonicalHost(place.host);
  const covered =
    place.scheme === binding.scheme &&
    place.port === binding.port &&
    host !== undefined &&
    binding.hosts.some((pattern) => matchesHost(parseHostPattern(pattern), host));
  if (covered) return;
  const asked = `${place.scheme}://${JSON.stringify(place.host).slice(1, -1)}:${place.port}`;
  throw new Fault(
    "vault.place",
    `credential ${name} is for ${printBinding(binding)}, and not for ${asked}`,
    { hint: "add a credential of its own for that place" },
  );
}

/** `https://api.example.com:443`, several with commas between. */
export function printBinding({ scheme, hosts, port }: Binding): string {
  return hosts.map((host) => `${scheme}://${host}:${port}`).join(", ");
}

/**
 * `input` as a spec.
 *
 * @throws {Fault} `vault.spec` which names the member, and never shows a value: it might be a secret.
 */
export function parseSpec(input: unknown): CredentialSpec {
  const parsed = specSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "it" : issue.path.join(".");
  throw new Fault("vault.spec", `not a credential: ${where}: ${issue?.message ?? "unknown"}`, {
    hint: "`cofferdam help credential` has the forms",
  });
}

function isPattern(text: string): boolean {
  try {
    parseHostPattern(text);
    return true;
  } catch {
    return false; // The schema then names the member.
  }
}
