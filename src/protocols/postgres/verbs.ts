/**
 * What may be granted of a PostgreSQL database.
 *
 * @module
 */
import type { VerbInfo } from "../protocol.ts";

const verb = (summary: string, ...effects: VerbInfo["effects"]): VerbInfo => ({ effects, summary });

export const POSTGRES_VERBS = {
  session: verb(
    "Logging in, transactions, settings that change no meaning, SELECT of what only computes.",
    "read",
  ),
  describe: verb("Reading the catalog: tables, columns, types, indexes, settings.", "read"),
  select: verb(
    "Reading rows; private ones where the grant's `private` says so.",
    "read",
    "read-private",
  ),
  lock: verb("Locking rows or tables: SELECT ... FOR UPDATE, LOCK.", "write"),
  insert: verb("Adding rows.", "write"),
  update: verb("Changing rows; all of them where nothing narrows it.", "write", "delete"),
  delete: verb("Deleting rows.", "delete"),
  truncate: verb("Emptying tables.", "delete"),
  "copy-to": verb("COPY ... TO STDOUT: rows in bulk.", "read", "read-private"),
  "copy-from": verb("COPY ... FROM STDIN: adding rows in bulk.", "write"),
  sequence: verb("nextval, setval.", "write"),
  "advisory-lock": verb("Advisory locks.", "write"),
  notify: verb("NOTIFY, pg_notify: waking other sessions.", "write"),
  listen: verb("LISTEN.", "read"),
  "large-object": verb("Large objects.", "read-private", "write", "delete"),
  create: verb("Making tables, views, indexes, sequences, types, schemas.", "write"),
  alter: verb("Changing what tables and other objects are.", "administer", "delete"),
  drop: verb("Dropping objects.", "delete"),
  maintain: verb("VACUUM, ANALYZE, REINDEX, CLUSTER, REFRESH MATERIALIZED VIEW.", "execute"),
  call: verb("A function or procedure that is not known to only compute.", "execute"),
  do: verb("DO: a program.", "execute"),
  "create-code": verb(
    "Making functions, triggers, rules, extensions, operators: programs that others run.",
    "execute",
    "administer",
  ),
  "server-file": verb(
    "Files and programs of the server: COPY FROM or TO a file or PROGRAM, pg_read_file, lo_import.",
    "read-private",
    "execute",
    "administer",
  ),
  set: verb("A setting that is not known to be harmless.", "administer"),
  become: verb("SET ROLE, SET SESSION AUTHORIZATION: being someone else.", "administer"),
  authorize: verb("Roles, GRANT, REVOKE, owners, policies, labels.", "administer"),
  signal: verb("Cancelling or ending other sessions.", "administer"),
  "two-phase": verb("PREPARE TRANSACTION and what ends one.", "administer"),
  server: verb(
    "The server itself: databases, ALTER SYSTEM, foreign servers, publications, subscriptions.",
    "administer",
  ),
  batch: verb(
    "Several statements in one message; each is judged, and all must be granted.",
    "read",
    "read-private",
    "write",
    "execute",
    "delete",
    "administer",
  ),
  unknown: verb(
    "What is not understood, or would change what statements mean: never granted.",
    "execute",
    "delete",
    "administer",
  ),
} as const satisfies Readonly<Record<string, VerbInfo>>;

export type PostgresVerb = keyof typeof POSTGRES_VERBS;
