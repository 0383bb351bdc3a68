/**
 * Readers: what an entry's data cannot say, as small functions with a name. A reader looks at one request
 * that a route has matched and says what it changes of the route's own reading, never less strictly by
 * accident: what it cannot read it makes unknown.
 *
 * @module
 */
import type { Effect, Impact, Json } from "../action/index.ts";
import type { Content } from "./content.ts";
import type { Route } from "./entry.ts";
import type { Facts } from "./values.ts";

/** What a reader is given. */
export interface Readable {
  readonly method: string;
  /** What `{name}` of the route's path matched. */
  readonly path: Readonly<Record<string, string>>;
  readonly content: Content;
  /** What the entry says of such requests. */
  readonly route: Pick<Route, "verb" | "effects" | "fields">;
  /** Values at a reference, as in an entry. */
  values(reference: string): readonly unknown[];
  /** What was looked up. */
  readonly facts?: Facts;
  /** The grant's `with:`, as written. */
  readonly options?: Json | undefined;
}

/** What it changes; absent members stay as the route says. */
export interface Reading {
  readonly verb?: string;
  readonly effects?: readonly Effect[];
  readonly summary?: string;
  readonly impact?: Partial<Impact>;
  /** Several things at once: each has to be granted. */
  readonly parts?: readonly {
    readonly verb: string;
    readonly effects: readonly Effect[];
    /** What it acts on, in segments. */
    readonly object?: readonly string[] | undefined;
  }[];
  /** Further fields for the person who decides: `fields.NAME`. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** `undefined`: it cannot be read, and so is unknown; {@link Unread} says why. */
export type Reader = (readable: Readable) => Reading | Unread | undefined;

/** Why it cannot be read, for whoever asks. */
export interface Unread {
  readonly unread: string;
}

/** Each is a file in readers/; readers.ts ties names to functions. */
export const READER_NAMES = [
  "xmlrpc",
  "n8n-workflow",
  "graphql",
  "ethereum",
  "solana",
  "mime",
  "git-discovery",
  "git-fetch",
  "git-push",
  "git-lfs",
  "git-lfs-batch",
  "git-lfs-change",
  "git-lfs-upload",
] as const;
export type ReaderName = (typeof READER_NAMES)[number];
