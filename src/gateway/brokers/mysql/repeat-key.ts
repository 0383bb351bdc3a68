/**
 * What a statement is judged by: all of it but the values that it compares with. A loop over ids is one key.
 *
 * @module
 */
import { tokensOf } from "../../../protocols/index.ts";

const TEXT_CHARS_MAX = 20_000;

/**
 * A key for {@link Session.repeats}: of a SELECT its tokens, with every string and number as one; of every other
 * statement its own text. `undefined` where the statement changes by what later ones are judged.
 */
export function repeatKey(sql: string, database: string | null): string | undefined {
  if (sql.length > TEXT_CHARS_MAX) return undefined;
  const tokens = tokensOf(sql);
  const [first] = tokens;
  // By its first token, not by how the text begins: a comment may stand before it.
  if (first === undefined || first.text === "use") return undefined;
  if (first.text !== "select") return `exact ${JSON.stringify([database, sql])}`;
  let shape = "";
  for (const { kind, raw, isApart } of tokens) {
    shape += isApart ? " " : "";
    shape += kind === "string" ? "'s'" : kind === "number" ? "0" : raw;
  }
  return `shape ${JSON.stringify([database, shape])}`;
}
