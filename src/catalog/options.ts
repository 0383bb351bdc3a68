/**
 * What grants of some systems may say under `with:`: the shape, by the system.
 *
 * @module
 */
import type { z } from "zod";
import type { Json } from "../action/index.ts";
import { gitOptionsSchema } from "../git/index.ts";

export const OPTIONS: ReadonlyMap<string, z.ZodType<Json>> = new Map([
  ["git", gitOptionsSchema as unknown as z.ZodType<Json>],
]);
