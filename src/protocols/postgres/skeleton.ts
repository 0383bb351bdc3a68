/**
 * What two statements have in common that differ in their values only. The judgement of a SELECT does not depend on
 * plain numbers and plain texts in it, so those with one skeleton have one judgement.
 *
 * @module
 */

/** Everything that a text may be made of here; whatever else is in it, it is its own skeleton. */
const TOKENS =
  /[ \t\r\n]+|[A-Za-z_][A-Za-z0-9_$]*|\$\d+|"[^"\\]*"|'[^'\\]*'|\d[A-Za-z0-9_.]*|::|[<>!]=|<>|\|\||[(),.*=<>+%[\]]|-(?!-)|\/(?!\*)/y;

/** Functions whose arguments say what they do. */
const BY_ARGUMENT = /set_config|notify|nextval|setval/i;

const SQL_CHARS_MAX = 20_000;

/**
 * The key of `sql`, for what was judged to read only: equal for texts of which the judgement is equal.
 *
 * A text is replaced where nothing but a character that cannot be part of a name stands before it (`E'...'`,
 * `U&'...'` are others), a number where it is of digits alone.
 */
export function skeletonOf(sql: string): string {
  if (sql.length > SQL_CHARS_MAX || !/^\s*(?:select|values)\b/i.test(sql)) return sql;
  if (BY_ARGUMENT.test(sql)) return sql;
  const end = sql.replace(/[\s;]+$/, "");
  let out = "";
  let last = "";
  TOKENS.lastIndex = 0;
  while (TOKENS.lastIndex < end.length) {
    const token = TOKENS.exec(end)?.[0];
    if (token === undefined) return sql;
    if (token.startsWith("'")) {
      if (/[A-Za-z0-9_$"'&]$/.test(last)) return sql;
      out += "'?'";
    } else if (/^\d/.test(token)) {
      const isPlain = /^\d+$/.test(token) && !/[A-Za-z0-9_$.]$/.test(last);
      out += isPlain ? "0" : token;
    } else out += token;
    last = token;
  }
  return out;
}
