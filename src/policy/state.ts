/**
 * What a run has done so far, as far as decisions depend on it. A value: each decision gives the next.
 *
 * @module
 */
import type { Effect } from "../action/index.ts";
import type { Allowance } from "./allowance.ts";

export interface PolicyState {
  /** How often each rule has let something pass unattended, by the rule's name. */
  readonly unattendedUsed: Readonly<Record<string, number>>;
  /** When rules whose leave is for a time have let something pass, in milliseconds since the epoch. */
  readonly unattendedAt: Readonly<Record<string, readonly number[]>>;
  /** Systems from which private data has been read, by the grant's name. */
  readonly readPrivately: readonly string[];
  /** What a person lets through for the rest of the run. */
  readonly allowances: readonly Allowance[];
  /** Why whatever changes something waits for a person from now on; absent where nothing of the kind was found. */
  readonly confirmAll?: {
    readonly why: string;
    /** Grants of models: what thinks may go on thinking. */
    readonly except: readonly string[];
  };
  /** Denied targets and effects with the routes tried to each, least recent first. */
  readonly denied: readonly DeniedThing[];
}

/** One denied target or effect. */
export interface DeniedThing {
  readonly key: string;
  /** Distinct routes within the window, least recent first. */
  readonly routes: readonly { readonly route: string; readonly monoMs: number }[];
}

/** The state at the start of a run. */
export const initialPolicyState: PolicyState = Object.freeze({
  unattendedUsed: Object.freeze({}),
  unattendedAt: Object.freeze({}),
  readPrivately: Object.freeze([]),
  allowances: Object.freeze([]),
  denied: Object.freeze([]),
});

/** A denial, as far as stickiness depends on it. */
export interface DeniedAttempt {
  /** What was meant, however spelled: the canonical host or address; for a request, its URL. */
  readonly target: string;
  readonly effect?: Effect | undefined;
  /** By which way: see {@link routeOf}. */
  readonly route: string;
  readonly monoMs: number;
}
