/**
 * From an operation (the text of one message, with its parameters) to what it does.
 *
 * @module
 */
import { z } from "zod";
import { EFFECTS, type Effect, type Json } from "../../action/index.ts";
import type { Described, Surroundings } from "../protocol.ts";
import { Findings, type Part } from "./findings.ts";
import { parseSql, type Statement } from "./grammar.ts";
import { optionsOf, type PostgresOptions } from "./options.ts";
import { addStatement, type Prepared } from "./statements.ts";
import { POSTGRES_VERBS, type PostgresVerb } from "./verbs.ts";

const operationSchema = z.strictObject({
  /** One message's text: a simple query, or what was parsed. */
  sql: z.string(),
  /** Values of its parameters: text, NULL, or bytes in base64 where they are binary. */
  parameters: z
    .array(z.union([z.string(), z.null(), z.strictObject({ base64: z.string() })]))
    .optional(),
  /** Types of its parameters, by object id; 0 where the server tells. */
  types: z.array(z.int()).optional(),
  /** Texts of PREPARE statements that it may EXECUTE, by name. */
  prepared: z.record(z.string(), z.string()).optional(),
  /** It is only parsed, and performed when it is asked for with its parameters. */
  isPrepared: z.literal(true).optional(),
  /** Formats of its answer's columns: 0 text, 1 binary. */
  results: z.array(z.int()).optional(),
  /** Logging in: who one is then is looked up. */
  isLogin: z.literal(true).optional(),
});

/** One operation of this protocol. */
export type PostgresOperation = z.infer<typeof operationSchema>;

/** What is looked up for an operation; see `factsFor`, and the broker's preview. */
const factsSchema = z.looseObject({
  calls: z.array(z.string()).default([]),
  veiled: z.array(z.string()).default([]),
});

/** Reads an operation; `undefined` where it is none. */
export function readOperation(operation: Json): PostgresOperation | undefined {
  const read = operationSchema.safeParse(operation);
  return read.success ? read.data : undefined;
}

/** An operation as it was understood. */
export interface Read {
  readonly found: Findings;
  readonly statements: readonly Statement[];
}

/**
 * Texts of the server's own programs that are harmless in a way that reading them cannot tell: pg_dump takes the
 * name of a setting from a row, which its WHERE holds at this one.
 */
const OF_PROGRAMS: ReadonlySet<string> = new Set([
  "SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'",
]);

/** Reads `sql`, without what is looked up. Never throws. */
export function readSql(sql: string, options: PostgresOptions, prepared: Prepared = {}): Read {
  const found = new Findings(options);
  if (OF_PROGRAMS.has(sql)) {
    found.isOfSession = true;
    found.reads(["pg_catalog", "pg_settings"]);
    return { found, statements: [] };
  }
  const parsed = parseSql(sql);
  if (!parsed.ok) {
    found.refuse(`does not parse: ${parsed.problem}`);
    return { found, statements: [] };
  }
  try {
    for (const { kind, node } of parsed.statements) {
      addStatement(found, kind, node, prepared);
      found.statement += 1;
    }
  } catch (error) {
    // A tree that is too deep to look through.
    if (!(error instanceof RangeError)) throw error;
    found.refuse("nested too deeply");
  }
  return { found, statements: parsed.statements };
}

export function describePostgres(operation: Json, surroundings: Surroundings): Described {
  const options = optionsOf(surroundings.options);
  const asked = readOperation(operation);
  const facts = factsSchema.safeParse(surroundings.facts ?? {});
  if (asked === undefined || !facts.success) {
    const found = new Findings(options);
    found.refuse("no operation of this protocol");
    return described(found, [], { sql: "" }, surroundings);
  }
  const { found, statements } = readSql(asked.sql, options, asked.prepared);
  for (const object of facts.data.calls) {
    const dot = object.indexOf(".");
    found.add("call", ["execute"], [object.slice(0, dot), object.slice(dot + 1)]);
  }
  for (const table of facts.data.veiled) {
    found.refuse(`${table} shows rows of a table of which columns are hidden`);
  }
  checkHidden(found);
  return described(found, statements, asked, surroundings);
}

