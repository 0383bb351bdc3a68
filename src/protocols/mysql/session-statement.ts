/**
 * Statements about the connection, and SHOW: few forms, each read word by word, since the grammar knows few of them.
 *
 * @module
 */
import { stringValue, type SqlToken, type SqlRefusal } from "./sql-lexer.ts";

/** A statement that only keeps a session going. */
export interface SessionStatement {
  readonly uses?: string;
}

/** Reads `tokens` as one; `undefined` where they begin like none. */
export function readSessionStatement(
  tokens: readonly SqlToken[],
): SessionStatement | SqlRefusal | undefined {
  const [first, second] = tokens;
  if (first?.kind !== "word") return undefined;
  if (first.text === "use") {
    const isName = second?.kind === "word" || second?.kind === "quoted";
    if (tokens.length !== 2 || !isName) return { reason: "chooses a database in an odd way" };
    return { uses: second.kind === "word" ? second.raw : second.text };
  }
  if (first.text === "set") return readSet(tokens.slice(1));
  if (!/^(?:begin|start|commit|rollback|savepoint|release|unlock)$/.test(first.text))
    return undefined;
  const words = tokens
    .map(({ kind, text }) => (kind === "quoted" || kind === "string" ? "?" : text))
    .join(" ");
  return TRANSACTIONS.some((form) => form.test(words)) ? {} : { reason: "is no transaction's" };
}

const NAME = String.raw`[\w$?\u0080-\uffff]+`;
const TRANSACTIONS = [
  /^begin(?: work)?$/,
  /^start transaction(?: (?:read only|read write|with consistent snapshot)(?: , (?:read only|read write|with consistent snapshot))*)?$/,
  /^(?:commit|rollback)(?: work)?(?: and(?: no)? chain)?(?: no release)?$/,
  new RegExp(`^savepoint ${NAME}$`),
  new RegExp(`^rollback(?: work)? to(?: savepoint)? ${NAME}$`),
  new RegExp(`^release savepoint ${NAME}$`),
  /^unlock tables?$/,
];

/** Modes that change neither how a text is read nor what a statement means to us. */
const MODES = new Set(
  "strict_trans_tables strict_all_tables error_for_division_by_zero no_auto_create_user no_engine_substitution no_zero_date no_zero_in_date only_full_group_by no_auto_value_on_zero traditional no_unsigned_subtraction time_truncate_fractional allow_invalid_dates".split(
    " ",
  ),
);
const CHARSETS = new Set(["utf8mb4"]);
/** Variables that may be set to a plain value, for this session. */
const VARIABLES: Readonly<Record<string, RegExp>> = {
  autocommit: /^(?:[01]|on|off|true|false)$/,
  time_zone: /^[\w+:/-]{1,64}$/,
  wait_timeout: /^\d{1,9}$/,
  interactive_timeout: /^\d{1,9}$/,
  net_read_timeout: /^\d{1,9}$/,
  net_write_timeout: /^\d{1,9}$/,
  lock_wait_timeout: /^\d{1,9}$/,
  innodb_lock_wait_timeout: /^\d{1,9}$/,
  group_concat_max_len: /^\d{1,9}$/,
  foreign_key_checks: /^(?:1|on|true)$/,
  unique_checks: /^(?:1|on|true)$/,
  sql_safe_updates: /^(?:[01]|on|off)$/,
  sql_auto_is_null: /^(?:0|off)$/,
  sql_quote_show_create: /^(?:[01]|on|off)$/,
  sql_notes: /^(?:[01]|on|off)$/,
  tx_isolation: /^(?:read-committed|read-uncommitted|repeatable-read|serializable)$/,
  transaction_isolation: /^(?:read-committed|read-uncommitted|repeatable-read|serializable)$/,
  character_set_client: /^utf8mb4$/,
  character_set_connection: /^utf8mb4$/,
  character_set_results: /^(?:utf8mb4|null)$/,
  collation_connection: /^utf8mb4_\w{1,40}$/,
};

/** Reads what follows SET: one or more assignments of plain values. */
function readSet(tokens: readonly SqlToken[]): SessionStatement | SqlRefusal {
  const words = tokens
    .map(({ kind, text }) => (kind === "string" || kind === "quoted" ? "'" : text))
    .join(" ");
  if (
    /^(?:session )?transaction (?:isolation level (?:read committed|read uncommitted|repeatable read|serializable)|read only|read write)$/.test(
      words,
    )
  ) {
    return {};
  }
  let at = 0;
  for (;;) {
    const end = tokens.findIndex(
      ({ kind, text }, index) => index >= at && kind === "sign" && text === ",",
    );
    const one = tokens.slice(at, end < 0 ? undefined : end);
    const flaw = assignmentFlaw(one);
    if (flaw !== undefined) return { reason: flaw };
    if (end < 0) return {};
    at = end + 1;
  }
}

