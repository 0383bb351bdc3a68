/**
 * From what PostgreSQL answered to facts: tables and what may be done to them, roles, powers, and the machine.
 *
 * @module
 */
import { ANY, patternsOf, UNBOUNDED, type Constant } from "../../blast/index.ts";
import { matchesObject } from "../../policy/index.ts";
import { amountOf, readingOf, type FactBook } from "../database.ts";
import { isGrantable, isNear } from "./asking.ts";
import type { Relation, Role } from "./questions.ts";
import type { Subjects } from "./subjects.ts";

/** PostgreSQL refuses to run as root, and does not tell as whom it runs. */
export const SERVER_USER = "postgres";

const READS = ["select", "copy-to"] as const;

/** Verbs by the letters of privileges, and the command of row security that they are. */
const VERBS: Readonly<
  Record<string, { readonly verbs: readonly string[]; readonly command?: string }>
> = {
  s: { verbs: READS, command: "r" },
  i: { verbs: ["insert", "copy-from"], command: "a" },
  u: { verbs: ["update"], command: "w" },
  d: { verbs: ["delete"], command: "d" },
  t: { verbs: ["truncate"] },
  o: { verbs: ["alter", "drop"] },
  g: { verbs: ["create-code"] },
};

/** Everything about tables. */
export function addTables(book: FactBook, subjects: Subjects, roles: readonly Role[]): void {
  const { relations } = subjects.answers;
  const sizes = new Sizes(subjects);
  for (const relation of relations) {
    const table = subjects.tableOf(relation);
    describe(book, subjects, { relation, object: table, amount: sizes.of(relation) });
    book.told("pg_class", "belongs_to", table, subjects.place);
    addSecrets(book, subjects, relation);
    for (const role of roles) {
      const seen = subjects.seenBy(role, relation);
      if (seen === table) continue;
      describe(book, subjects, { relation, object: seen, amount: sizes.shown(role, relation) });
    }
  }
  for (const role of roles) addPrivileges(book, subjects, role);
  addForeignTables(book, subjects);
}

interface Described {
  readonly relation: Relation;
  readonly object: string;
  readonly amount: Size;
}

/** Its name in grants, its size, and what its columns' names tell. */
function describe(
  book: FactBook,
  subjects: Subjects,
  { relation, object, amount }: Described,
): void {
  const { schema, table, columns } = relation;
  book.told("pg_class", "named", object, `${schema}.${table}`);
  if (amount.isAssumed) book.assume(amount.from, "rows", object, amount.rows);
  else book.told(amount.from, "rows", object, amount.rows);
  const why = `${schema}.${table}: its columns are named as those of such data are`;
  for (const label of readingOf(table, columns).labels) book.assume(why, "label", object, label);
}

/** Columns that hold secrets are objects of their own, named as their table. */
function addSecrets(book: FactBook, subjects: Subjects, relation: Relation): void {
  const { schema, table, columns } = relation;
  for (const column of readingOf(table, columns).secrets) {
    const object = subjects.columnOf(relation, column);
    const why = `${schema}.${table}: a column is named ${column}`;
    book.told("pg_attribute", "named", object, `${schema}.${table}`);
    book.told("pg_attribute", "belongs_to", object, subjects.place);
    book.assume(why, "contains", object, `${column} in ${subjects.tableOf(relation)}`);
  }
}

/** What may read a table's rows may read these of its columns, or may where no gateway hides them. */
function addSecretReading(
  book: FactBook,
  subjects: Subjects,
  role: Role,
  relation: Relation,
): void {
  const say = subjects.sayerOf(book, role, `has_table_privilege of ${role.name}`);
  for (const column of readingOf(relation.table, relation.columns).secrets) {
    const object = subjects.columnOf(relation, column);
    const principal = subjects.principalOf(role);
    if (subjects.isHidden(relation, column)) say("sees", principal, object);
    else for (const verb of READS) say("can", principal, verb, object);
  }
}

