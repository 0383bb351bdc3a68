/**
 * MariaDB and MySQL: what a statement does and to which tables. The database's own rights are the containment; this is the
 * judgement: what is not understood for certain is `unknown`.
 *
 * An operation is `{ sql, database }`, with `prepare: true` where it is only prepared, or `prepared: true` where it is
 * executed with the parameters that stand in the body.
 *
 * @module
 */
import { z } from "zod";
import { EFFECTS, SESSION_VERB, type Effect, type Json } from "../../action/index.ts";
import { Fault } from "../../base/index.ts";
import { describeUnknown } from "../unknown.ts";
import type { Described, MintedLogin, Protocol, Surroundings, VerbInfo } from "../protocol.ts";
import { createUserStatements, dropUserStatements } from "./mint.ts";
import { printParameters, readParameters, writeParameters } from "./parameters.ts";
import { loadGrammar } from "./sql-grammar.ts";
import { readStatement, tokensOf, type SqlPart } from "./statement.ts";

const operationSchema = z.strictObject({
  sql: z.string(),
  /** The current one; `null` where none is. */
  database: z.string().nullable(),
  prepare: z.literal(true).optional(),
  prepared: z.literal(true).optional(),
});
export type MysqlOperation = z.infer<typeof operationSchema>;

const loginSchema = z.strictObject({
  login: z.string(),
  statements: z.array(z.string()).min(1).max(1000),
});

const optionsSchema = z
  .strictObject({
    /** The database that is chosen at the start. */
    database: z.string().min(1).max(64).optional(),
    /** `database.table.column`: never read. */
    hide: z
      .array(z.string().regex(/^[^.]+\.[^.]+\.[^.]+$/))
      .max(200)
      .optional(),
    /** Rows of one answer, at most. */
    rows: z.int().min(1).max(10_000_000).optional(),
    /** Seconds that one statement may take. */
    seconds: z.number().min(0.1).max(86_400).optional(),
    /** PEM of the server's RSA key, for caching_sha2_password without TLS. */
    server_key: z.string().max(10_000).optional(),
  })
  .prefault({});
export type MysqlOptions = z.infer<typeof optionsSchema>;

const UNKNOWN_EFFECTS = [
  "read-private",
  "write",
  "send",
  "execute",
  "delete",
  "administer",
] as const;

/** Reads a grant's `with:`. */
export function readMysqlOptions(options: Json): MysqlOptions | undefined {
  return optionsSchema.safeParse(options).data;
}

/** Reads an operation of a client; `undefined` where it is none. */
export function readMysqlOperation(operation: Json): MysqlOperation | undefined {
  return operationSchema.safeParse(operation).data;
}

/** Reads an operation of our own, which makes or drops a user. */
export function readMysqlLogin(operation: Json): z.infer<typeof loginSchema> | undefined {
  return loginSchema.safeParse(operation).data;
}

function describe(operation: Json, surroundings: Surroundings): Described {
  const { host, port, body } = surroundings;
  const place = `mysql://${host}:${port}`;
  const options = readMysqlOptions(surroundings.options);
  const login = readMysqlLogin(operation);
  if (login !== undefined) return describeLogin(login.login, place);
  const read = readMysqlOperation(operation);
  if (read === undefined || options === undefined) {
    return unknown(place, "this is no operation of MySQL", { operation });
  }
  const { sql, database } = read;
  const parameters = parametersOf(read, body);
  const fields = {
    sql,
    database,
    ...(read.prepare === true ? { prepare: true } : {}),
    ...(parameters === undefined ? {} : { parameters: [...parameters] }),
  };
  if (body !== undefined && parameters === undefined) {
    return unknown(place, "its parameters are not understood", fields);
  }
  if (read.prepared === true && parameters === undefined) {
    return unknown(place, "its parameters are not there", fields);
  }
  const hidden = (options.hide ?? []).map((one) => one.toLowerCase());
  const meaning = readStatement(sql, { database: database ?? undefined, hidden });
  if ("reason" in meaning) return unknown(place, `the statement ${meaning.reason}`, fields);
  const parts = partsOf(meaning.parts, read.prepare === true);
  const effects = union(parts.flatMap((part) => part.effects));
  const objects = [...new Set(parts.map(({ object }) => object.join(".")))];
  const [only] = objects;
  return {
    verb: meaning.verb === "session" ? SESSION_VERB : meaning.verb,
    effects,
    target: objects.length === 1 && only !== undefined ? `${place}/${only}` : place,
    summary: `${read.prepare === true ? "prepares: " : ""}${cut(sql)}`,
    fields,
    ...(parts.length === 0 ? {} : { parts }),
    impact: { reversible: effects.every((one) => one === "read" || one === "read-private") },
  };
}

