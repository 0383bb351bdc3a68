/**
 * Rows of a database's kept answer, whichever broker performed it.
 *
 * @module
 */
import { readTextRows } from "./brokers/mysql/text-rows.ts";
import { readRows } from "./brokers/postgres/login.ts";

/** Values as texts; `null` is NULL. */
export type Rows = readonly (readonly (string | null)[])[];

/** Rows of `body`, which `system`'s broker kept; `undefined` where its answers are no rows. @throws {Fault} where it is malformed */
export function rowsOfAnswer(system: string, body: Buffer): Rows | undefined {
  if (system === "postgres") return readRows(body);
  if (system === "mysql") return readTextRows(body, body.length).rows;
  return undefined;
}