function addPrivileges(book: FactBook, subjects: Subjects, role: Role): void {
  const principal = subjects.principalOf(role);
  const say = subjects.sayerOf(book, role, `has_table_privilege of ${role.name}`);
  for (const relation of subjects.answers.relations) {
    const letters = subjects.lettersOf(role, relation);
    const seen = subjects.seenBy(role, relation);
    for (const letter of letters) {
      const { verbs = [], command } = VERBS[letter] ?? {};
      // What row security governs happens to the rows that it shows; the rest to the table.
      const isGoverned = command !== undefined && subjects.isBound(role, relation);
      if (isGoverned && !subjects.hasPolicy(role, relation, command)) continue;
      const object = isGoverned ? seen : subjects.tableOf(relation);
      for (const verb of verbs) say("can", principal, verb, object);
      if (letter === "g") say("has_triggers", principal, object);
      if (letter === "s") addSecretReading(book, subjects, role, relation);
    }
  }
}

function addForeignTables(book: FactBook, subjects: Subjects): void {
  const { foreignTables, servers, relations } = subjects.answers;
  for (const [oid, name, options] of foreignTables.rows) {
    const relation = relations.find((one) => one.oid === oid);
    const server = servers.rows.find(([one]) => one === name);
    const at = server === undefined ? undefined : placeOfServer(server[4] ?? []);
    if (relation === undefined || at === undefined) continue;
    const { schema_name: schema = relation.schema, table_name: table = relation.table } = optionsIn(
      options ?? [],
    );
    const remote = `${at.place}/${at.database} ${schema}.${table}`;
    book.told("pg_foreign_table", "stands_for", subjects.tableOf(relation), remote);
  }
}

/** `host=10.0.0.9` and the like, by name. */
function optionsIn(options: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    options.map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)]),
  );
}

/** Where a foreign server is; `undefined` where that is no place of the network. */
function placeOfServer(
  options: readonly string[],
): { readonly place: string; readonly database: string } | undefined {
  const { host, hostaddr, port = "5432", dbname = "" } = optionsIn(options);
  const at = hostaddr ?? host;
  return at === undefined || at.startsWith("/")
    ? undefined
    : { place: `${at}:${port}`, database: dbname };
}

/** Roles that one can be, and what reaches beyond tables. */
export function addRoles(book: FactBook, subjects: Subjects, roles: readonly Role[]): void {
  const { me, identity } = subjects.answers;
  const own = subjects.principalOf(me);
  for (const role of roles) {
    const principal = subjects.principalOf(role);
    addServer(book, subjects, role);
    if (role !== me) {
      book.told("pg_roles", "principal", principal, "postgres");
      if (subjects.isTold(role)) book.told("pg_roles", "named", principal, role.name);
    }
    if (role !== me && isNear(role, me, identity.version)) {
      if (role.isSettable) {
        book.told("pg_has_role", "turns_into", own, principal);
        book.told("pg_has_role", "can", own, "become", principal);
      }
      if (isGrantable(role, me, identity.version)) {
        book.told(
          me.makesRoles ? "pg_roles.rolcreaterole" : "pg_auth_members",
          "grants_itself",
          own,
          principal,
        );
      }
    }
    addPowers(book, subjects, role);
  }
  const any = "every role may change its own password";
  for (const object of [ANY, ...patternsOf(subjects.grant, "authorize").map(({ id }) => id)]) {
    book.told(any, "can", own, "authorize", object);
  }
  if (me.replicates) book.told("pg_roles.rolreplication", "replicates", own, subjects.place);
  if (identity.hasLanguage || me.isSuper) book.told("pg_language", "can", own, "do", ANY);
}

/** Where an account logs in, by which name, and on which machine that is. */
function addServer(book: FactBook, subjects: Subjects, role: Role): void {
  const { host, place } = subjects;
  const principal = subjects.principalOf(role);
  book.told("pg_roles", "at", principal, place);
  if (subjects.isTold(role)) book.told("pg_roles", "user_of", principal, role.name);
  const why = `PostgreSQL does not tell on which machine and as whom ${place} runs; ${SERVER_USER} is usual`;
  book.assume(why, "runs_on", principal, host, SERVER_USER);
  book.assume(why, "keeps", host, SERVER_USER, place);
  if (!subjects.reads(role)) return;
  const files = `files that the server at ${place} reads`;
  const unread = `what lies in ${files} is not told by PostgreSQL`;
  book.told("pg_auth_members", "data_reader", principal, files);
  book.assume(unread, "contains", files, `secrets in ${files}`);
}

