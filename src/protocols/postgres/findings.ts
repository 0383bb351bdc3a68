/**
 * What reading one text of statements found: the parts it is made of, what it names, and what is wrong with it.
 *
 * @module
 */
import type { Effect } from "../../action/index.ts";
import type { Node } from "./grammar.ts";
import { text } from "./grammar.ts";
import type { PostgresOptions } from "./options.ts";
import { matches } from "./options.ts";
import type { PostgresVerb } from "./verbs.ts";

/** One thing done to one object. */
export interface Part {
  readonly verb: PostgresVerb;
  readonly effects: readonly Effect[];
  readonly object: readonly string[];
  /** Statements of the message that do it. */
  readonly count: number;
}

/** An object of which nothing is known but that there is one: only `**` covers it. */
export const ANYTHING: readonly string[] = ["?", "?"];

/** Objects of one message; a dump names some hundred. */
const PARTS_MAX = 1000;

/** Catalog tables that everybody may read anyway: they tell what there is. */
const DESCRIBING = new Set(
  `pg_aggregate pg_am pg_amop pg_amproc pg_attrdef pg_attribute pg_auth_members pg_available_extension_versions
  pg_available_extensions pg_cast pg_class pg_collation pg_constraint pg_conversion pg_cursors pg_database
  pg_default_acl pg_depend pg_description pg_enum pg_event_trigger pg_extension pg_foreign_data_wrapper
  pg_foreign_table pg_group pg_index pg_indexes pg_inherits pg_init_privs pg_language pg_largeobject_metadata pg_locks pg_matviews
  pg_namespace pg_opclass pg_operator pg_opfamily pg_parameter_acl pg_partitioned_table pg_policies pg_policy
  pg_prepared_statements pg_proc pg_publication pg_publication_namespace pg_publication_rel pg_publication_tables
  pg_range pg_rewrite pg_roles pg_rules pg_seclabel pg_seclabels pg_sequence pg_sequences pg_settings pg_shdepend
  pg_shdescription pg_shseclabel pg_statistic_ext pg_tables pg_tablespace pg_timezone_abbrevs pg_timezone_names
  pg_transform pg_trigger pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser pg_ts_template pg_type pg_user
  pg_views pg_stat_user_tables pg_stat_all_tables pg_stat_user_indexes pg_stat_all_indexes pg_statio_user_tables
  pg_statio_user_indexes pg_stat_database pg_stat_user_functions pg_foreign_server`
    .trim()
    .split(/\s+/),
);

/** Tables of statistics hold values of columns. */
const VALUES = new Set([
  "pg_stats",
  "pg_statistic",
  "pg_stats_ext",
  "pg_stats_ext_exprs",
  "pg_statistic_ext_data",
]);

const PRIVATE_INFORMATION = new Set(["user_mapping_options", "_pg_user_mappings"]);
const SYSTEM = new Set(["pg_catalog", "information_schema", "pg_toast"]);

/** Whether `schema` belongs to the server. */
export function isSystemSchema(schema: string | undefined): boolean {
  return schema !== undefined && SYSTEM.has(schema);
}

export class Findings {
  readonly options: PostgresOptions;
  readonly parts = new Map<string, Part>();
  /** Why it can never be granted, in words for the agent. */
  problem: string | undefined;
  /** Hidden tables that it reads or changes: under which names they stand in it. */
  readonly hiddenAliases = new Set<string>();
  /** Columns of these that are hidden. */
  readonly hiddenColumns = new Map<string, string>();
  /** Names that a table, a CTE or a subquery that hides nothing has in it. */
  readonly openAliases = new Set<string>();
  /** Last names of columns and fields that it names. */
  readonly columns = new Set<string>();
  /** Names that stand alone: a column, or a whole row. */
  readonly alone = new Set<string>();
  /** Qualifiers of `x.*`. */
  readonly starred = new Set<string>();
  /** Names without a schema: of functions, operators, and relations, for what is looked up of them. */
  readonly functions = new Set<string>();
  readonly operators = new Set<string>();
  readonly relations = new Set<string>();
  /** Fields taken of something: `t.f` is also how a function of one argument is called. */
  readonly fields = new Set<string>();
  /** Whether it changes what stays after it in the session, so that it means nothing elsewhere. */
  isOfSession = false;
  /** Whether it begins or ends a transaction. */
  isTransaction = false;

