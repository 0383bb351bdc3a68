/**
 * What passes between the console and the thread of its index.
 *
 * @module
 */
import type { Entry, Facets, Found, RecordQuery, RecordStatus } from "../../api/index.ts";
import type { RunFacts } from "../now/index.ts";
import type { Page } from "./index.ts";

/** What the thread starts with. */
export interface Start {
  readonly ledger: string;
  readonly index: string;
}

export type Question =
  | { readonly kind: "search"; readonly query: RecordQuery; readonly near?: number | undefined }
  | {
      readonly kind: "page";
      readonly query: RecordQuery;
      readonly offset: number;
      readonly limit: number;
    }
  /** From the first match on that is not before entry `from`. */
  | {
      readonly kind: "entries";
      readonly query: RecordQuery;
      readonly from: number;
      readonly limit: number;
    }
  | { readonly kind: "facets"; readonly query: RecordQuery }
  | { readonly kind: "entry"; readonly seq: number };

/** What each kind of question is answered with. */
export interface Answer {
  readonly search: Found & { readonly offset?: number };
  readonly page: Page;
  readonly entries: readonly Entry[];
  readonly facets: Facets;
  readonly entry: Entry;
}

export type ToThread =
  | { readonly ask: number; readonly question: Question }
  | { readonly forget: number }
  /** The ledger has grown to so many entries, or was opened anew. */
  | { readonly grown: number; readonly isOpened: boolean }
  | { readonly close: true };

export type FromThread =
  | { readonly answered: number; readonly answer: Answer[Question["kind"]] }
  | { readonly refused: number; readonly fault: Refusal }
  | {
      readonly status: RecordStatus;
      /** Runs with entries since the last time. */
      readonly runs: readonly RunFacts[];
      /** It begins anew: what was known of other runs is gone. */
      readonly isNew: boolean;
    };

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}
