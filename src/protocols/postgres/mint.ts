/**
 * A role for one task: it has exactly the tables, columns and verbs that the task grants, and is gone with it. What
 * it may do beyond that it has as everybody has it (PUBLIC).
 *
 * Which tables there are only the server knows, so the patterns of the rules go there as conditions. It gets a
 * verifier of the password, never the password: what makes a role stands in the record.
 *
 * @module
 */
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { Fault } from "../../base/index.ts";
import type { MintedLogin, ProtocolMint } from "../protocol.ts";
import { quoted, quotedName } from "./catalog.ts";
import { optionsOf, type PostgresOptions } from "./options.ts";

/** What a rule of the grant says, as far as a role can hold it. */
export interface MintRule {
  readonly verbs?: readonly string[];
  /** Patterns in their segments; absent: everything. */
  readonly on?: readonly (readonly string[])[];
}

const CONNECTIONS = 32;
const ITERATIONS = 4096;
/** Verbs of the grant, and the privilege on a table that each needs. */
const PRIVILEGES: readonly (readonly [verb: string, privilege: string])[] = [
  ["select", "SELECT"],
  ["copy-to", "SELECT"],
  ["insert", "INSERT"],
  ["copy-from", "INSERT"],
  ["update", "UPDATE"],
  ["lock", "UPDATE"],
  ["delete", "DELETE"],
  ["truncate", "TRUNCATE"],
];
/** Verbs for which one has to own what is changed, or be somebody: no role of one task can. */
const OUT_OF_REACH: ReadonlySet<string> = new Set(
  "alter drop maintain authorize server server-file become signal".split(" "),
);

export const MINT: ProtocolMint = {
  create({ label, password, options, rules }) {
    const role = roleOf(label);
    const statements = mintStatements(optionsOf(options), rules, role, verifierOf(password, label));
    return { operation: { sql: statements.join(";\n") }, user: role };
  },
  revoke: ({ user }) => ({ sql: dropStatements(user).join(";\n") }),
};

/** The role of a run: a name that needs no quotes. */
function roleOf(label: MintedLogin["label"]): string {
  const name = label.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");
  return (name.startsWith("cofferdam_") ? name : `cofferdam_${name}`).slice(0, 63);
}

