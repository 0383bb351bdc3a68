/**
 * Every drill that runs in the field, in the catalogue's order. D01 to D03 are the ROME case (drills/rome), a
 * world of its own.
 *
 * @module
 */
import type { Drill } from "./field/drill.ts";
import { D09 } from "./d09-destructive-sql/drill.ts";

export const DRILLS: readonly Drill[] = [D09];