/** A superuser has all of these; others by predefined roles. */
function addPowers(book: FactBook, subjects: Subjects, role: Role): void {
  const principal = subjects.principalOf(role);
  const hasAll = role.isSuper || !subjects.isTold(role);
  const has = (name: string) => hasAll || role.predefined.includes(name);
  const from = role.isSuper ? "pg_roles.rolsuper" : "pg_auth_members";
  const say = subjects.sayerOf(book, role, from);
  const give = (predicate: string) => say(predicate, principal);
  const runs = has("pg_execute_server_program");
  const reads = subjects.reads(role);
  const writes = has("pg_write_server_files");
  if (runs) give("programs");
  if (reads) give("file_reader");
  if (writes) give("file_writer");
  if (hasAll) give("native_code");
  if (writes && !runs) {
    const why = `${role.name} may write files as the server's user; PostgreSQL says that this can be used to gain superuser-level access`;
    book.assume(why, "programs", principal);
  }
  if (runs || reads || writes)
    addUnscoped(book, subjects, { from, principal, verb: "server-file" });
  if (role.isSuper) {
    for (const verb of ["create-code", "server", "become", "set", "signal"])
      addUnscoped(book, subjects, { from, principal, verb });
  }
}

/** What is done to nothing that could be listed: to anything that a rule of the grant covers. */
export function addUnscoped(
  book: FactBook,
  { grant }: Subjects,
  {
    from,
    principal,
    verb,
  }: { readonly from: string; readonly principal: string; readonly verb: string },
): void {
  for (const object of [ANY, ...patternsOf(grant, verb).map(({ id }) => id)])
    book.told(from, "can", principal, verb, object);
}

/** Functions that can be made, and called once they are. */
export function addMaking(book: FactBook, subjects: Subjects): void {
  const { schemas, me } = subjects.answers;
  const principal = subjects.principalOf(me);
  const add = (schema: string, from: string) => {
    for (const verb of ["create-code", "call"]) {
      const patterns = patternsOf(subjects.grant, verb)
        .filter(({ glob }) => glob[0] === "**" || matchesObject(glob.slice(0, 1), [schema]))
        .map(({ id }) => id);
      for (const object of [ANY, ...patterns]) {
        book.told(from, "can", principal, verb, object);
        book.told(from, "new_in", object, `${subjects.database} ${schema}`);
      }
    }
  };
  for (const [schema, , mayCreate] of schemas.rows)
    if (mayCreate) add(schema, "has_schema_privilege");
  if (schemas.problem !== undefined) {
    book.notes.push(
      `its schemas: ${schemas.problem}; one may make functions in public, for all that is known`,
    );
    add("public", "assumed, since its schemas were not told");
  }
}

/** Machines and other places. */
export function addSurroundings(book: FactBook, subjects: Subjects): void {
  const { answers, host, place } = subjects;
  const { identity, servers, databases, me } = answers;
  const own = subjects.principalOf(me);
  book.told("the grant", "host", host);
  for (const [name, , isUsable, , options] of servers.rows) {
    const at = placeOfServer(options ?? []);
    if (at === undefined || !(isUsable || me.isSuper)) continue;
    book.told(`pg_foreign_server ${name}`, "uses_server", own, at.place);
    addUnscoped(book, subjects, { from: "has_server_privilege", principal: own, verb: "server" });
  }
  if (servers.problem !== undefined)
    book.assume(`foreign servers of ${place}: ${servers.problem}`, "unknown_servers", own);
  const others = databases.problem === undefined ? [] : ["other databases"];
  for (const name of [...databases.rows.map(([one]) => one), ...others]) {
    const object = `${place}/${name}`;
    const unasked = `${object}: the grant is for ${identity.database}, and this one was not asked`;
    book.told("has_database_privilege", "elsewhere", own, object);
    book.told("pg_database", "belongs_to", object, place);
    book.assume(unasked, "label", object, "customer");
    book.assume(unasked, "rows", object, UNBOUNDED);
  }
}

