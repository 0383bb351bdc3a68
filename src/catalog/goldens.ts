/**
 * Golden requests by system.
 *
 * @module
 */
import { golden as wordpress } from "./entries/wordpress.golden.ts";
import type { Golden } from "./golden.ts";

export const GOLDENS: ReadonlyMap<string, readonly Golden[]> = new Map([["wordpress", wordpress]]);
