/**
 * `lineages.yaml` of the home: what all runs of a job, an agent or a credential together may do, and which places they
 * share because they are meant to. One place, for whoever starts a thousand runs.
 *
 * @module
 */
import { z } from "zod";
import { LINEAGE_KINDS, type LineageKey } from "../action/index.ts";
import { parseYamlFile, type YamlFile } from "../yaml/index.ts";
import { scaled, type LineageBudget } from "./lineage-budget.ts";
import { BYTES_PATTERN, DURATION_PATTERN, parseBytes, parseDurationMs } from "../base/index.ts";

export const LINEAGES_FILE = "lineages.yaml";
const ENTRIES_MAX = 200;
const SHARED_MAX = 200;
const CURRENCIES_MAX = 20;
const COUNT_MAX = 1e12;
const DISTINCT_MAX = 10_000; // Each is kept.

const count = z.int().min(0).max(COUNT_MAX);
const distinct = z.int().min(0).max(DISTINCT_MAX);

const budgetSchema = z.strictObject({
  requests: count.optional().describe("how many requests and operations"),
  writes: count.optional().describe("how many of them change something"),
  recipients: distinct.optional().describe("how many different recipients"),
  destinations: distinct.optional().describe("how many different hosts and ports"),
  connections: count.optional().describe("how many connections"),
  bytes: z
    .string()
    .regex(new RegExp(BYTES_PATTERN))
    .optional()
    .describe("how many bytes in and out: 512MiB, 10GiB"),
  cpu: z
    .string()
    .regex(new RegExp(DURATION_PATTERN))
    .optional()
    .describe("how much processor time: 90s, 10m, 2h"),
  gpu: z
    .string()
    .regex(new RegExp(DURATION_PATTERN))
    .optional()
    .describe("how much GPU time, over all its GPUs: 90s, 10m, 2h"),
  amounts: z
    .record(z.string().regex(/^[A-Z]{3,10}$/), z.string().regex(/^\d{1,18}(?:\.\d{1,12})?$/))
    .refine((all) => Object.keys(all).length <= CURRENCIES_MAX, "holds too many currencies")
    .optional()
    .describe('how much money, by currency: { EUR: "50.00" }'),
});

const schema = z.strictObject({
  lineages: z
    .array(
      z.strictObject({
        lineage: z
          .string()
          .regex(
            new RegExp(
              `^(?:${LINEAGE_KINDS.join("|")}):(?:[A-Za-z0-9][A-Za-z0-9._-]{0,62}\\*?|\\*)$`,
            ),
          )
          .describe(
            "job:NAME, agent:NAME or credential:NAME; with a * at the end all that start so",
          ),
        budget: budgetSchema.describe("what all its runs together may do"),
      }),
    )
    .max(ENTRIES_MAX)
    .default([]),
  shared: z
    .array(z.string().min(1).max(500))
    .max(SHARED_MAX)
    .default([])
    .describe("places that runs share because they are meant to: the start of what they act on"),
});

const FILE: YamlFile<z.infer<typeof schema>> = {
  code: "policy.lineages",
  start: "lineages:",
  empty: "it would limit nothing",
  tooLong: "say the same of several by a * at the end",
  guide: "docs/guides/swarms.md",
  schema,
  check: () => [],
};

/** What `lineages.yaml` says. */
export interface LineageRules {
  /** The budget of a lineage that is called by any of `keys`: of the first entry that fits; `undefined` where none does. */
  budgetOf(keys: readonly LineageKey[]): LineageBudget | undefined;
  readonly shared: readonly string[];
}

export const NO_LINEAGE_RULES: LineageRules = { budgetOf: () => undefined, shared: [] };

/** @throws {FileFault} `policy.lineages` with every problem found. */
export function parseLineages(source: string, fileName: string): LineageRules {
  const { lineages, shared } = parseYamlFile(source, fileName, FILE);
  const entries = lineages.map(({ lineage, budget }) => ({ lineage, budget: budgetOf(budget) }));
  return {
    shared,
    budgetOf: (keys) =>
      entries.find(({ lineage }) => keys.some((key) => fits(lineage, key)))?.budget,
  };
}

function fits(pattern: string, key: LineageKey): boolean {
  return pattern.endsWith("*") ? key.startsWith(pattern.slice(0, -1)) : key === pattern;
}

function budgetOf({
  bytes,
  cpu,
  gpu,
  amounts,
  ...counts
}: z.infer<typeof budgetSchema>): LineageBudget {
  const said = Object.entries(counts).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(said),
    ...(bytes === undefined ? {} : { bytes: parseBytes(bytes) }),
    ...(cpu === undefined ? {} : { cpuMs: parseDurationMs(cpu) }),
    ...(gpu === undefined ? {} : { gpuMs: parseDurationMs(gpu) }),
    ...(amounts === undefined
      ? {}
      : {
          amounts: new Map(
            Object.entries(amounts).map(([currency, value]) => [currency, scaled(value)]),
          ),
        }),
  };
}