/** A password as the server keeps it (RFC 5803). The salt is no secret, and need not be another each time. */
function verifierOf(password: string, label: string): string {
  const salt = createHash("sha256").update(`${label} ${password}`).digest().subarray(0, 16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256");
  const hmac = (text: string) => createHmac("sha256", salted).update(text).digest();
  const stored = createHash("sha256").update(hmac("Client Key")).digest("base64");
  const server = hmac("Server Key").toString("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${stored}:${server}`;
}

/**
 * Statements that make a role, to be sent as one message, which is one transaction. The last one fails where the
 * role did not get what it should: GRANT only warns where the one who grants may not.
 *
 * @throws {Fault} `protocols.mint` where a rule names what no role of one task can have.
 */
export function mintStatements(
  options: PostgresOptions,
  rules: readonly MintRule[],
  role: string,
  verifier: string,
): readonly string[] {
  const beyond = rules.flatMap(({ verbs = [] }) => verbs).find((verb) => OUT_OF_REACH.has(verb));
  if (beyond !== undefined) {
    throw new Fault("protocols.mint", `a role of one task cannot hold ${beyond}`, {
      hint: "grant it with a credential of its own, without `mint`",
    });
  }
  const name = quotedName(role);
  const creating = options.path.filter(
    (schema) =>
      rules.some((rule) => names(rule, "create") && fits(rule, [schema, "?"])) ||
      rules.some((rule) => names(rule, "create-code") && fits(rule, [schema, "?"])),
  );
  return [
    `CREATE ROLE ${name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS CONNECTION LIMIT ${CONNECTIONS} PASSWORD ${quoted(verifier)}`,
    // Whoever makes it must be able to end what it leaves.
    `GRANT ${name} TO CURRENT_USER`,
    `GRANT CONNECT ON DATABASE ${quotedName(options.database)} TO ${name}`,
    ...creating.map((schema) => `GRANT USAGE, CREATE ON SCHEMA ${quotedName(schema)} TO ${name}`),
    grantsOf(options, rules, role),
  ];
}

/** Statements that end a role and all that it has: its sessions, what it owns, its privileges; or nothing. */
export function dropStatements(role: string): readonly string[] {
  const name = quotedName(role);
  return [
    `DO ${dollar(`BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${quoted(role)}) THEN
    ALTER ROLE ${name} NOLOGIN;
    PERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = ${quoted(role)};
    REASSIGN OWNED BY ${name} TO CURRENT_USER;
    DROP OWNED BY ${name};
    DROP ROLE ${name};
  END IF;
END`)}`,
  ];
}

/** A program that grants what the rules cover of what there is, and fails where it did not come to be. */
function grantsOf(options: PostgresOptions, rules: readonly MintRule[], role: string): string {
  const privileges = new Map<string, string[]>();
  for (const [verb, privilege] of PRIVILEGES) {
    const conditions = rules.filter((rule) => names(rule, verb)).map(conditionOf);
    privileges.set(privilege, [...(privileges.get(privilege) ?? []), ...conditions]);
  }
  const wanted = [...privileges].map(
    ([privilege, conditions]) => `CASE WHEN ${anyOf(conditions)} THEN ${quoted(privilege)} END`,
  );
  const sequences = rules.filter((rule) => names(rule, "sequence")).map(conditionOf);
  const hidden = options.hide.map((one) => {
    const [schema = "", table = "", column = ""] = one.split(".");
    const is = (of: string, segment: string) =>
      segment === "*" ? "true" : `${of} = ${quoted(segment)}`;
    return `(${is("n.nspname", schema)} AND ${is("c.relname", table)} AND ${is("a.attname", column)})`;
  });
  const to = quotedName(role);
  return `DO ${dollar(`DECLARE
  it record;
  privilege text;
  columns text;
BEGIN
  FOR it IN
    SELECT c.oid, n.nspname, pg_catalog.format('%I.%I', n.nspname, c.relname) AS object, c.relkind = 'S' AS is_sequence,
      CASE WHEN c.relkind = 'S' THEN CASE WHEN ${anyOf(sequences)} THEN ARRAY['USAGE', 'SELECT', 'UPDATE'] ELSE ARRAY[]::text[] END
        ELSE pg_catalog.array_remove(ARRAY[${wanted.join(", ")}], NULL) END AS privileges,
      (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ') FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT ${anyOf(hidden)}) AS open,
      EXISTS (SELECT FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND ${anyOf(hidden)}) AS is_hiding
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^(pg_|information_schema$)'
  LOOP
    FOREACH privilege IN ARRAY it.privileges LOOP
      columns := '';
      IF it.is_hiding AND privilege IN ('SELECT', 'UPDATE') AND NOT it.is_sequence THEN
        CONTINUE WHEN it.open IS NULL;
        columns := ' (' || it.open || ')';
      END IF;
      EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %I TO ${to}', it.nspname);
      EXECUTE 'GRANT ' || privilege || columns || ' ON ' || CASE WHEN it.is_sequence THEN 'SEQUENCE ' ELSE 'TABLE ' END || it.object || ' TO ${to}';
      IF NOT (CASE WHEN it.is_sequence THEN pg_catalog.has_sequence_privilege(${quoted(role)}, it.oid, privilege)
        WHEN columns = '' THEN pg_catalog.has_table_privilege(${quoted(role)}, it.oid, privilege)
        ELSE pg_catalog.has_any_column_privilege(${quoted(role)}, it.oid, privilege) END)
      THEN RAISE EXCEPTION 'may not grant % on %', privilege, it.object; END IF;
    END LOOP;
  END LOOP;
END`)}`;
}

function names({ verbs = [] }: MintRule, verb: string): boolean {
  return verbs.some((one) => one === "*" || one === verb);
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? "false" : `(${conditions.join(" OR ")})`;
}

/** A rule's patterns over a schema and a name, as the server's conditions. */
function conditionOf({ on }: MintRule): string {
  if (on === undefined) return "true";
  const pairs = on.flatMap(expanded);
  return anyOf(
    pairs.map(
      ([schema, name]) =>
        `(n.nspname::pg_catalog.text ~ ${quoted(regexOf(schema))} AND c.relname::pg_catalog.text ~ ${quoted(regexOf(name))})`,
    ),
  );
}

/** What of a pattern can be a schema and a name: `**` stands for any number of segments. */
function expanded(glob: readonly string[]): readonly (readonly [string, string])[] {
  const at = glob.indexOf("**");
  if (at < 0) {
    const [schema, name, ...more] = glob;
    return schema !== undefined && name !== undefined && more.length === 0 ? [[schema, name]] : [];
  }
  if (glob.length > 8) return [];
  return [[], ["*"], ["*", "*"]].flatMap((some) =>
    expanded([...glob.slice(0, at), ...some, ...glob.slice(at + 1)]),
  );
}

function fits({ on }: MintRule, [schema = "", name = ""]: readonly string[]): boolean {
  const is = (pattern: string, value: string) => new RegExp(regexOf(pattern), "s").test(value);
  return (
    on === undefined ||
    on.flatMap(expanded).some(([one, other]) => is(one, schema) && is(other, name))
  );
}

/** A segment with `*` as a regular expression, of JavaScript and of the server. */
function regexOf(segment: string): string {
  return `^${segment
    .split("*")
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`))
    .join(".*")}$`;
}

/** A body of a program; nothing in it ends it early. */
function dollar(body: string): string {
  let tag = "cofferdam";
  while (body.includes(`$${tag}$`)) tag += "_";
  return `$${tag}$${body}$${tag}$`;
}
