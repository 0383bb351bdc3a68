/**
 * Shape: a text that looks like a secret and is none. Clients check formats; a placeholder must pass as the real
 * thing does, while nothing of the secret but its form is in it.
 *
 * @module
 */

/** Gives the next number below `limit`; the same sequence for the same credential and run. */
export type Draw = (limit: number) => number;

const DIGITS = "0123456789";
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();

/** What a run of letters and digits may be made of, narrowest first. */
const ALPHABETS: readonly (readonly [RegExp, string])[] = [
  [/^\d+$/, DIGITS],
  [/^[\da-f]+$/, `${DIGITS}abcdef`],
  [/^[\dA-F]+$/, `${DIGITS}ABCDEF`],
  [/^[a-z]+$/, LOWER],
  [/^[A-Z]+$/, UPPER],
  [/^[A-Z2-7]+$/, `${UPPER}234567`],
  [/^[\da-z]+$/, DIGITS + LOWER],
  [/^[\dA-Z]+$/, DIGITS + UPPER],
];
const ALL = DIGITS + LOWER + UPPER;

/**
 * Prefixes by which systems tell their secrets, as their documentation shows them (from memory, most of them;
 * one that is missing here costs a format check, and nothing else). Longer ones stand before shorter ones.
 */
const PREFIXES = [
  "sk-ant-api03-",
  "sk-ant-oat01-",
  "sk-ant-ort01-",
  "sk-ant-",
  "sk-proj-",
  "sk-svcacct-",
  "sk-or-v1-",
  "sk_live_",
  "sk_test_",
  "rk_live_",
  "rk_test_",
  "sk-",
  "whsec_",
  "github_pat_",
  "ghp_",
  "gho_",
  "ghu_",
  "ghs_",
  "ghr_",
  "glpat-",
  "xoxb-",
  "xoxp-",
  "xoxa-",
  "xoxe-",
  "xapp-",
  "AKIA",
  "ASIA",
  "AIza",
  "ya29.",
  "1//",
  "GOCSPX-",
  "re_",
  "SG.",
  "key-",
  "ntn_",
  "secret_",
  "hf_",
  "npm_",
  "pypi-",
  "n8n_api_",
  "dop_v1_",
  "shpat_",
  "lin_api_",
] as const;

const UUID = /^[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/i;
const JWT = /^(eyJ[\w-]+)\.(eyJ[\w-]+)\.([\w-]+)$/;

/**
 * Claims that clients of a token read themselves, and that are no secret: who it is for and until when. Codex reads
 * those of api.openai.com (codex-rs/login/src/token_data.rs).
 */
const PUBLIC_CLAIMS = new Set([
  "iss",
  "aud",
  "sub",
  "email",
  "https://api.openai.com/auth",
  "https://api.openai.com/profile",
]);

/** A text of the shape of `secret`: same prefix, length, alphabet and separators. */
export function shapeLike(secret: string, draw: Draw): string {
  const jwt = JWT.exec(secret);
  const claims = jwt === null ? undefined : readClaims(jwt[2] ?? "");
  if (jwt !== null && claims !== undefined) {
    const payload = Buffer.from(JSON.stringify(likeClaims(claims, draw))).toString("base64url");
    return `${jwt[1]}.${payload}.${likeRuns(jwt[3] ?? "", draw)}`;
  }
  if (UUID.test(secret)) return likeUuid(secret, draw);
  const prefix = PREFIXES.find((one) => secret.startsWith(one)) ?? "";
  return prefix + likeRuns(secret.slice(prefix.length), draw);
}

/** How many different texts {@link shapeLike} can give, in bits; the least where several alphabets could be meant. */
export function bitsOfShape(secret: string): number {
  let bits = 0;
  // Counted by what it draws: the sum over all draws of their logarithms.
  shapeLike(secret, (limit) => {
    bits += Math.log2(limit);
    return 0;
  });
  return bits;
}

function likeRuns(text: string, draw: Draw): string {
  return text.replace(/[\dA-Za-z]+/g, (run) => {
    const alphabet = ALPHABETS.find(([form]) => form.test(run))?.[1] ?? ALL;
    let made = "";
    for (const _ of run) made += alphabet[draw(alphabet.length)];
    // A number keeps its length also where it is read as one.
    return alphabet === DIGITS && run.length > 1 && made.startsWith("0")
      ? `1${made.slice(1)}`
      : made;
  });
}

/** Version and variant stay (RFC 9562, 4). */
function likeUuid(text: string, draw: Draw): string {
  const hex = /[A-F]/.test(text) ? `${DIGITS}ABCDEF` : `${DIGITS}abcdef`;
  let made = "";
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    made += character === "-" || at === 14 || at === 19 ? character : hex[draw(16)];
  }
  return made;
}

function readClaims(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // It only looks like one, and gets the shape of any text.
  }
}

/** Numbers (times) stay, and so do the public claims; every other text becomes another one. */
function likeClaims(claims: Record<string, unknown>, draw: Draw): Record<string, unknown> {
  const entries = Object.entries(claims).map(([name, value]) => [
    name,
    PUBLIC_CLAIMS.has(name) ? value : likeValue(value, draw),
  ]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function likeValue(value: unknown, draw: Draw): unknown {
  if (typeof value === "string") return likeRuns(value, draw);
  if (Array.isArray(value)) return value.map((one) => likeValue(one, draw));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, one]) => [name, likeValue(one, draw)]);
  return Object.fromEntries(entries) as unknown;
}
