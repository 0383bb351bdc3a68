/**
 * Golden requests: what a request to a system means, row by row, each with where that is known from. The
 * same rows hold classifier, policy and rendering.
 *
 * @module
 */
import type { Effect, Json } from "../action/index.ts";

export interface Golden {
  /** `POST /wp-json/wp/v2/posts?status=draft`, as sent. */
  readonly request: string;
  /** The body: JSON, or a form as text, or bytes with their type. */
  readonly json?: Json;
  readonly form?: string;
  readonly raw?: { readonly type: string; readonly text: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** What look-ups would find. */
  readonly facts?: Readonly<Record<string, Json>>;
  readonly verb: string;
  readonly effects: readonly Effect[];
  readonly recipients?: readonly string[];
  /** "12.50 EUR" */
  readonly amount?: string;
  readonly reversible?: boolean;
  readonly why: string;
  /** A page of the system's documentation or a file of its source; "memory" does not count. */
  readonly source: string;
}

/** What a row says beside its request, verb, effects and reason. */
type Rest = Partial<Omit<Golden, "request" | "verb" | "effects" | "why">>;
type Row = readonly [
  request: string,
  verb: string,
  effects: readonly Effect[],
  why: string,
  rest?: Rest,
];

/** Rows that are known from one source, unless they name another. */
export function goldenRows(source: string, rows: readonly Row[]): readonly Golden[] {
  return rows.map(([request, verb, effects, why, rest = {}]) => ({
    request,
    verb,
    effects,
    why,
    source,
    ...rest,
  }));
}
