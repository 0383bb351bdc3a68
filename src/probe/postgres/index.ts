/** What a login at PostgreSQL can really do. */
import type { TaskGrant } from "../../policy/index.ts";
import { FactBook } from "../database.ts";
import type { Probe, Probed, ProbePorts } from "../probe.ts";
import { askAll, isGrantable, isNear, type Answers } from "./asking.ts";
import { addMaking, addRoles, addSurroundings, addTables } from "./facts.ts";
import type { Role } from "./questions.ts";
import { addRoutines } from "./routine-facts.ts";
import { Subjects } from "./subjects.ts";

/** One question may take this long, where the grant does not say. */
const STATEMENT = "30s";

export const postgresProbe: Probe = {
  system: "postgres",
  asks: [
    "who one is: superuser, CREATEROLE, BYPASSRLS, REPLICATION, the roles one is or can become",
    "tables, views and foreign tables: names of columns, owners, privileges (PUBLIC's too), row security, sizes",
    "how many rows each table of at most 32 MB has that one may read",
    "functions that one may call: owner, SECURITY DEFINER, language, and the text of those in SQL and PL/pgSQL",
    "schemas one may make things in, foreign servers, further databases, and the server's own address",
  ],
  withOf,
  probe,
};

/**
 * The same database with nothing of a user's in the search path. What is hidden from the run is not asked about: no
 * question names a column of a user's.
 */
function withOf(given: TaskGrant["with"] = {}): TaskGrant["with"] {
  return { statement: STATEMENT, ...given, path: ["pg_catalog"], hide: [], private: [] };
}

async function probe({ grant, principal, at, ask }: ProbePorts): Promise<Probed> {
  const answers = await askAll(ask);
  if (typeof answers === "string")
    return { facts: [], notes: [`PostgreSQL did not tell ${answers}`] };
  const book = new FactBook(at);
  const subjects = new Subjects(answers, grant, principal);
  const roles = rolesOf(answers);
  addRoles(book, subjects, roles);
  addTables(book, subjects, roles);
  addRoutines(book, subjects, roles);
  addMaking(book, subjects);
  addSurroundings(book, subjects);
  if (roles.some((role) => !subjects.isTold(role)))
    book.notes.push(
      "of some roles it was not told what they may do; they count as if they might do everything",
    );
  for (const [what, { problem }] of Object.entries({
    "row security": answers.policies,
    views: answers.views,
    "foreign servers": answers.servers,
    "foreign tables": answers.foreignTables,
    "other databases": answers.databases,
  })) {
    if (problem !== undefined) book.notes.push(`${what}: ${problem}`);
  }
  if (book.isFull)
    return { facts: [], notes: ["there is more than can be told; all of it is assumed"] };
  return { facts: book.facts, notes: book.notes };
}

/** Oneself, those that one can become, and owners of programs that run as them. */
function rolesOf({ me, roles, functions, identity, privileges }: Answers): readonly Role[] {
  const owners = new Set(
    functions.rows
      .filter(({ isDefiner, callers }) => isDefiner && callers.length > 0)
      .map(({ owner }) => owner),
  );
  const others = roles.filter(
    (role) => role !== me && (isNear(role, me, identity.version) || owners.has(role.oid)),
  );
  const untold = others.filter((role) => !role.isSuper && !privileges.has(role.oid));
  const [first] = untold;
  if (first === undefined) return [me, ...others];
  // One stands for all of whom nothing was told: whatever any of them is to this session.
  const further: Role = {
    ...first,
    isSettable: untold.some(({ isSettable }) => isSettable),
    isAdministered: untold.some((role) => isGrantable(role, me, identity.version)),
  };
  return [me, ...others.filter((role) => !untold.includes(role)), further];
}
