/**
 * PostgreSQL: what statements do, judged with the server's own grammar.
 *
 * @module
 */
import { Fault } from "../../base/index.ts";
import type { Json } from "../../action/index.ts";
import type { Protocol } from "../protocol.ts";
import { describePostgres } from "./describe.ts";
import { loadGrammar } from "./grammar.ts";
import { MINT } from "./mint.ts";
import { postgresOptions } from "./options.ts";
import { POSTGRES_VERBS } from "./verbs.ts";

export { catalogOf, catalogQuery, factsFor, NO_CATALOG, quoted, quotedName } from "./catalog.ts";
export type { Catalog } from "./catalog.ts";
export { readOperation, readSql, type PostgresOperation, type Read } from "./describe.ts";
export type { Findings } from "./findings.ts";
export { loadGrammar, SQL_BYTES_MAX, type Statement } from "./grammar.ts";
export { dropStatements, mintStatements, type MintRule } from "./mint.ts";
export { optionsOf, statementMs, type PostgresOptions } from "./options.ts";
export { differencesOf, roleQuery, type Difference } from "./role.ts";
export { pinsOf, settingKind } from "./settings.ts";
export { skeletonOf } from "./skeleton.ts";

const TEMPLATE = `# A PostgreSQL database. The agent logs in with any name and no password.
system: postgres
name: shop
hosts: [db.example.com]
ports: [5432]
tls: true
credential: shop-db
with:
  database: shop
  path: [public]
  # Columns that no answer may hold, and tables whose rows are private.
  hide: [public.customers.password_hash]
  private: [public.customers]
  rows: 10000
  statement: 30s
allow:
  - verbs: [describe]
    on: ["pg_catalog.*", "information_schema.*"]
  - verbs: [select]
    on: ["public.*"]
  # Deleting, and changing every row of a table, waits for a person in any case.
  - verbs: [insert, update, delete]
    on: ["public.orders"]
`;

export const POSTGRES: Protocol = {
  system: "postgres",
  title: "PostgreSQL",
  docs: [
    "https://www.postgresql.org/docs/current/protocol.html",
    "https://www.rfc-editor.org/rfc/rfc5802",
    "https://www.rfc-editor.org/rfc/rfc7677",
  ],
  ports: [5432],
  verbs: POSTGRES_VERBS,
  object: { separator: ".", form: "schema.table" },
  options: postgresOptions,
  example: { database: "shop" },
  unknown: POSTGRES_VERBS.unknown.effects,
  load: loadGrammar,
  describe: describePostgres,
  operationOf(text: string): Json {
    if (text.trim() === "") {
      throw new Fault("protocols.operation", "there is no statement", {
        hint: 'write the statement as SQL: "SELECT id FROM public.orders"',
      });
    }
    return { sql: text };
  },
  mint: MINT,
  template: TEMPLATE,
};
