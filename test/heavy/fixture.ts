/**
 * What the golden rows speak of: workflow 1, execution 1 and so on. Each row gets its own, in the state that its
 * facts name, and the row's numbers become theirs.
 *
 * @module
 */
import type { Json } from "../../src/action/index.ts";
import type { Golden } from "../../src/catalog/golden.ts";
import { eventually } from "../support/home.ts";
import { chain, node, webhook, type Draft, type N8n } from "./kit.ts";

type Names = Readonly<Record<string, string>>;
/** What stands in a row's path and in its body, and what it is here. */
export interface Fixture {
  readonly path?: Names;
  readonly body?: Names;
}

/** Verbs whose rows speak of an active workflow where their facts do not say. */
const OF_ACTIVE = /^workflow\.(update-active|deactivate|archive|run)$/;
/** A workflow by such a name is never at rest. */
const SLOW = "slow";
const FIELDS = { values: [{ fieldLabel: "a", fieldType: "text" }] };

let count = 0;
/** A path or a name that nothing has yet. */
export const fresh = (): string => `fresh-${(count += 1)}`;

/** Waits until publications are done, and nothing runs but what waits. */
export async function settle({ database }: N8n): Promise<void> {
  const published = `SELECT count(*) FROM workflow_publication_outbox
    WHERE status IN ('pending', 'in_progress')`;
  const run = `SELECT count(*) FROM execution_entity e JOIN workflow_entity w ON w.id = e."workflowId"
    WHERE e.status IN ('new', 'running') AND w.name <> '${SLOW}'`;
  await eventually("n8n is at rest", 60_000, () => {
    return database.query(`SELECT (${published}) + (${run})`) === "0" || undefined;
  });
}

export async function makeWorkflow(n8n: N8n, draft: Draft, isActive = false): Promise<string> {
  const { id } = await n8n.api("POST", "/workflows", draft);
  if (isActive) await n8n.api("POST", `/workflows/${id}/activate`);
  await settle(n8n);
  return id;
}

/** The number of the newest execution of a workflow, once there is one. */
export async function executionOf(n8n: N8n, workflow: string): Promise<string> {
  const newest = `SELECT max(id) FROM execution_entity WHERE "workflowId" = '${workflow}'`;
  const id = await eventually(
    "an execution",
    60_000,
    () => n8n.database.query(newest) || undefined,
  );
  await settle(n8n);
  return id;
}

/** The token by which what waits is resumed, as the public API tells it. */
export async function resumeToken(n8n: N8n, execution: string): Promise<string> {
  type Execution = { readonly data: { readonly resumeToken?: string } };
  const path = `/executions/${execution}?includeData=true`;
  return (await n8n.api<Execution>("GET", path)).data.resumeToken ?? "";
}

/** A workflow of a row as n8n takes it: nodes with a place, and something that starts it. */
export function complete(json: Json): Json {
  const draft = json as { readonly nodes?: Json };
  if (!Array.isArray(draft.nodes)) return json;
  const whole = { typeVersion: 1, position: [0, 0] };
  const nodes = (draft.nodes as readonly object[]).map((one) => ({
    ...{ id: crypto.randomUUID(), ...whole },
    ...one,
  }));
  return { connections: {}, settings: {}, ...draft, nodes: [webhook(fresh()), ...nodes] } as Json;
}

/** Makes what `row` speaks of. */
export async function makeFixture(n8n: N8n, row: Golden): Promise<Fixture> {
  const [method = "", target = ""] = row.request.split(" ");
  const [path = ""] = target.split("?");
  const [kind = "", ...rest] = path.toLowerCase().replace("/api/v1", "").slice(1).split("/");
  if (/^(webhook|form)$/.test(kind)) return makeCalled(n8n, kind, method, rest);
  if (/^(webhook|form)-waiting$/.test(kind)) return makeWaiting(n8n, kind, method, rest);
  if (kind === "n8n-packages") return { body: { "7": await makeWorkflow(n8n, plain()) } };
  if (kind === "workflows" && rest.length > 0) return makeChanged(n8n, row);
  const make: Readonly<Record<string, () => Promise<string>>> = {
    executions: () => makeExecution(n8n, row),
    credentials: () => makeCredential(n8n),
    tags: () => makeTag(n8n),
    users: () => makeOwning(n8n),
    "data-tables": () => makeTable(n8n),
  };
  const id = rest.length === 0 ? undefined : await make[kind]?.();
  return id === undefined ? {} : { path: { "1": id } };
}

function plain(settings: object = {}): Draft {
  return chain("w", [webhook(fresh()), node("Set", "set")], settings);
}

/** A webhook that answers at once. */
function bell(path: string): object {
  return node("Bell", "webhook", { path }, { typeVersion: 2, webhookId: path });
}