interface Size {
  readonly rows: Constant;
  readonly from: string;
  readonly isAssumed: boolean;
}

/** A row has a header of 23 bytes and a pointer of 4: more than this many do not fit (PostgreSQL, Database Page Layout). */
const ROW_BYTES_MIN = 28;

/** How many rows there are, and who says so. */
class Sizes {
  readonly #subjects: Subjects;

  constructor(subjects: Subjects) {
    this.#subjects = subjects;
  }

  of(relation: Relation, depth = 0): Size {
    const { kind, schema, table, oid, hasChildren } = relation;
    const name = `${schema}.${table}`;
    if (kind === "f") return unknown(`${name}: its rows lie on another server`);
    // Of a partition that is parted itself: no more than of the whole.
    if (kind === "p")
      return this.#sum(this.#partitionsOf(relation.root ?? oid), `partitions of ${name}`);
    if (kind === "v") return this.#view(relation, depth);
    if (hasChildren) return unknown(`${name}: it has heirs, whose rows are its own`);
    const { me, counts } = this.#subjects.answers;
    const count = counts.get(oid);
    if (count !== undefined && !this.#subjects.isBound(me, relation))
      return told(count, `count(*) of ${name}`);
    return estimateOf(relation);
  }

  /** Rows that row security shows to `role`. */
  shown(role: Role, relation: Relation): Size {
    const { me, counts } = this.#subjects.answers;
    const count = role === me ? counts.get(relation.oid) : undefined;
    const name = `${relation.schema}.${relation.table}`;
    if (count !== undefined) return told(count, `count(*) of ${name}, as ${role.name}`);
    const { rows } = this.of(relation);
    const from = `${name}: row security may show ${role.name} all of it`;
    return { rows, from, isAssumed: true };
  }

  #partitionsOf(root: string): readonly Relation[] {
    return this.#subjects.answers.relations.filter(
      (one) => one.root === root && one.oid !== root && one.kind !== "p",
    );
  }

  /** Rows of what a view reads: each of them once, whatever it makes of them. */
  #view({ oid, schema, table }: Relation, depth: number): Size {
    const { views, relations } = this.#subjects.answers;
    const found = views.rows.find(([view]) => view === oid);
    const below = (found?.[1] ?? []).map((one) => relations.find((each) => each.oid === one));
    const isRead = found?.[2] === 0 && below.length > 0 && depth < 8;
    if (!isRead || below.some((one) => one === undefined))
      return unknown(`${schema}.${table}: how many rows the view has was not told`);
    const tables = below.filter((one) => one !== undefined);
    return this.#sum(tables, `what ${schema}.${table} is made of`, depth + 1);
  }

  #sum(relations: readonly Relation[], what: string, depth = 1): Size {
    const sizes = relations.map((one) => this.of(one, depth));
    const open = sizes.find(({ rows }) => typeof rows !== "number");
    if (open !== undefined) return open;
    const rows = sizes.reduce((sum, one) => sum + Number(one.rows), 0);
    return {
      rows: amountOf(rows),
      from: `rows of ${what}`,
      isAssumed: sizes.some((one) => one.isAssumed),
    };
  }
}

function estimateOf({ schema, table, estimate, bytes }: Relation): Size {
  if (estimate >= 0 && (estimate > 0 || bytes === 0))
    return told(Math.ceil(estimate), `pg_class.reltuples of ${schema}.${table}, an estimate`);
  const most = Math.floor(bytes / ROW_BYTES_MIN);
  return {
    rows: amountOf(most),
    from: `${schema}.${table}: never analyzed, and not counted; no more fit into its ${bytes} bytes`,
    isAssumed: true,
  };
}

const told = (rows: number, from: string): Size => ({
  rows: amountOf(rows),
  from,
  isAssumed: false,
});
const unknown = (from: string): Size => ({ rows: UNBOUNDED, from, isAssumed: true });
