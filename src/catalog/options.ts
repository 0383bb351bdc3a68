/**
 * What grants of some systems may say under `with:`: the shape, by the system.
 *
 * @module
 */
import { z } from "zod";
import type { Json } from "../action/index.ts";

/** Of `git`. */
export const gitOptionsSchema = z.strictObject({
  /** Repositories that it is for, as paths below the host, with or without `.git`; all by default. */
  repos: z.array(z.string().regex(/^[^/\s][^\s]*[^/\s]$/)).optional(),
  /** Branches whose change is published: `*` within a part, `**` below. */
  protected: z.array(z.string().min(1).max(200)).optional(),
  /** Push options that do nothing more than their push, as they are sent. */
  push_options: z.array(z.string().min(1).max(1000)).optional(),
  /** What is read there is not for everybody. */
  private: z.boolean().optional(),
});
export type GitOptions = z.output<typeof gitOptionsSchema>;

export const OPTIONS: ReadonlyMap<string, z.ZodType<Json>> = new Map([
  ["git", gitOptionsSchema as unknown as z.ZodType<Json>],
]);