/** Refuses what could give a hidden column: by its name, by `*`, or with its whole row. */
export function checkHidden(found: Findings): void {
  if (found.hiddenColumns.size === 0) return;
  for (const [column, table] of found.hiddenColumns) {
    if (found.columns.has(column)) return found.refuse(`names ${table}.${column}, which is hidden`);
  }
  const [table] = found.hiddenColumns.values();
  for (const alias of found.hiddenAliases) {
    if (found.starred.has(alias)) {
      return found.refuse(
        `gives every column of ${table}, of which some are hidden: name the others`,
      );
    }
    if (found.alone.has(alias)) {
      return found.refuse(`gives whole rows of ${table}, of which columns are hidden`);
    }
  }
  const isUnclear = [...found.starred].some((one) => !found.openAliases.has(one));
  if (isUnclear && found.hiddenAliases.size > 0) {
    found.refuse(`may give every column of ${table}, of which some are hidden: name the others`);
  }
  return undefined;
}

function described(
  found: Findings,
  statements: readonly Statement[],
  asked: PostgresOperation,
  { host, port, options, body }: Surroundings,
): Described {
  const database = optionsOf(options).database;
  const parts = partsOf(found, asked);
  const effects = EFFECTS.filter((one) => parts.some((part) => part.effects.includes(one)));
  const verb = verbOf(parts, statements.length);
  const object = parts.find((part) => part.object.length > 0)?.object.join(".");
  const place = `postgres://${host}:${port}/${database}`;
  return {
    verb,
    effects,
    target: object === undefined ? place : `${place} ${object}`,
    summary:
      asked.isLogin === true
        ? `Log in to ${database}`
        : summaryOf(found, parts, statements.length, asked.isPrepared === true),
    fields: {
      statement: asked.sql,
      ...(asked.parameters === undefined ? {} : { parameters: asked.parameters }),
      ...(asked.prepared === undefined ? {} : { prepared: asked.prepared }),
      ...(body === undefined ? {} : { input: inputOf(body) }),
      ...(found.problem === undefined ? {} : { problem: found.problem }),
    },
    parts: parts.map((part) => ({
      verb: part.verb,
      effects: [...part.effects],
      object: [...part.object],
      ...(part.count < 2 ? {} : { count: part.count }),
    })),
    ...(effects.every((one) => one === "read" || one === "read-private")
      ? {}
      : { impact: { reversible: false } }),
  };
}

const INPUT_CHARS = 20_000;

/** What COPY FROM STDIN is given: for a person, as it is where it is text. */
function inputOf(body: Uint8Array): Json {
  const text = Buffer.from(body).toString("utf8");
  const isText = Buffer.from(text).equals(body);
  return {
    bytes: body.length,
    ...(isText && text.length <= INPUT_CHARS
      ? { text }
      : { base64: Buffer.from(body).toString("base64").slice(0, INPUT_CHARS) }),
  };
}

function partsOf(found: Findings, asked: PostgresOperation): readonly Part[] {
  if (found.problem !== undefined) {
    return [{ verb: "unknown", effects: POSTGRES_VERBS.unknown.effects, object: [], count: 1 }];
  }
  const all = [...found.parts.values()];
  if (all.length === 0) return [{ verb: "session", effects: ["read"], object: [], count: 1 }];
  if (asked.isPrepared !== true) return all;
  // Parsed, it tells of what it names, and does nothing yet.
  return all.map(({ verb, object }) => ({ verb, effects: ["read"], object, count: 1 }));
}

const strength = (effects: readonly Effect[]) =>
  Math.max(...effects.map((one) => EFFECTS.indexOf(one)));

function verbOf(parts: readonly Part[], statements: number): PostgresVerb {
  const verbs = new Set(parts.map(({ verb }) => verb));
  const first = parts[0]?.verb ?? "unknown";
  if (verbs.size === 1) return first;
  const serious = [...verbs].filter((one) => one !== "session" && one !== "describe");
  if (statements > 1 && serious.length > 1) return "batch";
  return parts.reduce((most, part) =>
    strength(part.effects) > strength(most.effects) ? part : most,
  ).verb;
}

function summaryOf(
  found: Findings,
  parts: readonly Part[],
  statements: number,
  isPrepared: boolean,
): string {
  if (found.problem !== undefined) return `a statement that ${found.problem}`;
  const each = parts.map(({ verb, object, effects }) => {
    const isAll = verb === "update" && effects.includes("delete");
    return [verb, ...(isAll ? ["every row of"] : []), object.join(".")].filter(Boolean).join(" ");
  });
  const shown = each.slice(0, 5).join(", ") + (each.length > 5 ? `, ${each.length - 5} more` : "");
  const many = statements > 1 ? `${statements} statements: ` : "";
  return `${isPrepared ? "prepare: " : ""}${many}${shown}`;
}