function parametersOf({ sql, prepared }: MysqlOperation, body: Uint8Array | undefined) {
  if (prepared !== true) return body === undefined ? undefined : undefined;
  const count = tokensOf(sql).filter(({ kind }) => kind === "parameter").length;
  const block = Buffer.from(body ?? []);
  const read = readParameters(block, count);
  // In the one form that we write, so that nothing else can be hidden in it.
  return read !== undefined && writeParameters(read).equals(block)
    ? printParameters(read)
    : undefined;
}

interface Part {
  readonly verb: string;
  readonly effects: Effect[];
  readonly object: string[];
}

/** Each verb on each object, once. What is only prepared is looked up, and not done. */
function partsOf(parts: readonly SqlPart[], isPrepare: boolean): Part[] {
  const found = new Map<string, Part>();
  for (const { verb, effects, object } of parts) {
    const name = JSON.stringify([verb, object]);
    const before = found.get(name)?.effects ?? [];
    const own = isPrepare ? (["read"] as const) : effects;
    found.set(name, { verb, effects: union([...before, ...own]), object: [...object] });
  }
  return [...found.values()];
}

function union(effects: readonly Effect[]): Effect[] {
  const found = EFFECTS.filter((one) => effects.includes(one));
  return found.length === 0 ? ["read"] : found;
}

/** Nobody can ask for this: it is Cofferdam's own, made by {@link mysql}'s `mint`. */
function describeLogin(user: string, place: string): Described {
  return unknown(place, "a user of one run is made or dropped", { user });
}

const unknown = (target: string, reason: string, fields: Readonly<Record<string, Json>>) =>
  describeUnknown(UNKNOWN_EFFECTS, { target, reason, fields });

const cut = (text: string) => (text.length > 160 ? `${text.slice(0, 160)}...` : text);

const VERBS: Readonly<Record<string, VerbInfo>> = {
  select: {
    effects: ["read", "write"],
    summary: "SELECT and what a statement reads; write with FOR UPDATE",
  },
  show: { effects: ["read"], summary: "SHOW, DESCRIBE: what tables there are, and their columns" },
  insert: { effects: ["read", "write"], summary: "INSERT" },
  replace: { effects: ["write", "delete"], summary: "REPLACE: what has the same key is deleted" },
  update: { effects: ["read", "write", "delete"], summary: "UPDATE; delete where it has no WHERE" },
  delete: { effects: ["read", "delete"], summary: "DELETE" },
  truncate: { effects: ["delete"], summary: "TRUNCATE" },
  create: { effects: ["administer"], summary: "CREATE TABLE" },
  alter: { effects: ["delete", "administer"], summary: "ALTER TABLE" },
  drop: { effects: ["delete", "administer"], summary: "DROP TABLE" },
  call: { effects: ["execute"], summary: "CALL, and functions that are not known to compute only" },
  [SESSION_VERB]: {
    effects: ["read"],
    summary: "connecting, transactions, plain settings, SELECT 1",
  },
};

function userOf(label: string): string {
  const user = label.replaceAll(/[^A-Za-z0-9._-]/g, "-");
  return user.length <= 32 ? user : user.slice(-32).replace(/^[^A-Za-z0-9]+/, "");
}

export const mysql: Protocol = {
  system: "mysql",
  title: "MariaDB, MySQL",
  docs: [
    "https://mariadb.com/kb/en/clientserver-protocol/",
    "https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html",
  ],
  ports: [3306],
  verbs: VERBS,
  object: { separator: ".", form: "database.table" },
  options: optionsSchema,
  example: { database: "shop" },
  unknown: UNKNOWN_EFFECTS,
  load: loadGrammar,
  describe,
  operationOf(text) {
    if (text.trim() === "") {
      throw new Fault("protocols.operation", "not a statement", {
        hint: "write one as a client sends it: SELECT id FROM shop.orders",
      });
    }
    return { sql: text, database: "shop" };
  },
  mint: {
    create({ label, password, options, rules }: MintedLogin) {
      const read = readMysqlOptions(options);
      const user = userOf(label);
      const statements = createUserStatements({
        user,
        password,
        rules,
        database: read?.database,
        hidden: read?.hide ?? [],
      });
      return { operation: { login: user, statements: [...statements] }, user };
    },
    revoke: ({ user }) => ({ login: user, statements: [...dropUserStatements(user)] }),
  },
  template: `system: mysql   # MariaDB or MySQL: statements by verb and table.
name: shop-db
hosts: [db.example.com]
ports: [3306]
# tls: false               # where the server speaks none
credential: shop-login     # cofferdam credential add shop-login --kind login --scheme mysql
# mint: true               # a user of its own for each run, with these rights and no more; not with hide:
with:
  database: shop
  hide: [shop.customers.password]
  rows: 10000
  seconds: 30
allow:
  - verbs: [select, show]
    on: ["shop.*"]
  - verbs: [insert, update]
    on: [shop.orders]
  - verbs: [delete]        # waits for a person
    on: [shop.orders]
`,
};
