/**
 * What a row of the control contract is.
 *
 * @module
 */
import type { z } from "zod";
import type { Needs } from "./roles.ts";

export interface Endpoint {
  /** The role of whoever may ask. */
  readonly needs: Needs;
  readonly takes: z.ZodType;
  readonly gives: z.ZodType;
  /** Gives many, as JSON lines. */
  readonly streams: boolean;
}
