/**
 * Expressions of n8n: `{{ ... }}` in a text is JavaScript, run in a sandbox that was escaped more than once
 * (CVE-2025-68613, CVE-2026-1470, CVE-2026-27577). So an expression is code, unless it does no more than name
 * a value that came in: `{{ $json.customer.name }}`. Texts count with and without the `=` before them, as some
 * nodes resolve both.
 *
 * @module
 */

/** No name that leads out of data, and no call but those that choose an item. */
const NAME = "(?!__|(?:constructor|prototype)\\b)[A-Za-z_]\\w*";
const NODE = "(?:'[^'\"`\\\\{}]*'|\"[^'\"`\\\\{}]*\")";
const ROOT = [
  "\\$(?:json|binary|itemIndex|runIndex|now|today)",
  "\\$input\\.(?:item|first\\(\\)|last\\(\\))\\.json",
  `\\$\\(${NODE}\\)\\.(?:item|first\\(\\)|last\\(\\))\\.json`,
  `\\$node\\[${NODE}\\]\\.json`,
  "\\$workflow\\.(?:id|name)",
  "\\$execution\\.id",
].join("|");
const PATH = `(?:\\??\\.${NAME}|\\[\\d{1,9}\\]|\\["${NAME}"\\]|\\['${NAME}'\\])*`;
const PLAIN = new RegExp(`\\{\\{\\s*(?:${ROOT})(?![\\w$])${PATH}\\s*\\}\\}(?!\\})`, "yu");

/** Reports whether `value` holds, however deep, a text that n8n runs as code. JSON is read to a depth only. */
export function hasCode(value: unknown): boolean {
  if (typeof value === "string") return isCode(value);
  return typeof value === "object" && value !== null && Object.values(value).some(hasCode);
}

function isCode(text: string): boolean {
  let at = text.indexOf("{{");
  while (at >= 0) {
    PLAIN.lastIndex = at;
    if (!PLAIN.test(text)) return true;
    at = text.indexOf("{{", PLAIN.lastIndex);
  }
  return false;
}
