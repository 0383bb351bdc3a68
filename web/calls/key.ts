/**
 * This origin's half of a session. A cookie of localhost goes to every port there, also to a server that a run publishes;
 * what is stored here is read by pages of this very origin alone.
 *
 * @module
 */
/** What the key is sent in; it stands in no address, since proxies write those down. */
export const PAGE_KEY_HEADER = "x-cofferdam-key";

const NAME = "cofferdam.key";
const KEY_BYTES = 32;

/** The key of the session that there is, or that a page of this origin begins. */
export function pageKey(): string {
  return localStorage.getItem(NAME) ?? keepPageKey(newPageKey());
}

/** Of a session that began: what had the key before it is over. */
export function keepPageKey(key: string): string {
  localStorage.setItem(NAME, key);
  return key;
}

export function forgetPageKey(): void {
  localStorage.removeItem(NAME);
}

export function newPageKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Hex SHA-256 of a key, for an address; the key itself stands in none. */
export async function keyHashOf(key: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
