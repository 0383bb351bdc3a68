/**
 * From what MariaDB or MySQL answered to facts.
 *
 * @module
 */
import { placesOf, UNBOUNDED } from "../../blast/index.ts";
import { matchesObject, parseObjectGlob, type TaskGrant } from "../../policy/index.ts";
import { amountOf, readingOf, type FactBook } from "../database.ts";
import { readText, type Beside } from "../sql-text.ts";
import type { Answers } from "./asking.ts";
import { BODY_CHARS_MAX, type Table } from "./questions.ts";

/** The server does not tell as whom it runs. */
const SERVER_USER = "mysql";
/** Accounts that programs run as, and roles; of more it is said that one may do what any of them may. */
const OTHERS_MAX = 30;

/** Texts that are read; of more it is said that they may do anything. */
const READ_MAX = 1000;

interface World {
  readonly answers: Answers;
  readonly grant: TaskGrant;
  readonly principal: string;
}

type Relation = Table & { readonly schema: string };

/** Verbs by the privileges that they need. */
const VERBS: Readonly<Record<string, readonly string[]>> = {
  select: ["SELECT"],
  insert: ["INSERT"],
  replace: ["INSERT", "DELETE"],
  update: ["UPDATE"],
  delete: ["DELETE"],
  truncate: ["DROP"],
  create: ["CREATE"],
  alter: ["ALTER"],
  drop: ["DROP"],
};

/** Adds everything. */
export function addFacts(book: FactBook, world: World): void {
  const { identity } = world.answers;
  book.told("@@hostname", "host", identity.host);
  addServer(book, world, world.principal);
  const [user = ""] = identity.account.split("@");
  book.told("CURRENT_USER()", "user_of", world.principal, user);
  for (const table of world.answers.tables) addTable(book, world, table);
  addPowers(book, world);
  addRoles(book, world);
  addPrograms(book, world);
}

/** Where an account logs in, and on which machine that is. */
function addServer(book: FactBook, world: World, account: string): void {
  const { host } = world.answers.identity;
  const place = placeOf(world);
  const why = `the server does not tell as whom it runs on ${host}; ${SERVER_USER} is usual`;
  book.told("the grant", "at", account, place);
  book.assume(why, "runs_on", account, host, SERVER_USER);
  book.assume(why, "keeps", host, SERVER_USER, place);
}

function placeOf({ grant }: World): string {
  return placesOf(grant)[0] ?? "";
}

/** `10.0.0.7:3306/shop orders` */
function objectOf(world: World, { database, table }: Pick<Table, "database" | "table">): string {
  return `${placeOf(world)}/${database} ${table}`;
}

function columnsOf({ answers }: World, { database, table }: Table): readonly string[] {
  return answers.columns.get(`${database}.${table}`) ?? [];
}

function addTable(book: FactBook, world: World, table: Table): void {
  const object = objectOf(world, table);
  const name = `${table.database}.${table.table}`;
  const { answers, principal } = world;
  book.told("information_schema.TABLES", "named", object, name);
  book.told("information_schema.TABLES", "belongs_to", object, placeOf(world));
  addRows(book, world, table);
  const { labels, secrets } = readingOf(table.table, columnsOf(world, table));
  for (const label of labels)
    book.assume(`${name}: its columns are named as those of such data are`, "label", object, label);
  if (answers.columnsProblem !== undefined)
    book.assume(`${name}: its columns were not told`, "label", object, "customer");
  for (const [verb, needed] of Object.entries(VERBS)) {
    if (!needed.every((one) => answers.privileges.hasOn(table.database, table.table, one)))
      continue;
    book.told("SHOW GRANTS", "can", principal, verb, object);
  }
  for (const column of secrets) addSecret(book, world, { table, column });
}

interface Secret {
  readonly table: Table;
  readonly column: string;
}

/** A column that holds secrets is an object of its own, named as its table: a grant may hide it. */
function addSecret(book: FactBook, world: World, { table, column }: Secret): void {
  const name = `${table.database}.${table.table}`;
  const object = `${objectOf(world, table)}.${column}`;
  book.told("information_schema.COLUMNS", "named", object, name);
  book.told("information_schema.COLUMNS", "belongs_to", object, placeOf(world));
  const secret = `${column} in ${objectOf(world, table)}`;
  book.assume(`${name}: a column is named ${column}`, "contains", object, secret);
  if (!world.answers.privileges.hasOn(table.database, table.table, "SELECT")) return;
  if (isHidden(world.grant, `${name}.${column}`))
    book.told("SHOW GRANTS", "sees", world.principal, object);
  else book.told("SHOW GRANTS", "can", world.principal, "select", object);
}