async function makeChanged(n8n: N8n, row: Golden): Promise<Fixture> {
  type Current = Readonly<Record<string, Json>>;
  const current = row.facts?.["current"] as Current | undefined;
  const isActive = current?.["active"] === true || typeof current?.["activeVersionId"] === "string";
  const isUnsaid = current === undefined && OF_ACTIVE.test(row.verb);
  const settings = current?.["settings"] as object | undefined;
  const id = await makeWorkflow(n8n, plain(settings), isActive || isUnsaid);
  const { versionId } = await n8n.api<{ versionId: string }>("GET", `/workflows/${id}`);
  if (JSON.stringify(row.json)?.includes("versionId"))
    await n8n.api("PUT", `/workflows/${id}`, plain());
  if (row.verb === "workflow.unarchive") await n8n.api("POST", `/workflows/${id}/archive`);
  const body = {
    "0e3d": versionId,
    ...(row.verb === "workflow.transfer" && { "2": projectOf(n8n, await makeUser(n8n)) }),
    ...(row.verb === "workflow.tag" && { "1": await makeTag(n8n) }),
  };
  return { path: { "1": id }, body };
}

/** One that failed where it is tried again, one that still runs where it is stopped, else one that ended well. */
async function makeExecution(n8n: N8n, row: Golden): Promise<string> {
  const path = fresh();
  const [name, last] =
    row.verb === "execution.stop"
      ? [SLOW, node("Wait", "wait", { amount: 30, unit: "seconds" }, { typeVersion: 1.1 })]
      : row.verb === "execution.retry"
        ? ["w", node("Stop", "stopAndError", { errorMessage: "e" })]
        : ["w", node("Set", "set")];
  const workflow = await makeWorkflow(n8n, chain(name, [bell(path), last]), true);
  await n8n.ask(`/webhook/${path}`);
  return executionOf(n8n, workflow);
}

async function makeTag(n8n: N8n): Promise<string> {
  return (await n8n.api("POST", "/tags", { name: fresh() })).id;
}

async function makeCredential(n8n: N8n): Promise<string> {
  const data = { apiKey: "k", baseUrl: n8n.outside.origin };
  return (await n8n.api("POST", "/credentials", { name: "c", type: "n8nApi", data })).id;
}

async function makeUser(n8n: N8n): Promise<string> {
  const invited = [{ email: `${fresh()}@example.org`, role: "global:member" }];
  type Invited = readonly { readonly user: { readonly id: string } }[];
  const [made] = await n8n.api<Invited>("POST", "/users", invited);
  return made?.user.id ?? "";
}

function projectOf({ database }: N8n, user: string): string {
  return database.query(`SELECT "projectId" FROM project_relation WHERE "userId" = '${user}'`);
}

/** Somebody who has a workflow and a credential. */
async function makeOwning(n8n: N8n): Promise<string> {
  const user = await makeUser(n8n);
  const theirs = projectOf(n8n, user);
  const workflow = await makeWorkflow(n8n, plain());
  const credential = await makeCredential(n8n);
  n8n.database.query(
    `UPDATE shared_workflow SET "projectId" = '${theirs}' WHERE "workflowId" = '${workflow}';
     UPDATE shared_credentials SET "projectId" = '${theirs}' WHERE "credentialsId" = '${credential}'`,
  );
  return user;
}

async function makeTable(n8n: N8n): Promise<string> {
  const columns = [{ name: "a", type: "string" }];
  const { id } = await n8n.api("POST", "/data-tables", { name: fresh(), columns });
  await n8n.api("POST", `/data-tables/${id}/rows`, { data: [{ a: "x" }] });
  return id;
}

/** A workflow behind an address. */
async function makeCalled(
  n8n: N8n,
  kind: string,
  method: string,
  [first = "", ...more]: readonly string[],
): Promise<Fixture> {
  const path = fresh();
  const form = { formTitle: "f", formFields: FIELDS };
  const start =
    kind === "webhook"
      ? webhook([path, ...more].join("/"), method)
      : node("Form", "formTrigger", form, { typeVersion: 2.2, webhookId: path });
  await makeWorkflow(n8n, chain("called", [start, node("Set", "set")]), true);
  return { path: { [first]: path } };
}

/** A workflow that waits for an answer at an address. */
async function makeWaiting(
  n8n: N8n,
  kind: string,
  method: string,
  [first = "", ...more]: readonly string[],
): Promise<Fixture> {
  const path = fresh();
  const waits = {
    ...(kind === "form-waiting"
      ? { resume: "form", formTitle: "f", formFields: FIELDS }
      : { resume: "webhook", httpMethod: method }),
    options: { webhookSuffix: more.join("/") },
  };
  const wait = node("Wait", "wait", waits, { typeVersion: 1.1, webhookId: path });
  const draft = chain("waits", [bell(path), wait, node("Set", "set")]);
  const workflow = await makeWorkflow(n8n, draft, true);
  await n8n.ask(`/webhook/${path}`);
  return { path: { [first]: await executionOf(n8n, workflow) } };
}
