/**
 * What happened in n8n between two moments, told from its tables and from who was asked: the effects that a request
 * really had. What may run (a published version) counts as run: it is from then on whenever somebody calls.
 *
 * @module
 */
import type { Effect } from "../../src/action/index.ts";
import type { N8n } from "./kit.ts";
import type { Row, Tables } from "./postgres.ts";

/** An n8n at one moment. */
export interface Moment {
  readonly tables: Tables;
  /** Requests that it made to others. */
  readonly asked: number;
}

/** What holds work or authority: a row that is gone is a deletion. Tables of data have a name each. */
const KEPT =
  /^(workflow_entity|execution_entity|credentials_entity|tag_entity|user|project|data_table|data_table_user_.*|variables)$/;
const CONTENT =
  /^(workflow_entity|workflow_history|tag_entity|workflows_tags|folder|data_table.*|execution_annotation.*|test_run)$/;
const AUTHORITY =
  /^(user|role|role_scope|project|project_relation|credentials_entity|variables|settings|user_api_keys|installed_.*|event_destinations)$/;
/** What n8n notes for itself while it serves. */
const NOTED = new Set(["lastActiveAt", "lastUsedAt", "updatedAt", "triggerCount", "statistics"]);
const FIRSTS = /^instance\.first/;

export function momentOf(n8n: N8n): Moment {
  return { tables: n8n.database.tables(), asked: n8n.outside.asked.length };
}

/** The effects of what differs; none where nothing does. */
export function effectsBetween(before: Moment, after: Moment): ReadonlySet<Effect> {
  const [old, now] = [before.tables, after.tables];
  const effects = new Set<Effect>();
  const [liveBefore, liveAfter] = [live(old), live(now)];
  if ([...liveAfter].some(([id, nodes]) => liveBefore.get(id) !== nodes)) effects.add("execute");
  if ([...liveBefore.keys()].some((id) => !liveAfter.has(id))) effects.add("delete");
  const statusBefore = statuses(old);
  for (const [id, status] of statuses(now)) {
    if (statusBefore.get(id) === status) continue;
    effects.add(status === "canceled" ? "delete" : "execute");
  }
  if (isLess(old, now)) effects.add("delete");
  if (text(old, AUTHORITY) !== text(now, AUTHORITY) || isSharedAnew(old, now))
    effects.add("administer");
  if (text(old, CONTENT) !== text(now, CONTENT)) effects.add("write");
  if (after.asked > before.asked) effects.add("send");
  return effects;
}

/** Names of the tables that differ, to say where an effect was seen. */
export function changedTables(before: Moment, after: Moment): readonly string[] {
  return Object.keys(after.tables).filter((name) => {
    const only = new RegExp(`^${name}$`);
    return text(before.tables, only) !== text(after.tables, only);
  });
}

const rows = (tables: Tables, name: string): readonly Row[] => tables[name] ?? [];

/** What runs on its own or when called, by the workflow: the nodes of its published version, and its settings. */
function live(tables: Tables): ReadonlyMap<unknown, string> {
  const versions = new Map(rows(tables, "workflow_history").map((row) => [row["versionId"], row]));
  return new Map(
    rows(tables, "workflow_entity")
      .filter((row) => row["activeVersionId"] !== null && row["isArchived"] === false)
      .map((row) => {
        const version = versions.get(row["activeVersionId"]);
        return [row["id"], JSON.stringify([version?.["nodes"], row["settings"]])] as const;
      }),
  );
}

function statuses(tables: Tables): ReadonlyMap<unknown, unknown> {
  return new Map(rows(tables, "execution_entity").map((row) => [row["id"], row["status"]]));
}

/** Whether something that was there is gone, or thrown away. */
function isLess(old: Tables, now: Tables): boolean {
  return Object.keys(old)
    .filter((name) => KEPT.test(name))
    .some((name) => {
      const there = new Set(rows(now, name).filter(isThere).map(keyOf));
      return rows(old, name).some((row) => isThere(row) && !there.has(keyOf(row)));
    });
}

function isThere(row: Row): boolean {
  return row["isArchived"] !== true && (row["deletedAt"] ?? null) === null;
}

/** Whether others may use what was there before; whoever makes something has it. */
function isSharedAnew(old: Tables, now: Tables): boolean {
  return ["shared_workflow", "shared_credentials"].some((name) => {
    const idOf = (row: Row) => row["workflowId"] ?? row["credentialsId"];
    const [before, after] = [rows(old, name), rows(now, name)];
    const [had, has] = [new Set(before.map(idOf)), new Set(after.map(idOf))];
    const kept = (list: readonly Row[]) =>
      list
        .filter((row) => had.has(idOf(row)) && has.has(idOf(row)))
        .map((row) => JSON.stringify([idOf(row), row["projectId"], row["role"]]))
        .toSorted();
    return kept(before).join() !== kept(after).join();
  });
}

function keyOf(row: Row): string {
  return JSON.stringify(row["id"] ?? row);
}

function text(tables: Tables, names: RegExp): string {
  const chosen = Object.entries(tables).filter(([name]) => names.test(name));
  const plain = chosen.map(([name, all]) => [
    name,
    all
      .filter((row) => name !== "settings" || !FIRSTS.test(String(row["key"])))
      .map((row) => Object.entries(row).filter(([field]) => !isNoted(name, field)))
      .map((fields) => JSON.stringify(fields))
      .toSorted(),
  ]);
  return JSON.stringify(plain);
}

function isNoted(table: string, field: string): boolean {
  return NOTED.has(field) || (table === "user" && field === "settings");
}
