/**
 * Asks MariaDB or MySQL one question after another.
 *
 * @module
 */
import type { z } from "zod";
import { pagesOf, valuesOf, type Told } from "../database.ts";
import type { ProbePorts, Reply } from "../probe.ts";
import { Privileges, readGrant, type MysqlGrant } from "./grants.ts";
import {
  COLUMNS,
  columnSchema,
  countQuestion,
  GRANTS,
  IDENTITY,
  identitySchema,
  ROLES,
  roleSchema,
  ROUTINES,
  routineSchema,
  TABLES,
  tableSchema,
  TRIGGERS,
  triggerSchema,
  type Identity,
  type Table,
} from "./questions.ts";

/** Tables of at most this size are counted. */
const COUNTED_BYTES_MAX = 32 * 1024 * 1024;
const COUNTS_OF_ONE_QUESTION = 50;
const COUNTED_MAX = 2000;

type Ask = ProbePorts["ask"];

/** Everything that was asked. */
export interface Answers {
  readonly identity: Identity;
  readonly privileges: Privileges;
  readonly roles: Told<z.infer<typeof roleSchema>>;
  readonly tables: readonly Table[];
  /** Names of columns, by table: `shop.orders`. */
  readonly columns: ReadonlyMap<string, readonly string[]>;
  readonly columnsProblem?: string;
  readonly routines: Told<z.infer<typeof routineSchema>>;
  readonly triggers: Told<z.infer<typeof triggerSchema>>;
  readonly counts: ReadonlyMap<string, number>;
}

/** Asks everything. A text where the answers that all else rests on did not come. */
export async function askAll(ask: Ask): Promise<Answers | string> {
  const who = await rowsOf(ask, IDENTITY, identitySchema);
  const [identity] = who.rows;
  if (identity === undefined) return `who one is there: ${who.problem ?? "nothing"}`;
  const privileges = readGrants(await ask({ ...query(GRANTS), isFixed: true }));
  if (typeof privileges === "string") return `its grants: ${privileges}`;
  const tables = await rowsOf(ask, TABLES, tableSchema);
  if (tables.problem !== undefined) return `its tables: ${tables.problem}`;
  const columns = await rowsOf(ask, COLUMNS, columnSchema);
  const byTable = new Map<string, string[]>();
  for (const [database, table, column] of columns.rows) {
    const key = `${database}.${table}`;
    const known = byTable.get(key);
    if (known === undefined) byTable.set(key, [column]);
    else known.push(column);
  }
  const counted = tables.rows.filter(
    ({ isPlain, bytes, database, table }) =>
      isPlain && (bytes ?? 0) <= COUNTED_BYTES_MAX && privileges.hasOn(database, table, "SELECT"),
  );
  return {
    ...{ identity, privileges, tables: tables.rows, columns: byTable },
    ...(columns.problem === undefined ? {} : { columnsProblem: columns.problem }),
    roles: await rowsOf(ask, ROLES, roleSchema),
    routines: await rowsOf(ask, ROUTINES, routineSchema),
    triggers: await rowsOf(ask, TRIGGERS, triggerSchema),
    counts: await countsOf(ask, counted.slice(0, COUNTED_MAX)),
  };
}

/** Every line must be understood: what one that is not would grant nobody knows. */
function readGrants({ rows, status, isCut, failure }: Reply): Privileges | string {
  if (rows === undefined || status !== 200 || isCut)
    return failure ?? "the server refused the question";
  const grants: MysqlGrant[] = [];
  for (const [line] of rows) {
    const read = readGrant(line ?? "");
    if (read === undefined) return "a line of SHOW GRANTS is not understood";
    if (read !== "role") grants.push(read);
  }
  return new Privileges(grants);
}

async function countsOf(ask: Ask, tables: readonly Table[]): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (let at = 0; at < tables.length; at += COUNTS_OF_ONE_QUESTION) {
    const some = tables.slice(at, at + COUNTS_OF_ONE_QUESTION);
    const values = valuesOf(await ask(query(countQuestion(some))))[0];
    if (!Array.isArray(values) || values.length !== some.length) continue; // Estimates are left.
    for (const [index, { database, table }] of some.entries()) {
      const value: unknown = values[index];
      if (typeof value === "number" && Number.isSafeInteger(value))
        counts.set(`${database}.${table}`, value);
    }
  }
  return counts;
}

function rowsOf<Row>(ask: Ask, sql: string, schema: z.ZodType<Row>): Promise<Told<Row>> {
  return pagesOf((page) => ask(query(`${sql} ${page.toUpperCase()}`)), schema);
}

function query(sql: string) {
  return { operation: { sql, database: null } };
}
