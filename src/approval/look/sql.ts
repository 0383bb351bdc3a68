/**
 * Statements of SQL: what they are, on which tables they do what, and rows before and after, where it was tried.
 *
 * @module
 */
import type { Action, Json } from "../../action/index.ts";
import type { LookAct, LookOf, LookTable } from "../../api/index.ts";
import { isMembers, membersIn, textOf, textsIn, type Members } from "./members.ts";
import type { Readable, Reading } from "./reading.ts";

type SqlLook = LookOf<"sql">;

/** A statement of PostgreSQL (`statement`) or of MySQL (`sql`); `undefined` where there is none. */
export function readSql({ fields, kind = "", parts }: Readable): Reading | undefined {
  const name = typeof fields["statement"] === "string" ? "statement" : "sql";
  const statement = fields[name];
  if (typeof statement !== "string") return undefined;
  const { database, parameters, problem, input } = fields;
  return {
    content: {
      kind: "sql",
      dialect: kind,
      statement,
      ...(typeof database === "string" ? { database } : {}),
      parameters: [...textsIn(parameters)],
      acts: actsOf(parts),
      ...triedOf(fields["preview"], fields["found"]),
      ...(isMembers(input) ? { input: contentOf(input) } : {}),
      ...(typeof problem === "string" ? { problem } : {}),
    },
    shown: [name, "database", "parameters", "preview", "input", "problem"],
  };
}

export function actsOf(parts: Action["parts"] = []): LookAct[] {
  return parts.map(({ verb, effects, object = [], count = 1 }) => ({
    ...{ verb, effects: [...effects], object: [...object], count },
  }));
}

/** `{ bytes, sha256, text, isCut }`, as protocols describe what belongs to an operation. */
export function contentOf({
  bytes,
  sha256,
  text,
  isCut,
  base64,
}: Members): NonNullable<SqlLook["input"]> {
  return {
    bytes: typeof bytes === "number" ? bytes : 0,
    ...(typeof sha256 === "string" ? { sha256 } : {}),
    ...(typeof text === "string" ? { text } : {}),
    isCut: isCut === true || base64 !== undefined,
  };
}

/** What the broker found by running it and rolling back, or why it did not. */
function triedOf(
  preview: Json | undefined,
  found: Json | undefined,
): Pick<SqlLook, "rows" | "table" | "notTried" | "note" | "plan"> {
  const tried = isMembers(preview) ? preview : {};
  const current = isMembers(found) && isMembers(found["current"]) ? found["current"] : {};
  const rows = tried["rows"] ?? current["rows"];
  const why = tried["notRun"] ?? tried["none"];
  const table = tableOf(tried["before"], tried["after"]);
  return {
    ...(typeof rows === "number" ? { rows } : {}),
    ...(table === undefined ? {} : { table }),
    ...(typeof why === "string" ? { notTried: why } : {}),
    ...(typeof tried["note"] === "string" ? { note: tried["note"] } : {}),
    plan: [...textsIn(tried["plan"])],
  };
}

interface Side {
  readonly columns: readonly string[];
  readonly rows: readonly (string | null)[][];
}

function tableOf(before: Json | undefined, after: Json | undefined): LookTable | undefined {
  const [old, now] = [sideOf(before), sideOf(after)];
  const columns = [...new Set([...(old?.columns ?? []), ...(now?.columns ?? [])])];
  if (columns.length === 0) return undefined;
  const rowsOf = (side: Side | undefined) =>
    (side?.rows ?? []).map((row) =>
      columns.map((column) => row[side?.columns.indexOf(column) ?? -1] ?? null),
    );
  return { columns, rows: paired(rowsOf(old), rowsOf(now)) };
}

/** Rows with the same first column are the same row, where that tells them apart on both sides. */
function paired(
  before: readonly (string | null)[][],
  after: readonly (string | null)[][],
): LookTable["rows"] {
  const keys = (rows: readonly (string | null)[][]) => rows.map(([key = null]) => key);
  const isKey = [before, after].every((rows) => {
    return new Set(keys(rows)).size === rows.length && !keys(rows).includes(null);
  });
  if (!isKey)
    return [...before.map((row) => ({ before: row })), ...after.map((row) => ({ after: row }))];
  const matched = new Set<string | null>();
  const old = before.map((row) => {
    const same = after.find(([key]) => key === row[0]);
    if (same !== undefined) matched.add(row[0] ?? null);
    return { before: row, ...(same === undefined ? {} : { after: same }) };
  });
  const fresh = after.filter(([key = null]) => !matched.has(key)).map((row) => ({ after: row }));
  return [...old, ...fresh];
}

/** PostgreSQL's rows are objects; MySQL's are lists, the names of columns first. */
function sideOf(side: Json | undefined): Side | undefined {
  if (!Array.isArray(side) || side.length === 0) return undefined;
  const items = side as readonly Json[];
  const cell = (value: Json | undefined) =>
    value === undefined || value === null ? null : textOf(value);
  if (items.every(isMembers)) {
    const columns = [...new Set(items.flatMap((row) => Object.keys(row)))];
    const rows = membersIn(side).map((row) => columns.map((column) => cell(row[column])));
    return { columns, rows };
  }
  if (!items.every(Array.isArray)) return undefined;
  const [head, ...rows] = items as readonly (readonly Json[])[];
  return { columns: (head ?? []).map(textOf), rows: rows.map((row) => row.map(cell)) };
}
