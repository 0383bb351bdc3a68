/**
 * Files of statements against the oracle: all are run in one session, as psql would; around each that we call reading
 * the database is looked at.
 *
 * @module
 */
import type pg from "pg";
import { postgres } from "../../src/protocols/index.ts";
import { isMissed, type Oracle, type Verdict } from "./oracle.ts";

/** The statements of a script of psql, without its own commands and without COPY's data. */
export function statementsOf(script: string): readonly string[] {
  const statements: string[] = [];
  let current = "";
  const token =
    /--[^\n]*|\/\*[\s\S]*?\*\/|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$[A-Za-z_]*\$)[\s\S]*?\1|;|^\\[^\n]*$|[^;'"$/\\eE-]+|[\s\S]/gmy;
  for (let match = token.exec(script); match !== null; match = token.exec(script)) {
    const [text] = match;
    if (text.startsWith("\\") && text.length > 1) {
      current = /^\\(?:g|crosstabview|watch)/.test(text) ? finish(current) : current;
      continue;
    }
    if (text !== ";") {
      current += text;
      continue;
    }
    const isData = /\bcopy\b[\s\S]*\bfrom\s+stdin\b/i.test(current);
    current = finish(current);
    if (!isData) continue;
    const end = script.indexOf("\n\\.\n", token.lastIndex - 1);
    if (end >= 0) token.lastIndex = end + 4;
  }
  finish(current);
  return statements;

  function finish(text: string): string {
    // A variable of psql's is no statement.
    if (text.trim() !== "" && !/(?<!:):['"]?[a-z_]/i.test(text)) statements.push(text.trim());
    return "";
  }
}

/** What would end the test, or needs another client. */
const LEFT_OUT =
  /from\s+stdin|pg_sleep|pg_terminate_backend|pg_cancel_backend|pg_reload_conf|alter\s+system|\bcheckpoint\b|drop\s+database|create\s+database/i;

/** Runs `script`; gives what changed something and was called reading. `looked` counts what was looked at. */
export async function replay(
  oracle: Oracle,
  script: string,
): Promise<{ readonly missed: readonly Verdict[]; readonly looked: number }> {
  const missed: Verdict[] = [];
  const client = await oracle.client();
  const watch = await oracle.client();
  let state: Readonly<Record<string, string>> | undefined;
  let catalog: postgres.Catalog | undefined;
  let looked = 0;
  const prepared: Record<string, string> = {};
  try {
    for (const sql of statementsOf(script)) {
      if (LEFT_OUT.test(sql)) continue;
      catalog ??= await oracle.catalog(watch);
      const described = oracle.describe(sql, catalog, prepared);
      if (/^\s*prepare\s/i.test(sql)) prepared[/^\s*prepare\s+(\w+)/i.exec(sql)?.[1] ?? ""] = sql;
      const isRead = described.effects.every((one) => one === "read" || one === "read-private");
      // What only ends or begins a transaction shows what was done before it.
      const isLooked = isRead && described.verb !== "session";
      if (isLooked) state ??= await oracle.state(watch);
      const error = await run(client, sql);
      if (!isLooked) {
        state = undefined;
        catalog = undefined;
        continue;
      }
      looked += 1;
      const now = await oracle.state(watch);
      const then = state ?? {};
      // Within a transaction, what is held comes and goes with it.
      const changed = Object.keys(now).filter(
        (name) => name !== "locks" && now[name] !== then[name],
      );
      const { verb, effects, fields } = described;
      const verdict = { sql, changed, effects, verb, problem: fields["problem"], error };
      if (isMissed(verdict)) missed.push(verdict);
      state = now;
    }
  } finally {
    await client.end();
    await watch.end();
  }
  return { missed, looked };
}

async function run(client: pg.Client, sql: string): Promise<string | undefined> {
  return client.query(sql).then(
    () => undefined,
    (failure: Error) => failure.message,
  );
}
