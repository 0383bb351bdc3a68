/**
 * `retention.yaml` of the home: for how many months the record is kept. Where there is none, six.
 *
 * ```yaml
 * months: 24      # or `forever`
 * ```
 *
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { readPrivateFile } from "../channel/index.ts";
import { parseYamlFile, type YamlFile } from "../yaml/index.ts";

export const RETENTION_FILE = "retention.yaml";
const MONTHS = 6;
const MONTHS_MAX = 1200;
/** Regulation (EU) 2024/1689, Articles 19(1) and 26(6): logs of high-risk systems are kept at least six months. */
const MONTHS_OF_LAW = 6;

const schema = z.strictObject({
  months: z
    .union([z.int().min(1).max(MONTHS_MAX), z.literal("forever")])
    .describe("how many months entries are kept, or forever"),
});

const FILE: YamlFile<z.infer<typeof schema>> = {
  schema,
  code: "retention.settings",
  start: "months: 6",
  empty: "an empty file says nothing; remove it, or write `months: 6`",
  tooLong: "it has one line",
  guide: "docs/guides/keeping-the-record.md",
  check: () => [],
};

/** How long the record is kept. */
export interface Retention {
  readonly months: number | "forever";
  /** What somebody should know of it. */
  readonly warning?: string;
}

/**
 * The retention of the home at `root`.
 *
 * @throws {Fault} `channel.file`, `retention.settings`: nothing is pruned then.
 */
export function readRetention(root: string): Retention {
  const path = join(root, RETENTION_FILE);
  const text = readPrivateFile(path);
  const { months } = text === undefined ? { months: MONTHS } : parseYamlFile(text, path, FILE);
  if (months === "forever" || months >= MONTHS_OF_LAW) return { months };
  const warning = `${months} months is less than the ${MONTHS_OF_LAW} for which the EU AI Act (Articles 19 and 26) has logs of high-risk systems kept`;
  return { months, warning };
}

/** The moment before which entries are due, at `nowMs`: the same day of the month, or its last. `undefined` for ever. */
export function cutoffOf({ months }: Retention, nowMs: number): string | undefined {
  if (months === "forever") return undefined;
  const now = new Date(nowMs);
  const cutoff = new Date(nowMs);
  cutoff.setUTCMonth(now.getUTCMonth() - months);
  // Half a year before 31 August there is no 31 February: the day before its 1 March.
  if (cutoff.getUTCDate() !== now.getUTCDate()) cutoff.setUTCDate(0);
  return cutoff.toISOString();
}
