/**
 * What is asked of MariaDB and MySQL: the information schema, row by row as JSON, one's own grants, and counts.
 *
 * @module
 */
import { z } from "zod";

const name = z.string().min(1).max(256);
const NOT_SYSTEM = (column: string) =>
  `${column} NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')`;

export const identitySchema = z.strictObject({
  account: name,
  version: z.string().max(200),
  comment: z.string().max(200),
  host: name,
  pluginDir: z.string().max(4096).nullable(),
  filesIn: z.string().max(4096).nullable(),
});
export type Identity = z.infer<typeof identitySchema>;

/** Who one is, and what the server tells of itself. */
export const IDENTITY = `SELECT JSON_OBJECT('account', CURRENT_USER(), 'version', VERSION(), 'comment', @@version_comment,
  'host', @@hostname, 'pluginDir', @@plugin_dir, 'filesIn', @@secure_file_priv)`;

/** What one may do, roles that are active from the start included. It tells nothing of a row. */
export const GRANTS = "SHOW GRANTS";

export const roleSchema = z.tuple([name]);

/** Roles that one may become; MySQL has them elsewhere, and then it is not told. */
export const ROLES =
  "SELECT JSON_ARRAY(r.ROLE_NAME) FROM information_schema.APPLICABLE_ROLES r ORDER BY r.ROLE_NAME";

export const tableSchema = z
  .tuple([
    name,
    name,
    z.string(),
    z.string().nullable(),
    z.number().nullable(),
    z.number().nullable(),
  ])
  .transform(([database, table, type, engine, estimate, bytes]) => ({
    ...{ database, table, estimate, bytes },
    isView: type === "VIEW",
    /** Its rows lie here, and reading them runs nothing. */
    isPlain: /^(?:innodb|myisam|aria|memory)$/i.test(engine ?? "") && type === "BASE TABLE",
  }));
export type Table = z.infer<typeof tableSchema>;

export const TABLES = `SELECT JSON_ARRAY(t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE, t.ENGINE, t.TABLE_ROWS, t.DATA_LENGTH)
  FROM information_schema.TABLES t WHERE ${NOT_SYSTEM("t.TABLE_SCHEMA")} ORDER BY t.TABLE_SCHEMA, t.TABLE_NAME`;

export const columnSchema = z.tuple([name, name, name]);

export const COLUMNS = `SELECT JSON_ARRAY(c.TABLE_SCHEMA, c.TABLE_NAME, c.COLUMN_NAME) FROM information_schema.COLUMNS c
  WHERE ${NOT_SYSTEM("c.TABLE_SCHEMA")} ORDER BY c.TABLE_SCHEMA, c.TABLE_NAME, c.ORDINAL_POSITION`;

/** Of a program's text; more of it is not read. */
export const BODY_CHARS_MAX = 20_000;
const body = z
  .string()
  .max(2 * BODY_CHARS_MAX)
  .nullable();

export const routineSchema = z.tuple([name, name, z.string(), z.string().max(300), body]);

export const ROUTINES = `SELECT JSON_ARRAY(r.ROUTINE_SCHEMA, r.ROUTINE_NAME, r.SECURITY_TYPE, r.DEFINER,
  LEFT(r.ROUTINE_DEFINITION, ${BODY_CHARS_MAX}))
  FROM information_schema.ROUTINES r WHERE ${NOT_SYSTEM("r.ROUTINE_SCHEMA")} ORDER BY r.ROUTINE_SCHEMA, r.ROUTINE_NAME`;

export const triggerSchema = z.tuple([name, name, z.string(), name, z.string().max(300), body]);

export const TRIGGERS = `SELECT JSON_ARRAY(g.TRIGGER_SCHEMA, g.TRIGGER_NAME, g.EVENT_MANIPULATION, g.EVENT_OBJECT_TABLE, g.DEFINER,
  LEFT(g.ACTION_STATEMENT, ${BODY_CHARS_MAX}))
  FROM information_schema.TRIGGERS g WHERE ${NOT_SYSTEM("g.TRIGGER_SCHEMA")} ORDER BY g.TRIGGER_SCHEMA, g.TRIGGER_NAME`;

/** Counts rows of `tables`. */
export function countQuestion(tables: readonly Pick<Table, "database" | "table">[]): string {
  const quoted = (text: string) => `\`${text.replaceAll("`", "``")}\``;
  const counts = tables.map(
    ({ database, table }) => `(SELECT COUNT(*) FROM ${quoted(database)}.${quoted(table)})`,
  );
  return `SELECT JSON_ARRAY(${counts.join(", ")})`;
}