function isHidden({ with: given }: TaskGrant, column: string): boolean {
  const { hide } = given ?? {};
  const segments = parseObjectGlob(column.toLowerCase(), ".");
  return (
    Array.isArray(hide) &&
    hide.some(
      (one) =>
        typeof one === "string" && matchesObject(parseObjectGlob(one.toLowerCase(), "."), segments),
    )
  );
}

function addRows(book: FactBook, { answers, ...world }: World, table: Table): void {
  const object = objectOf({ answers, ...world }, table);
  const name = `${table.database}.${table.table}`;
  const count = answers.counts.get(name);
  if (count !== undefined) book.told(`COUNT(*) of ${name}`, "rows", object, amountOf(count));
  else if (table.isPlain && table.estimate !== null) {
    const from = `information_schema.TABLES.TABLE_ROWS of ${name}, an estimate`;
    book.told(from, "rows", object, amountOf(table.estimate));
  } else book.assume(`${name}: how many rows it has was not told`, "rows", object, UNBOUNDED);
}

/** What reaches beyond tables. */
function addPowers(book: FactBook, world: World): void {
  const { answers, principal } = world;
  const { privileges, identity } = answers;
  const has = (one: string) => privileges.hasGlobal(one);
  const { host } = identity;
  book.told("every account may set its own password", "makes_accounts", principal);
  if (has("FILE")) addFiles(book, world);
  const others = `${placeOf(world)} any account`;
  const mayBecome =
    has("CREATE USER") ||
    has("SUPER") ||
    has("SET USER") ||
    has("SET_USER_ID") ||
    ["INSERT", "UPDATE"].some((one) => privileges.hasOn("mysql", "global_priv", one)) ||
    ["INSERT", "UPDATE"].some((one) => privileges.hasOn("mysql", "user", one));
  if (mayBecome) {
    book.told("SHOW GRANTS", "turns_into", principal, others);
    addAnybody(
      book,
      world,
      others,
      "which other accounts there are, and what they may do, was not told",
    );
  }
  const mayLoad = privileges.hasOn("mysql", "func", "INSERT");
  if (mayLoad && has("FILE")) {
    const why = `whether ${SERVER_USER} may write ${identity.pluginDir ?? "plugin_dir"} on ${host} was not told`;
    book.assume(why, "native_code", principal);
  }
}

/** MySQL says NULL where files are not to be touched at all, MariaDB where they are not bound to a folder. */
function addFiles(book: FactBook, world: World): void {
  const { answers, principal } = world;
  const { host, filesIn, version, comment } = answers.identity;
  const isMaria = /mariadb/i.test(`${version} ${comment}`);
  if (filesIn === null && !isMaria) return;
  const isBound = filesIn !== null && filesIn !== "" && filesIn !== "/";
  const files = isBound
    ? `files of ${host} below ${filesIn}`
    : `files that the server at ${placeOf(world)} reads`;
  const from = "SHOW GRANTS, @@secure_file_priv";
  book.told(from, "data_reader", principal, files);
  book.assume(
    `what lies in ${files} is not told by the server`,
    "contains",
    files,
    `secrets in ${files}`,
  );
  if (!isBound) book.told(from, "file_reader", principal);
}

/** Roles are active where they are the default; what another one may do is not told to those who may become it. */
function addRoles(book: FactBook, world: World): void {
  const { roles } = world.answers;
  const why = "what a role may do that is not active from the start was not told";
  const names = roles.rows.map(([name]) => name);
  for (const name of names.slice(0, OTHERS_MAX)) {
    const role = `${placeOf(world)} role ${name}`;
    book.told("information_schema.APPLICABLE_ROLES", "turns_into", world.principal, role);
    addAnybody(book, world, role, why);
  }
  if (roles.problem !== undefined) book.notes.push(`its roles: ${roles.problem}`);
  if (roles.problem !== undefined || names.length > OTHERS_MAX) {
    const role = `${placeOf(world)} further roles`;
    book.assume(why, "turns_into", world.principal, role);
    addAnybody(book, world, role, why);
  }
}

/** An account of which nothing was told: it may do everything. */
function addAnybody(book: FactBook, world: World, account: string, why: string): void {
  book.assume(why, "principal", account, "mysql");
  for (const table of world.answers.tables) {
    for (const verb of Object.keys(VERBS))
      book.assume(why, "can", account, verb, objectOf(world, table));
    for (const column of readingOf(table.table, columnsOf(world, table)).secrets)
      book.assume(why, "can", account, "select", `${objectOf(world, table)}.${column}`);
  }
  const rest = `${placeOf(world)} other tables`;
  for (const verb of Object.keys(VERBS)) book.assume(why, "can", account, verb, rest);
  book.assume(why, "label", rest, "customer");
  book.assume(why, "rows", rest, UNBOUNDED);
  book.assume(why, "file_reader", account);
  book.assume(why, "native_code", account);
  addServer(book, world, account);
}

