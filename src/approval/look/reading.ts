/**
 * What the readers of kinds give: the content in its kind's form, and what of the body that leaves.
 *
 * @module
 */
import type { Action, Json } from "../../action/index.ts";
import type { LookContent } from "../../api/index.ts";

/** What is read of an action. */
export type Readable = Pick<Action, "fields" | "impact"> &
  Partial<Pick<Action, "kind" | "verb" | "parts">>;

export interface Reading {
  readonly content: LookContent;
  /** What of the body the content does not have; `undefined` where it has all of it. */
  readonly rest?: Json | undefined;
  /** What cannot be shown, each in words. */
  readonly hidden?: readonly string[];
  /** Other parameters that the content has. */
  readonly shown?: readonly string[];
}
