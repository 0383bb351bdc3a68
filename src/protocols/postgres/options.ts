/**
 * A PostgreSQL grant's `with:`.
 *
 * @module
 */
import { z } from "zod";
import type { Json } from "../../action/index.ts";

const NAME = /^[^\s.*"'\\]{1,63}$/;
const name = z.string().regex(NAME, "a name, as the catalog writes it");
const pattern = (segments: number) =>
  z
    .string()
    .refine(
      (value) =>
        value.split(".").length === segments &&
        value.split(".").every((one) => one === "*" || NAME.test(one)),
      { message: segments === 3 ? "write schema.table.column" : "write schema.table" },
    );

export const postgresOptions = z.strictObject({
  /** The one database that is granted. */
  database: z.string().min(1).max(63),
  /** Who to be where the grant names no credential (trust, peer). */
  user: z.string().min(1).max(63).optional(),
  /** Schemas in which names without a schema are looked for; the session is held to them. */
  path: z.array(name).min(1).max(8).default(["public"]),
  /** Columns that no answer may hold: schema.table.column; `*` for any segment. */
  hide: z.array(pattern(3)).max(200).default([]),
  /** Tables whose rows are private: schema.table; `*` for any segment. */
  private: z.array(pattern(2)).max(200).default([]),
  /** Most rows that one answer may have. */
  rows: z.int().min(1).max(1_000_000_000).optional(),
  /** How long one statement may take: 500ms, 30s, 5min. */
  statement: z
    .string()
    .regex(/^[1-9]\d{0,6}(ms|s|min)$/, "write 500ms, 30s or 5min")
    .optional(),
});

export type PostgresOptions = z.infer<typeof postgresOptions>;

/** The options as they stand in a policy. @throws where they are not. */
export function optionsOf(options: Json): PostgresOptions {
  return postgresOptions.parse(options);
}

/** Milliseconds that one statement may take. */
export function statementMs({ statement }: PostgresOptions): number | undefined {
  const [, count, unit] = /^(\d+)(ms|s|min)$/.exec(statement ?? "") ?? [];
  if (count === undefined) return undefined;
  return Number(count) * (unit === "ms" ? 1 : unit === "s" ? 1000 : 60_000);
}

/** Whether `object` is one of `patterns`, segment by segment. */
export function matches(patterns: readonly string[], object: readonly string[]): boolean {
  return patterns.some((one) => {
    const segments = one.split(".");
    return (
      segments.length === object.length &&
      segments.every((segment, at) => segment === "*" || segment === object[at])
    );
  });
}
