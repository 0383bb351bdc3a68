/**
 * The control contract's part on what leaves for a maintainer.
 *
 * @module
 */
import { z } from "zod";
import type { Endpoint } from "./endpoint.ts";

export const SUPPORT_ENDPOINTS = {
  /**
   * Covers every secret that the daemon knows, and what stands for them, in any spelling, by as many other bytes. Refused
   * while the vault is locked: what it holds could not be looked for.
   */
  "support.cover": {
    needs: "owner",
    takes: z.strictObject({ bytes: z.base64() }),
    gives: z.strictObject({ bytes: z.base64(), found: z.int().nonnegative() }),
    streams: false,
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
