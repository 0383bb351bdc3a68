/**
 * This origin's half of a session. A cookie of localhost goes to every port there, also to a server that a run publishes;
 * what is stored here is read by pages of this very origin alone.
 *
 * @module
 */
const NAME = "cofferdam.key";
const KEY_BYTES = 32;

/** The key, made at the first use. */
export function pageKey(): string {
  const kept = localStorage.getItem(NAME);
  if (kept !== null) return kept;
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const made = btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
  localStorage.setItem(NAME, made);
  return made;
}

/** Hex SHA-256 of the key, for an address; the key itself stands in none. */
export async function pageKeyHash(): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(pageKey()));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
