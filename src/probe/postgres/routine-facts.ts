/**
 * From functions and procedures to facts: who may call them, as whom they run, and what they do by their texts.
 *
 * @module
 */
import { ANY, patternsOf } from "../../blast/index.ts";
import type { FactBook } from "../database.ts";
import { addUnscoped } from "./facts.ts";
import type { Beside, Reading } from "../sql-text.ts";
import { readRoutine } from "./programs.ts";
import type { Relation, Role, Routine } from "./questions.ts";
import type { Subjects } from "./subjects.ts";

/** Extensions whose functions connect to where their caller says. */
const DIALING: ReadonlySet<string> = new Set([
  ...["dblink", "http", "pg_net", "pgsql-http", "aws_s3", "aws_lambda", "plproxy", "pg_curl"],
]);
/** Functions of extensions that run SQL that they are given, later and as whoever gave it. */
const SCHEDULING = /^(?:schedule|schedule_in_database|alter_job)$/;

/** Everything about programs; `roles` are those that one can be or call as. */
export function addRoutines(book: FactBook, subjects: Subjects, roles: readonly Role[]): void {
  const { functions, relations } = subjects.answers;
  const own = functions.rows.filter(
    ({ extension, schema }) => extension === null && schema !== "pg_catalog",
  );
  const routines = new Set(own.map(({ name }) => name.toLowerCase()));
  const beside = { relations, routines };
  for (const [at, routine] of functions.rows.entries()) {
    const callers = callersOf(routine, subjects, roles);
    if (callers.length === 0) continue;
    if (routine.schema === "pg_catalog") addOfFiles(book, subjects, routine, callers);
    else addRoutine(book, subjects, { routine, callers, beside, isRead: at < READ_MAX });
  }
  if (functions.problem !== undefined) assumeRoutines(book, subjects, functions.problem);
}

function callersOf(
  { callers }: Routine,
  { answers }: Subjects,
  roles: readonly Role[],
): readonly Role[] {
  return roles.filter(
    (role) => callers.includes(role.oid) || (role.isSuper && role === answers.me),
  );
}

/** Texts that are read; of more it is said that they may do anything. */
const READ_MAX = 1000;

interface Called {
  readonly isRead: boolean;
  readonly routine: Routine;
  readonly callers: readonly Role[];
  readonly beside: Beside<Relation>;
}

function addRoutine(
  book: FactBook,
  subjects: Subjects,
  { routine, callers, beside, isRead }: Called,
): void {
  const object = subjects.routineOf(routine);
  const { schema, name, extension } = routine;
  const isOfInterest =
    extension === null ||
    DIALING.has(extension) ||
    (extension === "pg_cron" && SCHEDULING.test(name));
  if (!isOfInterest) return;
  book.told("pg_proc", "named", object, `${schema}.${name}`);
  for (const role of callers)
    book.told("has_function_privilege", "can", subjects.principalOf(role), "call", object);
  if (extension === null) addDeeds(book, subjects, routine, { callers, beside, isRead });
  else if (DIALING.has(extension)) {
    book.told(`pg_extension ${extension}`, "dials_anywhere", object);
    const why = `what the server at ${subjects.place} can connect to is not told by PostgreSQL`;
    for (const role of callers) book.assume(why, "unknown_reach", subjects.principalOf(role));
  } else {
    book.told(`pg_extension ${extension}`, "runs_any_as_caller", object);
  }
}

/** What it does, as its owner or as whoever calls it. */
function addDeeds(
  book: FactBook,
  subjects: Subjects,
  routine: Routine,
  { callers, beside, isRead }: Omit<Called, "routine">,
): void {
  const object = subjects.routineOf(routine);
  const reading = isRead
    ? readRoutine(routine, beside)
    : { deeds: [], anything: `more than ${READ_MAX} programs are not read` };
  const what = `${routine.schema}.${routine.name}`;
  if (reading === "native") {
    const why = `${what} is written in ${routine.language}, and what it does was not read`;
    book.assume(why, "runs_native", object);
    return;
  }
  if (routine.isDefiner) addAsOwner(book, subjects, { routine, reading });
  else {
    if (reading.anything !== undefined)
      book.assume(`${what}: ${reading.anything}`, "runs_any_as_caller", object);
    for (const { verb, effects, relation } of reading.deeds) {
      const why = `${what}: its text has ${verb} on ${relation.schema}.${relation.table}`;
      const targets = new Set(callers.flatMap((role) => subjects.targetsOf(role, relation, verb)));
      for (const effect of effects)
        for (const target of targets)
          book.assume(why, "performs_as_caller", object, verb, effect, target);
    }
  }
}

function addAsOwner(
  book: FactBook,
  subjects: Subjects,
  { routine, reading }: { readonly routine: Routine; readonly reading: Reading<Relation> },
): void {
  const role = subjects.roleOf(routine.owner);
  if (role === undefined) return;
  const object = subjects.routineOf(routine);
  const principal = subjects.principalOf(role);
  const what = `${routine.schema}.${routine.name}`;
  if (reading.anything !== undefined)
    book.assume(`${what}: ${reading.anything}`, "runs_any", object, principal);
  for (const { verb, effects, relation } of reading.deeds) {
    const why = `${what}: its text has ${verb} on ${relation.schema}.${relation.table}`;
    for (const effect of effects)
      for (const target of subjects.targetsOf(role, relation, verb))
        book.assume(why, "performs", object, principal, verb, effect, target);
  }
}

/**
 * The server's own functions on files, where somebody gave them away. lo_import and lo_export take any path; the others
 * stay within the server's folder, where whoever writes changes its configuration.
 */
function addOfFiles(
  book: FactBook,
  subjects: Subjects,
  { name }: Routine,
  callers: readonly Role[],
): void {
  const { place, answers } = subjects;
  const from = `has_function_privilege ${name}`;
  for (const role of callers) {
    const principal = subjects.principalOf(role);
    if (name === "lo_import") book.told(from, "file_reader", principal);
    else if (name === "lo_export") book.told(from, "file_writer", principal);
    else if (name.startsWith("pg_read_")) {
      const files = `files in the folder of ${place}`;
      const why = `what lies in ${files} is not told by PostgreSQL`;
      book.told(from, "data_reader", principal, files);
      book.assume(why, "contains", files, `secrets in ${files}`);
      const tables = name === "pg_read_binary_file" ? answers.relations : [];
      for (const one of tables) book.told(from, "data_reader", principal, subjects.tableOf(one));
    } else {
      const why = `${role.name} may write in the server's folder, where its configuration lies`;
      book.assume(why, "programs", principal);
    }
    addUnscoped(book, subjects, { from, principal, verb: "server-file" });
  }
}

/** Any function could be there. */
function assumeRoutines(book: FactBook, subjects: Subjects, problem: string): void {
  const why = `its functions were not told (${problem})`;
  book.notes.push(why);
  const principal = subjects.principalOf(subjects.answers.me);
  for (const object of [ANY, ...patternsOf(subjects.grant, "call").map(({ id }) => id)]) {
    book.assume(why, "can", principal, "call", object);
    book.assume(why, "runs_native", object);
  }
}
