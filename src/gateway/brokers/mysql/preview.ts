/**
 * What a write that waits would do: it is run on a connection of its own in a transaction that is rolled back. Only where
 * that leaves nothing behind: tables of InnoDB without triggers that are known. Where it cannot be told, that is said.
 *
 * @module
 */
import type { Json } from "../../../action/index.ts";
import { isFault } from "../../../base/index.ts";
import {
  readMysqlOperation,
  readStatement,
  tokensOf,
  type MysqlOptions,
  type SqlToken,
} from "../../../protocols/index.ts";
import type { Asking, Session } from "../broker.ts";
import { openUpstream, type MysqlUpstream } from "./upstream.ts";
import { readTextRows } from "./text-rows.ts";

const SAMPLE_ROWS = 5;
const SECONDS = 5;
const ROWS_BYTES_MAX = 65_536;

/** A preview for the card, or why there is none; `undefined` where nobody would miss it. */
export async function previewOf(
  session: Session,
  { operation, body }: Asking,
  options: MysqlOptions,
): Promise<Json | undefined> {
  const read = readMysqlOperation(operation);
  if (read === undefined) return undefined;
  const meaning = readStatement(read.sql, { database: read.database ?? undefined, hidden: [] });
  if ("reason" in meaning || !/^(?:insert|replace|update|delete)$/.test(meaning.verb)) {
    return { none: "this kind of statement cannot be tried and taken back" };
  }
  if (meaning.parts.some(({ verb }) => verb === "call")) {
    return { none: "it calls functions of which nobody knows what they do" };
  }
  if (body !== undefined && body.length > 0) {
    return { none: "a statement with parameters is not tried before" };
  }
  try {
    const chosen = read.database === null ? {} : { database: read.database };
    const upstream = await openUpstream(session, await session.connect(), {
      ...chosen,
      seconds: SECONDS,
    });
    try {
      return await tried(
        upstream,
        read.sql,
        meaning.parts.map(({ object }) => object),
        options,
      );
    } finally {
      upstream.socket.destroy();
    }
  } catch (error) {
    return { none: `it could not be tried: ${isFault(error) ? error.message : "internal"}` };
  }
}

async function tried(
  upstream: MysqlUpstream,
  sql: string,
  tables: readonly (readonly [string, string])[],
  options: MysqlOptions,
): Promise<Json> {
  const places = tables.map(([database, name]) => `(${text(database)}, ${text(name)})`).join(", ");
  const engines = await rowsOf(
    upstream,
    `SELECT engine FROM information_schema.tables WHERE (table_schema, table_name) IN (${places})`,
  );
  if (engines.length === 0 || engines.some(([engine]) => engine !== "InnoDB")) {
    return { none: "a table of it is not InnoDB, and could not be rolled back" };
  }
  const triggers = await rowsOf(
    upstream,
    `SELECT trigger_name FROM information_schema.triggers WHERE (event_object_schema, event_object_table) IN (${places})`,
  );
  if (triggers.length > 0) return { none: "a table of it has triggers, which may do anything" };
  await upstream.ask("SET SESSION innodb_lock_wait_timeout = 2");
  await upstream.ask("START TRANSACTION");
  try {
    const sample = sampleOf(sql, tables, options);
    const before = sample === undefined ? undefined : await rowsOf(upstream, sample, true);
    const { reply } = await upstream.ask(sql, ROWS_BYTES_MAX);
    if (reply.isError) return { none: `the server refuses it: ${reply.error.slice(0, 200)}` };
    const after = sample === undefined ? undefined : await rowsOf(upstream, sample, true);
    return {
      rows: reply.affected,
      ...(before === undefined ? {} : { before: before.map((row) => [...row]) }),
      ...(after === undefined ? {} : { after: after.map((row) => [...row]) }),
      note: "found by running it and rolling back; triggers that this login may not see would run too",
    };
  } finally {
    await upstream.ask("ROLLBACK");
  }
}

/** The rows that one table's own condition picks, of an UPDATE or DELETE; names of columns come first. */
function sampleOf(
  sql: string,
  tables: readonly (readonly [string, string])[],
  { hide = [] }: MysqlOptions,
): string | undefined {
  const [table] = tables;
  const tokens = tokensOf(sql);
  const first = tokens[0]?.text;
  if (tables.length !== 1 || table === undefined || (first !== "update" && first !== "delete"))
    return undefined;
  const isHidden = hide.some((one) =>
    one.toLowerCase().startsWith(`${table.join(".")}.`.toLowerCase()),
  );
  const where = outerWord(tokens, /^where$/);
  if (isHidden || where < 0) return undefined;
  const end = outerWord(tokens, /^(?:order|limit|returning)$/);
  const [from, to] = [tokens[where], end > where ? tokens[end] : undefined];
  if (from === undefined || tokens.some(({ kind }) => kind === "parameter")) return undefined;
  const alias =
    first === "update"
      ? tokens.slice(
          1,
          tokens.findIndex(({ text: word }) => word === "set"),
        )
      : [];
  const named =
    alias.length > 0 ? sql.slice(alias[0]?.start, alias.at(-1)?.end) : table.map(quoted).join(".");
  return `SELECT * FROM ${named} ${sql.slice(from.start, to?.start ?? tokens.at(-1)?.end)} LIMIT ${SAMPLE_ROWS}`;
}

function outerWord(tokens: readonly SqlToken[], word: RegExp): number {
  let depth = 0;
  return tokens.findIndex(({ kind, text: one }) => {
    if (kind === "sign" && one === "(") depth += 1;
    if (kind === "sign" && one === ")") depth -= 1;
    return depth === 0 && kind === "word" && word.test(one);
  });
}

async function rowsOf(
  upstream: MysqlUpstream,
  sql: string,
  withNames = false,
): Promise<readonly (readonly (string | null)[])[]> {
  const { reply, bytes } = await upstream.ask(sql, ROWS_BYTES_MAX);
  if (reply.isError) return [];
  const { names, rows } = readTextRows(bytes);
  return withNames ? [names, ...rows] : rows;
}

const text = (value: string) => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
const quoted = (name: string) => `\`${name.replaceAll("`", "``")}\``;
