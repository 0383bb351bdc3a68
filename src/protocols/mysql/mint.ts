/**
 * A user for one run: it may do what the grant's rules say, and no more. What MySQL's rights cannot hold (a part of a
 * name, a hidden column) is refused rather than widened.
 *
 * @module
 */
import { Fault } from "../../base/index.ts";

export interface SqlLogin {
  readonly user: string;
  readonly password: string;
  readonly database: string | undefined;
  readonly hidden: readonly string[];
  readonly rules: readonly {
    readonly verbs?: readonly string[];
    readonly on?: readonly (readonly string[])[];
  }[];
}

const RIGHTS: Readonly<Record<string, readonly string[]>> = {
  select: ["SELECT"],
  show: ["SELECT"],
  insert: ["SELECT", "INSERT"],
  replace: ["SELECT", "INSERT", "DELETE"],
  update: ["SELECT", "UPDATE"],
  delete: ["SELECT", "DELETE"],
  truncate: ["DROP"],
  create: ["CREATE", "REFERENCES"],
  alter: ["ALTER", "INDEX"],
  drop: ["DROP"],
  call: ["EXECUTE"],
};
const EVERY = Object.keys(RIGHTS).filter((verb) => verb !== "call");
const USER = /^[A-Za-z0-9._-]{1,32}$/;
const PASSWORD = /^[A-Za-z0-9_-]{16,128}$/;

/** Statements that make `login`. @throws {Fault} `protocols.mint` */
export function createUserStatements(login: SqlLogin): readonly string[] {
  const { user, password, rules, database, hidden } = login;
  if (!USER.test(user) || !PASSWORD.test(password)) {
    throw new Fault("protocols.mint", "the name or the password of the new user is not plain");
  }
  if (hidden.length > 0) {
    throw new Fault("protocols.mint", "a user cannot be kept from a column by leaving it out", {
      hint: "grant the columns to a user of your own, or drop `mint:`",
    });
  }
  const rights = new Map<string, Set<string>>();
  for (const { verbs = [], on } of rules) {
    const named = verbs.includes("*") ? EVERY : verbs;
    const globs = on ?? (database === undefined ? undefined : [[database, "*"]]);
    if (globs === undefined) {
      throw new Fault("protocols.mint", "a rule without `on:` covers every database", {
        hint: "say on: [DATABASE.*], or with: { database: DATABASE }",
      });
    }
    for (const verb of named) {
      const wanted = RIGHTS[verb] ?? [];
      for (const glob of globs) {
        const place = placeOf(glob, verb);
        const known = rights.get(place) ?? new Set<string>();
        for (const right of wanted) known.add(right);
        if (wanted.length > 0) rights.set(place, known);
      }
    }
  }
  const account = `'${user}'@'%'`;
  return [
    `CREATE USER ${account} IDENTIFIED BY '${password}'`,
    ...[...rights].map(
      ([place, known]) => `GRANT ${[...known].sort().join(", ")} ON ${place} TO ${account}`,
    ),
  ];
}

/** Statements that take it away. @throws {Fault} `protocols.mint` */
export function dropUserStatements(user: string): readonly string[] {
  if (!USER.test(user)) throw new Fault("protocols.mint", "that is no user of ours");
  return [`DROP USER IF EXISTS '${user}'@'%'`];
}

function placeOf(glob: readonly string[], verb: string): string {
  const [database = "", name = "", ...more] = glob;
  const isPlain = (text: string) => text !== "" && !text.includes("*") && !text.includes("\0");
  const isAll = name === "*" || name === "**";
  if (more.length > 0 || !isPlain(database) || !(isAll || isPlain(name))) {
    throw new Fault("protocols.mint", `the rights of a user cannot be ${glob.join(".")}`, {
      hint: "name whole tables (shop.orders) or whole databases (shop.*)",
    });
  }
  const quoted = (text: string) => `\`${text.replaceAll("`", "``")}\``;
  // Of a database alone, `_` and `%` are wildcards.
  if (isAll) return `${quoted(database.replaceAll(/[\\_%]/g, String.raw`\$&`))}.*`;
  return `${verb === "call" ? "PROCEDURE " : ""}${quoted(database)}.${quoted(name)}`;
}
