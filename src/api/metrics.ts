/**
 * The control contract's part on metrics: what `cofferdam metrics` serves to a scraper.
 *
 * @module
 */
import { z } from "zod";
import type { Endpoint } from "./endpoint.ts";

const familySchema = z.strictObject({
  name: z.string(),
  type: z.enum(["counter", "gauge", "histogram"]),
  help: z.string(),
  samples: z.array(
    z.strictObject({
      suffix: z.string().optional(),
      labels: z.record(z.string(), z.string()),
      value: z.number(),
    }),
  ),
});

export const METRICS_ENDPOINTS = {
  /** Everything that the daemon counts, and its state of now. No label holds a word of a run. */
  "daemon.metrics": {
    needs: "viewer",
    takes: z.strictObject({}),
    gives: z.array(familySchema),
    streams: false,
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
