/**
 * What SHOW GRANTS says, read strictly: who may do what, on everything, on databases, on tables, and on routines.
 *
 * @module
 */

/** One line. */
export interface MysqlGrant {
  /** In capitals: `SELECT`, `ALL PRIVILEGES`, `UPDATE`. One on columns is one on the table. */
  readonly privileges: readonly string[];
  /** `*` is any; a database may be a pattern with `%` and `_`. */
  readonly database: string;
  readonly name: string;
  /** It is about a function, procedure or package. */
  readonly isRoutine: boolean;
  readonly mayGrant: boolean;
}

const NAME = "(?:\\*|`(?:[^`]|``)*`)";
const LIST = "[A-Z][\\w ,()`$.\\u0080-\\uffff-]*?";
const KIND = "TABLE |PROCEDURE |FUNCTION |PACKAGE |PACKAGE BODY ";
const GRANT = new RegExp(`^GRANT (${LIST}) ON (${KIND})?(${NAME})\\.(${NAME}) TO (.*)$`, "s");
/** `GRANT role TO user`: roles are asked for by themselves. PROXY needs a plugin that maps users. */
const MEMBERSHIP = /^(?:GRANT (?!.* ON ).* TO |GRANT PROXY ON |SET DEFAULT ROLE )/s;

const LINE_CHARS_MAX = 20_000;

/** Reads one line: what it grants, nothing where it is about a role, `undefined` where it is not understood. */
export function readGrant(line: string): MysqlGrant | "role" | undefined {
  if (line.length > LINE_CHARS_MAX) return undefined;
  const match = GRANT.exec(line);
  if (match === null) return MEMBERSHIP.test(line) ? "role" : undefined;
  const [, list = "", kind, database = "", name = "", rest = ""] = match;
  const privileges = list
    .replaceAll(/\([^)]*\)/g, "")
    .split(",")
    .map((one) => one.trim());
  return {
    privileges,
    database: unquoted(database),
    name: unquoted(name),
    isRoutine: kind !== undefined && kind !== "TABLE ",
    mayGrant: / WITH (?:.* )?GRANT OPTION/.test(rest),
  };
}

function unquoted(text: string): string {
  return text === "*" ? text : text.slice(1, -1).replaceAll("``", "`");
}

/** Everything that one account may do. */
export class Privileges {
  readonly #grants: readonly MysqlGrant[];

  constructor(grants: readonly MysqlGrant[]) {
    this.#grants = grants;
  }

  /** On everything there is: `FILE`, `SUPER`. */
  hasGlobal(privilege: string): boolean {
    return this.#grants.some(
      ({ database, name, privileges }) =>
        database === "*" && name === "*" && holds(privileges, privilege),
    );
  }

  /** On one table, or on any of its columns. */
  hasOn(database: string, table: string, privilege: string): boolean {
    return this.#grants.some(
      (one) =>
        !one.isRoutine &&
        (one.name === "*" ? coversDatabase(one.database, database) : one.database === database) &&
        (one.name === "*" || one.name === table) &&
        holds(one.privileges, privilege),
    );
  }

  /** Whether it may call a routine. */
  mayCall(database: string, routine: string): boolean {
    const name = routine.toLowerCase();
    return this.#grants.some(
      (one) =>
        (one.isRoutine
          ? one.database === database && one.name.toLowerCase() === name
          : one.name === "*" && coversDatabase(one.database, database)) &&
        holds(one.privileges, "EXECUTE"),
    );
  }
}

function holds(privileges: readonly string[], wanted: string): boolean {
  return privileges.some((one) => one === wanted || /^ALL(?: PRIVILEGES)?$/.test(one));
}

/** `%` is any text and `_` any character, unless a backslash stands before it. */
function coversDatabase(pattern: string, database: string): boolean {
  if (pattern === "*") return true;
  const source = pattern.replaceAll(/\\[%_\\]|[%_]|[^\w]/g, (part) => {
    if (part === "%") return ".*";
    if (part === "_") return ".";
    return part.length === 2 ? part.slice(1).replaceAll("\\", "\\\\") : `\\${part}`;
  });
  return new RegExp(`^${source}$`, "is").test(database);
}