  /** Which statement of the message is read. */
  statement = 0;
  readonly #lastStatement = new Map<string, number>();
  readonly #hidden = new Map<string, readonly string[]>();

  constructor(options: PostgresOptions) {
    this.options = options;
  }

  add(verb: PostgresVerb, effects: readonly Effect[], object: readonly string[] = []): void {
    const key = JSON.stringify([verb, object]);
    const known = this.parts.get(key);
    const all = known === undefined ? effects : [...new Set([...known.effects, ...effects])];
    if (this.parts.size >= PARTS_MAX) return this.refuse("names too many objects");
    const isAgain = this.#lastStatement.get(key) === this.statement;
    this.#lastStatement.set(key, this.statement);
    const count = (known?.count ?? 0) + (isAgain ? 0 : 1);
    this.parts.set(key, { verb, effects: all, object, count });
    return undefined;
  }

  refuse(problem: string): void {
    this.problem ??= problem;
  }

  /** Objects that a name may stand for: one for each schema of the path where it names none. */
  objectsOf(schema: string | undefined, name: string): readonly (readonly string[])[] {
    if (schema !== undefined && schema !== "") return [[schema, name]];
    if (name.startsWith("pg_")) return [["pg_catalog", name]];
    return this.options.path.map((one) => [one, name]);
  }

  /** Objects of a RangeVar. */
  relationsOf(range: Node): readonly (readonly string[])[] {
    const name = text(range["relname"]) ?? "";
    const database = text(range["catalogname"]);
    if (database !== undefined && database !== this.options.database) {
      this.refuse(`names the database ${JSON.stringify(database)}`);
    }
    if (range["relpersistence"] === "t") return [["pg_temp", name]];
    return this.objectsOf(text(range["schemaname"]), name);
  }

  /** A table that is read from. */
  reads(object: readonly string[], verb: "select" | "copy-to" = "select"): void {
    const [schema, name = ""] = object;
    this.relations.add(object.join("."));
    if (this.options.hide.length > 0 && (schema === "pg_toast" || VALUES.has(name))) {
      this.refuse(`${object.join(".")} holds values of columns that are hidden`);
    }
    if (schema === "information_schema" && !PRIVATE_INFORMATION.has(name)) {
      return this.add("describe", ["read"], object);
    }
    if (schema === "pg_catalog" && DESCRIBING.has(name)) {
      return this.add("describe", ["read"], object);
    }
    const isPrivate =
      isSystemSchema(schema) || verb === "copy-to" || matches(this.options.private, object);
    return this.add(verb, isPrivate ? ["read", "read-private"] : ["read"], object);
  }

  /** A table whose rows are changed. */
  changes(verb: PostgresVerb, effects: readonly Effect[], object: readonly string[]): void {
    this.relations.add(object.join("."));
    if (isSystemSchema(object[0])) this.add("server", ["administer"], object);
    else this.add(verb, effects, object);
  }

  /** Columns of `object` that may not be given. */
  hiddenOf(object: readonly string[]): readonly string[] {
    if (this.options.hide.length === 0) return [];
    const table = object.join(".");
    const known = this.#hidden.get(table);
    if (known !== undefined) return known;
    const hidden = this.#hiddenOf(object, table);
    this.#hidden.set(table, hidden);
    return hidden;
  }

  #hiddenOf(object: readonly string[], table: string): readonly string[] {
    return this.options.hide
      .filter((one) => matches([one.slice(0, one.lastIndexOf("."))], object))
      .map((one) => one.slice(one.lastIndexOf(".") + 1))
      .filter((column) => {
        if (!this.hiddenColumns.has(column)) this.hiddenColumns.set(column, table);
        return true;
      });
  }
}