function assignmentFlaw(tokens: readonly SqlToken[]): string | undefined {
  const [first, second, third, fourth, ...more] = tokens;
  if (first?.kind === "word" && first.text === "names") {
    const charset = valueOf(second)?.toLowerCase() ?? "";
    const isPlain =
      second !== undefined &&
      (third === undefined ||
        (third.text === "collate" && fourth !== undefined && more.length === 0));
    const collation = fourth === undefined ? "utf8mb4_" : (valueOf(fourth)?.toLowerCase() ?? "");
    if (isPlain && CHARSETS.has(charset) && /^utf8mb4_\w*$/.test(collation)) return undefined;
    return "sets a character set; here it is utf8mb4, by which statements are read";
  }
  const isSession = first?.kind === "word" && (first.text === "session" || first.text === "local");
  const [name, sign, value, ...rest] = isSession ? tokens.slice(1) : tokens;
  const variable = name === undefined ? undefined : variableOf(name);
  if (
    variable === undefined ||
    value === undefined ||
    rest.length > 0 ||
    (sign?.text !== "=" && sign?.text !== ":=")
  ) {
    return "sets what is not understood, or more than this session's";
  }
  const text = valueOf(value);
  if (text === undefined) return "sets a variable to what is no plain value";
  if (variable.startsWith("@")) return undefined;
  if (variable === "sql_mode") {
    const modes = text
      .toLowerCase()
      .split(",")
      .map((mode) => mode.trim())
      .filter((mode) => mode !== "");
    return modes.every((mode) => MODES.has(mode))
      ? undefined
      : "sets an sql_mode by which statements would be read in another way";
  }
  const form = Object.hasOwn(VARIABLES, variable) ? VARIABLES[variable] : undefined;
  return form?.test(text.toLowerCase()) === true
    ? undefined
    : `sets ${variable}, which nobody may set so`;
}

/** `@x` for a user's variable, else the name of the session's own. */
function variableOf({ kind, text }: SqlToken): string | undefined {
  if (kind === "word") return text;
  if (kind !== "variable") return undefined;
  if (!text.startsWith("@@")) return text;
  const name = text.slice(2).replace(/^(?:session|local)\./, "");
  return name.includes(".") ? undefined : name;
}

/** A plain value; `undefined` for everything that would be computed. */
function valueOf(token: SqlToken | undefined): string | undefined {
  if (token === undefined) return undefined;
  if (token.kind === "string") return stringValue(token);
  if (token.kind === "number") return token.raw;
  return token.kind === "word" && /^[\w]{1,64}$/.test(token.text) ? token.text : undefined;
}

/** What SHOW and DESCRIBE show. */
export interface ShownThing {
  readonly database?: string | undefined;
  readonly table?: string | undefined;
}

const SHOWS: readonly RegExp[] = [
  /^show (?:warnings|errors)(?: limit \d+)?$/,
  /^show (?:full )?(?<what>tables|table status)(?: (?:from|in) (?<database>N))?(?: like S)?$/,
  /^show (?:databases|schemas|engines|storage engines|charset|character set|collation)(?: like S)?$/,
  /^show (?:session |local )?(?:variables|status)(?: like S)?$/,
  /^show (?:full )?(?:columns|fields) (?:from|in) (?<table>N)(?: (?:from|in) (?<database>N))?(?: like S)?$/,
  /^show (?:index|indexes|keys) (?:from|in) (?<table>N)(?: (?:from|in) (?<database>N))?$/,
  /^show create (?:table|view) (?<table>N)$/,
  /^(?:describe|desc|explain) (?<table>N)(?: (?:N|S))?$/,
];

/** Reads `tokens` as SHOW or DESCRIBE; `undefined` where they begin like neither. */
export function readShow(tokens: readonly SqlToken[]): ShownThing | SqlRefusal | undefined {
  const first = tokens[0]?.kind === "word" ? tokens[0].text : "";
  if (!/^(?:show|describe|desc|explain)$/.test(first)) return undefined;
  // Names in the pattern's place are kept aside, so that no name can pass for a word of the form.
  const names: (readonly string[])[] = [];
  const words: string[] = [];
  const isSign = (at: number, text: string) =>
    tokens[at]?.kind === "sign" && tokens[at]?.text === text;
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined) break;
    if (token.kind === "string") words.push("S");
    else if (
      token.kind === "quoted" ||
      (token.kind === "word" && (isSign(at + 1, ".") || !FORM_WORDS.has(token.text)))
    ) {
      const parts = [token.kind === "word" ? token.raw : token.text];
      while (isSign(at + 1, ".")) {
        const next = tokens[at + 2];
        if (next?.kind !== "word" && next?.kind !== "quoted")
          return { reason: "shows what is not understood" };
        parts.push(next.kind === "word" ? next.raw : next.text);
        at += 2;
      }
      words.push(`N${names.length}`);
      names.push(parts);
    } else words.push(token.text);
  }
  const text = words.join(" ");
  for (const form of SHOWS) {
    const pattern = new RegExp(
      form.source.replaceAll("N)", String.raw`N\d+)`).replaceAll("(?:N|", String.raw`(?:N\d+|`),
    );
    const found = pattern.exec(text);
    if (found === null) continue;
    const part = (which: string) => names[Number((found.groups?.[which] ?? "N-1").slice(1))];
    const [table, database] = [part("table"), part("database")];
    if ((table?.length ?? 0) > 2 || (database?.length ?? 0) > 1) break;
    if (table === undefined) {
      // Of the server, and of the session: nothing of a table.
      if (database === undefined && !/tables|table status/.test(text))
        return { database: "", table: "" };
      return { database: database?.[0] };
    }
    return { database: table.length === 2 ? table[0] : database?.[0], table: table.at(-1) };
  }
  return { reason: `shows what nobody may see` };
}

const FORM_WORDS = new Set(
  "show warnings errors limit full tables table status from in like databases schemas engines storage charset character set collation session local variables columns fields index indexes keys create view describe desc explain".split(
    " ",
  ),
);
