/**
 * What calling a function does.
 *
 * @module
 */
import type { Findings } from "./findings.ts";
import { literal, list, type Tree } from "./grammar.ts";
import { PURE_FUNCTIONS } from "./pure-functions.ts";
import { settingKind, type SettingKind } from "./settings.ts";
import { statementMs } from "./options.ts";

/** The server's own, however they are written without a schema: no grant of `public.*` means them. */
const BUILT_IN =
  /^(pg_|lo_|lo(read|write)$|lowrite$|binary_upgrade|txid_|ts_|RI_|brin_|gin_|nextval$|setval$|set_config$|(query|cursor|table|schema|database)_to_xml|currtid|tsvector_update)/;

const FILES =
  /^(pg_read_|pg_ls_|pg_stat_file$|lo_import$|lo_export$|pg_file_|pg_logdir_ls$|pg_current_logfile$)/;
const OBJECTS_READ = new Set([
  "lo_get",
  "loread",
  "lo_lseek",
  "lo_lseek64",
  "lo_tell",
  "lo_tell64",
]);
const OBJECTS_WRITE = new Set(
  "lo_open lo_close lo_creat lo_create lo_from_bytea lo_put lo_truncate lo_truncate64 lowrite".split(
    " ",
  ),
);

/** Adds what calling `parts` (schema and name, or a name) with `args` does. */
export function addCall(found: Findings, parts: readonly string[], args: Tree): void {
  const name = parts.at(-1) ?? "";
  const schema = parts.length > 1 ? parts.at(-2) : undefined;
  if (schema === undefined) found.functions.add(name);
  if (parts.length > 3) return found.refuse("a function's name has too many parts");
  if (schema !== undefined && schema !== "pg_catalog") {
    return found.add("call", ["execute"], [schema, name]);
  }
  if (PURE_FUNCTIONS.has(name)) return undefined;
  if (addKnown(found, name, list(args)) !== true) addProgram(found, schema, name);
  return undefined;
}

function addProgram(found: Findings, schema: string | undefined, name: string): void {
  const isOwn = schema === undefined && !BUILT_IN.test(name);
  const objects = isOwn ? found.options.path.map((one) => [one, name]) : [["pg_catalog", name]];
  for (const object of objects) found.add("call", ["execute"], object);
}

/** Functions of the server whose effect is known; `true` where it is one. */
function addKnown(found: Findings, name: string, args: readonly Tree[]): true | undefined {
  if (name === "nextval" || name === "setval") {
    for (const object of objectsNamed(found, literal(args[0]))) {
      found.add("sequence", ["write"], object);
    }
  } else if (/^pg_(try_)?advisory_/.test(name)) {
    found.add("advisory-lock", ["write"]);
  } else if (name === "pg_notify") {
    found.add("notify", ["write"], [literal(args[0]) ?? "?"]);
  } else if (name === "set_config") {
    const setting = literal(args[0]);
    if (setting === undefined) found.add("become", ["administer"], ["?"]);
    else addSetting(found, setting, literal(args[1]));
  } else if (/^pg_(cancel|terminate)_backend$|^pg_log_backend/.test(name)) {
    found.add("signal", ["administer"]);
  } else if (FILES.test(name)) {
    found.add("server-file", ["read-private", "execute", "administer"]);
  } else if (OBJECTS_READ.has(name)) {
    found.add("large-object", ["read-private"]);
  } else if (OBJECTS_WRITE.has(name)) {
    found.add("large-object", ["write"]);
  } else if (name === "lo_unlink") {
    found.add("large-object", ["delete"]);
  } else {
    return undefined;
  }
  return true;
}

/** Objects that a name within a text stands for: `'public.s'::regclass`; spelled in an odd way, anything. */
function objectsNamed(found: Findings, value: string | undefined): readonly (readonly string[])[] {
  const match = /^(?:("?)([a-z_][a-z0-9_$]*)\1\.)?("?)([a-z_][a-z0-9_$]*)\3$/.exec(value ?? "");
  if (match?.[4] === undefined) return [["?", "?"]];
  return found.objectsOf(match[2], match[4]);
}

/** Adds what setting `name` to `value` does; `value` is `undefined` where it cannot be told. */
export function addSetting(
  found: Findings,
  name: string,
  value: string | undefined,
  isBack = false,
): void {
  const { path } = found.options;
  const isTimed = statementMs(found.options) !== undefined;
  const kind: SettingKind = settingKind(name, value, { path, isTimed });
  found.isOfSession = true;
  if (kind === "become") return found.add("become", ["administer"], [value ?? "?"]);
  // Set back, it is as the session began: pinned.
  if (kind === "comfort" || (isBack && kind === "pinned")) return found.add("session", ["read"]);
  if (kind === "other") return found.add("set", ["administer"], [name.toLowerCase()]);
  return found.refuse(
    name === "search_path"
      ? `the search path is held at ${path.join(", ")}: write schema.table instead`
      : `the setting ${name} is held as it is`,
  );
}
