/**
 * Lineages: what several runs are one of. A run belongs to its job, to its agent, and to each secret that its grants use.
 *
 * @module
 */
import { z } from "zod";

export const LINEAGE_KINDS = ["job", "agent", "credential"] as const;
export type LineageKind = (typeof LINEAGE_KINDS)[number];

const NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}";

/** What a starter may call a job or an agent: it stands in lines, rules and rows, and is nothing else there. */
export const lineageNameSchema = z.string().regex(new RegExp(`^${NAME}$`));

/** `job:NAME`, `agent:NAME`, `credential:ID`. */
export const lineageKeySchema = z
  .string()
  .regex(new RegExp(`^(?:${LINEAGE_KINDS.join("|")}):${NAME}$`));

/** One lineage, as `KIND:NAME`. */
export type LineageKey = string;