/** Routines that one may call, and triggers that one's changes fire. */
function addPrograms(book: FactBook, world: World): void {
  const { routines, triggers, tables, privileges } = world.answers;
  const accountOf = accountsOf(world);
  const relations = tables.map((one) => ({ ...one, schema: one.database }));
  const beside = {
    relations,
    routines: new Set(routines.rows.map(([, one]) => one.toLowerCase())),
  };
  for (const [at, [database, name, security, definer, text]] of routines.rows.entries()) {
    const body = at < READ_MAX ? text : null;
    if (!privileges.mayCall(database, name)) continue;
    const object = `${placeOf(world)}/${database} ${name}()`;
    book.told("information_schema.ROUTINES", "named", object, `${database}.${name}`);
    book.told("SHOW GRANTS", "can", world.principal, "call", object);
    const role = security === "DEFINER" ? accountOf(definer) : undefined;
    addDeeds(book, world, { object, name, role, body, beside });
  }
  for (const [database, name, event, table, definer, body] of triggers.rows) {
    const object = `${placeOf(world)}/${database} ${name} (trigger)`;
    const on = objectOf(world, { database, table });
    for (const verb of [event.toLowerCase(), ...(event === "INSERT" ? ["replace"] : [])])
      book.told("information_schema.TRIGGERS", "fires", on, verb, object);
    addDeeds(book, world, { object, name, role: accountOf(definer), body, beside });
  }
  for (const [what, { problem }] of Object.entries({ routines, triggers })) {
    if (problem === undefined) continue;
    const why = `its ${what} were not told (${problem})`;
    book.notes.push(why);
    const object = `${placeOf(world)} any routine`;
    book.assume(why, "can", world.principal, "call", object);
    book.assume(why, "runs_any", object, `${placeOf(world)} any account`);
    addAnybody(book, world, `${placeOf(world)} any account`, why);
  }
}

/** The accounts that programs run as, by their definers. One's own where one made it; the last stands for all further. */
function accountsOf({ answers, principal, grant }: World): (definer: string) => string {
  const place = placesOf(grant)[0] ?? "";
  const definers = [
    ...answers.routines.rows.map(([, , , definer]) => definer),
    ...answers.triggers.rows.map(([, , , , definer]) => definer),
  ];
  const known = new Set([...new Set(definers)].slice(0, OTHERS_MAX));
  return (definer) => {
    if (definer === answers.identity.account) return principal;
    return known.has(definer) ? `${place} account ${definer}` : `${place} any account`;
  };
}

interface Program {
  readonly object: string;
  readonly name: string;
  /** Whose it is; `undefined` where it runs as whoever calls it. */
  readonly role: string | undefined;
  readonly body: string | null;
  readonly beside: Beside<Relation>;
}

function addDeeds(
  book: FactBook,
  world: World,
  { object, name, role, body, beside }: Program,
): void {
  const reading =
    body === null || body.length >= BODY_CHARS_MAX
      ? { deeds: [], anything: "its text was not told" }
      : readText(body, name, beside);
  if (role !== undefined && role !== world.principal) {
    const why = `what the account may do that ${name} runs as was not told`;
    addAnybody(book, world, role, why);
  }
  if (reading.anything !== undefined) {
    const why = `${name}: ${reading.anything}`;
    if (role === undefined) book.assume(why, "runs_any_as_caller", object);
    else book.assume(why, "runs_any", object, role);
  }
  for (const { verb, effects } of reading.elsewhere ?? []) {
    const why = `${name}: its text has ${verb} on a table that was not told`;
    const target = `${placeOf(world)} other tables`;
    // As whoever calls it it does no more than that account may, and of that every table was told.
    for (const effect of role === undefined || role === world.principal ? [] : effects)
      book.assume(why, "performs", object, role ?? "", verb, effect, target);
  }
  for (const { verb, effects, relation } of reading.deeds) {
    const why = `${name}: its text has ${verb} on ${relation.database}.${relation.table}`;
    const secrets =
      verb === "select" ? readingOf(relation.table, columnsOf(world, relation)).secrets : [];
    const table = objectOf(world, relation);
    for (const effect of effects) {
      for (const target of [table, ...secrets.map((one) => `${table}.${one}`)]) {
        if (role === undefined)
          book.assume(why, "performs_as_caller", object, verb, effect, target);
        else book.assume(why, "performs", object, role, verb, effect, target);
      }
    }
  }
}
