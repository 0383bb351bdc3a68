/**
 * Secrets in what is pushed: only forms that are a secret's own, so that hardly anything else is taken for
 * one. What is encoded, packed or split is not found.
 *
 * @module
 */

/** One form. */
interface SecretForm {
  readonly name: string;
  readonly pattern: RegExp;
}

const END = "(?![A-Za-z0-9_-])";
const START = "(?<![A-Za-z0-9_-])";
const form = (name: string, body: string): SecretForm => ({
  name,
  pattern: new RegExp(`${START}${body}${END}`, "g"),
});

const FORMS: readonly SecretForm[] = [
  form("AWS access key", "(?:AKIA|ASIA)[0-9A-Z]{16}"),
  form("GitHub token", "gh[pousr]_[A-Za-z0-9]{36,251}"),
  form("GitHub token", "github_pat_[A-Za-z0-9_]{82}"),
  form("GitLab token", "gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[A-Za-z0-9_.-]{20,}"),
  form("Slack token", "xox[abeoprs]-[A-Za-z0-9-]{20,}"),
  form("Slack webhook", "hooks\\.slack\\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{20,}"),
  form("Stripe key", "[rs]k_live_[A-Za-z0-9]{20,}"),
  form("Stripe webhook secret", "whsec_[A-Za-z0-9+/]{32,}"),
  form("Google API key", "AIza[0-9A-Za-z_-]{35}"),
  form("Google OAuth secret", "GOCSPX-[0-9A-Za-z_-]{28}"),
  form("Anthropic key", "sk-ant-[a-z0-9]+-[A-Za-z0-9_-]{80,}"),
  form("OpenAI key", "sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}"),
  form("OpenAI key", "sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
  form("npm token", "npm_[A-Za-z0-9]{36}"),
  form("PyPI token", "pypi-AgEI[A-Za-z0-9_-]{50,}"),
  form("crates.io token", "cio[A-Za-z0-9]{32}"),
  form("SendGrid key", "SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}"),
  form("Mailgun key", "key-[0-9a-f]{32}"),
  form("DigitalOcean token", "do[oprt]_v1_[0-9a-f]{64}"),
  form("Hugging Face token", "hf_[A-Za-z]{34}"),
  form("Telegram bot token", "[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"),
  form("Docker token", "dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,}"),
  form("HashiCorp Vault token", "hv[sb]\\.[A-Za-z0-9_-]{24,}"),
  form("Databricks token", "dapi[0-9a-f]{32}"),
  form("Shopify token", "shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
  form("age secret key", "AGE-SECRET-KEY-1[0-9A-Z]{58}"),
  {
    name: "private key",
    pattern: /-----BEGIN (?:[A-Z0-9]{2,12} )*PRIVATE KEY(?: BLOCK)?-----/g,
  },
  { name: "PuTTY private key", pattern: /PuTTY-User-Key-File-[23]: /g },
];

/** What stands in every one of the forms: looked for first, since hardly any text has it. */
const HINT =
  /AKIA|ASIA|gh[pousr]_|github_pat_|gl[a-z]{2,5}-|xox[abeoprs]-|slack\.com|k_live_|whsec_|AIza|GOCSPX|sk-|npm_|pypi-|cio|SG\.|key-|do[oprt]_v1|hf_|:AA|dckr_|hv[sb]\.|dapi|shp|AGE-SECRET|PRIVATE KEY|PuTTY/;

/** A secret that was found: its kind and the line; never itself. */
export interface FoundSecret {
  readonly kind: string;
  readonly line: number;
}

const FOUND_MAX = 20;

/** The secrets in `data` that are not in `before`, which the server has. */
export function secretsIn(data: Buffer, before?: Buffer): readonly FoundSecret[] {
  const text = plainText(data);
  if (!HINT.test(text)) return [];
  const known = before === undefined ? "" : plainText(before);
  const found: FoundSecret[] = [];
  for (const { name, pattern } of FORMS) {
    for (const match of text.matchAll(pattern)) {
      if (known.includes(match[0])) continue;
      found.push({ kind: name, line: lineAt(text, match.index) });
      if (found.length >= FOUND_MAX) return found;
    }
  }
  return found;
}

/** Whether a secret may begin in `text`: hardly any text has what all of them have. */
export function mayHoldSecret(text: string): boolean {
  return HINT.test(text);
}

/** The first secret in `text`, itself as well: for whoever tells it from another by its digest, and nobody else. */
export function secretOf(
  text: string,
): { readonly kind: string; readonly text: string } | undefined {
  if (!HINT.test(text)) return undefined;
  for (const { name, pattern } of FORMS) {
    const { value } = text.matchAll(pattern).next();
    if (value !== undefined) return { kind: name, text: value[0] };
  }
  return undefined;
}

/** UTF-16 is read as well: its other bytes are NUL. */
function plainText(data: Buffer): string {
  const text = data.toString("latin1");
  return text.includes("\0") ? text.replaceAll("\0", "") : text;
}

function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < index; at = text.indexOf("\n", at + 1))
    line += 1;
  return line;
}

/**
 * `text` with every secret that has a form of its own blackened; of a private key all that follows its first line
 * up to its end, or the text's.
 */
export function blackenSecrets(text: string): string {
  if (!HINT.test(text)) return text;
  let clean = text.replaceAll(PRIVATE_KEY, "[secret]");
  for (const { pattern } of FORMS) clean = clean.replaceAll(pattern, "[secret]");
  return clean;
}

const PRIVATE_KEY =
  /-----BEGIN (?:[A-Z0-9]{2,12} )*PRIVATE KEY(?: BLOCK)?-----[^]*?(?:-----END [A-Z0-9 ]{0,60}-----|$)/g;
