/**
 * Settings of a session: which change nothing but its own comfort, which change what statements mean, and what a
 * session begins with.
 *
 * @module
 */

/** Harmless: how values are written, how long it waits, how a plan is made. */
const COMFORT = new Set(
  `application_name bytea_output client_min_messages datestyle deadlock_timeout default_statistics_target
  default_text_search_config default_transaction_deferrable default_transaction_isolation
  default_transaction_read_only effective_cache_size escape_string_warning extra_float_digits
  force_parallel_mode debug_parallel_query from_collapse_limit gin_fuzzy_search_limit
  idle_in_transaction_session_timeout idle_session_timeout intervalstyle join_collapse_limit
  jit jit_above_cost jit_optimize_above_cost jit_inline_above_cost lc_messages lc_monetary lc_numeric lc_time
  lock_timeout max_parallel_workers_per_gather parallel_leader_participation parallel_setup_cost
  parallel_tuple_cost plan_cache_mode quote_all_identifiers random_page_cost row_security seq_page_cost
  cpu_tuple_cost cpu_index_tuple_cost cpu_operator_cost cursor_tuple_fraction constraint_exclusion
  synchronize_seqscans timezone track_activities transaction_deferrable transaction_isolation
  transaction_read_only transaction_timeout work_mem hash_mem_multiplier maintenance_work_mem
  xmlbinary xmloption default_tablespace default_table_access_method default_toast_compression
  check_function_bodies vacuum_cost_delay geqo geqo_threshold icu_validation_level restrict_nonsystem_relation_kind`
    .trim()
    .split(/\s+/),
);

/** Pinned: only to what they are already. */
const PINNED: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["client_encoding", new Set(["utf8", "utf-8", "unicode"])],
  ["names", new Set(["utf8", "utf-8", "unicode"])],
  ["standard_conforming_strings", new Set(["on", "true", "yes", "1"])],
  ["backslash_quote", new Set(["safe_encoding"])],
]);

export type SettingKind =
  /** It stays within the session and means nothing elsewhere. */
  | "comfort"
  /** It would change what later statements mean, or undo a limit of the grant. */
  | "pinned"
  /** Another identity. */
  | "become"
  /** Not known. */
  | "other";

/** What setting `name` to `value` is; `value` is `undefined` where it cannot be told, or is set back. */
export function settingKind(
  name: string,
  value: string | undefined,
  { path, isTimed }: { readonly path: readonly string[]; readonly isTimed: boolean },
): SettingKind {
  const key = name.toLowerCase();
  if (key === "role" || key === "session_authorization") return "become";
  if (COMFORT.has(key) || /^enable_[a-z_]+$/.test(key)) return "comfort";
  if (key === "statement_timeout") return isTimed ? "pinned" : "comfort";
  if (key === "search_path") return isPath(value, path) ? "comfort" : "pinned";
  const pinned = PINNED.get(key);
  if (pinned === undefined) return "other";
  return value !== undefined && pinned.has(value.toLowerCase()) ? "comfort" : "pinned";
}

/** Whether it is the pinned path, or the empty one, in which nothing of a user's is found without its schema. */
function isPath(value: string | undefined, path: readonly string[]): boolean {
  if (value === undefined) return false;
  const given = value
    .split(",")
    .map((one) => one.trim().replace(/^"(.*)"$/, "$1"))
    .filter((one) => one !== "");
  const own = given.filter((one) => one !== "pg_catalog");
  return own.length === 0 || (given.length === own.length && own.join() === path.join());
}

/** What every session begins with, as its start-up message says; `RESET` goes back to it. */
export function pinsOf(options: {
  readonly path: readonly string[];
  readonly timeoutMs: number | undefined;
}): Readonly<Record<string, string>> {
  return {
    client_encoding: "UTF8",
    standard_conforming_strings: "on",
    backslash_quote: "safe_encoding",
    search_path: options.path.map((one) => `"${one}"`).join(", "),
    ...(options.timeoutMs === undefined ? {} : { statement_timeout: `${options.timeoutMs}ms` }),
  };
}
