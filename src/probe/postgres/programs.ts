/**
 * What a function or procedure of PostgreSQL does, by its text. SQL is read with the server's own grammar; PL/pgSQL by its
 * words (sql-text.ts).
 *
 * @module
 */
import { postgres } from "../../protocols/index.ts";
import { readText, type Beside, type Deed, type Reading } from "../sql-text.ts";
import type { Relation, Routine } from "./questions.ts";

/** Reads `routine`; `"native"` where it runs outside of what the database holds it to. */
export function readRoutine(
  routine: Routine,
  beside: Beside<Relation>,
): Reading<Relation> | "native" {
  if (!routine.isTrusted) return "native";
  if (routine.isLong) return { deeds: [], anything: "its text is too long to be read" };
  if (routine.language === "sql") return readSqlBody(routine, beside);
  if (routine.language === "plpgsql") return readText(routine.body, routine.name, beside);
  return { deeds: [], anything: `it is written in ${routine.language}` };
}

const RELATIONAL: ReadonlySet<string> = new Set([
  ...["select", "copy-to", "insert", "update", "delete", "truncate", "alter", "drop"],
]);

function readSqlBody(routine: Routine, beside: Beside<Relation>): Reading<Relation> {
  const body = routine.body.trim();
  const atomic = /^begin\s+atomic\b/i.exec(body)?.[0];
  const text = atomic === undefined ? body : body.slice(atomic.length).replace(/\bend;?$/i, "");
  const options = postgres.optionsOf({ database: "any", path: ["any"] });
  const { found } = postgres.readSql(text, options);
  if (found.problem !== undefined) return readText(routine.body, routine.name, beside);
  const deeds: Deed<Relation>[] = [];
  for (const { verb, effects, object } of found.parts.values()) {
    if (verb === "session" || verb === "describe") continue;
    // What else it calls, makes or becomes is not followed.
    if (!RELATIONAL.has(verb)) return { deeds: [], anything: `it does ${verb}` };
    const [schema, table] = object;
    // Without a schema it is whatever the caller's path finds first.
    const meant = beside.relations.filter(
      (one) => one.table === table && (schema === "any" || one.schema === schema),
    );
    deeds.push(...meant.map((relation) => ({ verb, effects, relation })));
  }
  return { deeds };
}
