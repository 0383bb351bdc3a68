/**
 * What the golden rows speak of: workflow 1, execution 1 and so on. Each row gets its own, in the state that its
 * facts name, and the row's numbers become theirs.
 *
 * @module
 */
import type { Golden } from "../../src/catalog/golden.ts";
import { eventually } from "../support/home.ts";
import { chain, node, webhook, type Draft, type N8n } from "./kit.ts";

/** What stands in a row, and what it is here. */
export type Names = Readonly<Record<string, string>>;

interface Made {
  readonly id: string;
}

/** Verbs whose rows speak of an active workflow where their facts do not say. */
const OF_ACTIVE = /^workflow\.(update-active|deactivate|archive|delete|run)$/;

/** Waits until publications are done, and nothing runs but what waits. */
export async function settle(n8n: N8n): Promise<void> {
  await eventually("n8n is at rest", 60_000, () => {
    const busy = n8n.database.query(
      `SELECT (SELECT count(*) FROM workflow_publication_outbox WHERE status IN ('pending', 'in_progress'))
       + (SELECT count(*) FROM execution_entity e WHERE status IN ('new', 'running')
          AND NOT EXISTS (SELECT 1 FROM workflow_entity w WHERE w.id = e."workflowId" AND w.name LIKE 'slow%'))`,
    );
    return busy === "0" || undefined;
  });
}

export async function makeWorkflow(n8n: N8n, draft: Draft, isActive = false): Promise<string> {
  const { id } = await n8n.api<Made>("POST", "/workflows", draft);
  if (isActive) await n8n.api("POST", `/workflows/${id}/activate`);
  await settle(n8n);
  return id;
}

/** The number of the newest execution of a workflow, once there is one. */
export async function executionOf(n8n: N8n, workflow: string): Promise<string> {
  return eventually("an execution", 60_000, () => {
    const id = n8n.database.query(`SELECT max(id) FROM execution_entity WHERE "workflowId" = '${workflow}'`);
    return id === "" ? undefined : id;
  });
}

let count = 0;
/** A path that no webhook has yet. */
export const freshPath = (): string => `path-${(count += 1)}`;

/** Makes what `row` speaks of. */
export async function makeFixture(n8n: N8n, row: Golden): Promise<Names> {
  const [method = "", target = ""] = row.request.split(" ");
  const [path = ""] = target.split("?");
  const [, kind = "", ...rest] = path.replace("/api/v1", "").split("/");
  if (/^(webhook|form)(-waiting)?$/.test(kind)) return makeCalled(n8n, kind, method, rest);
  if (rest[0] === undefined) return {};
  const make: Readonly<Record<string, () => Promise<Names>>> = {
    workflows: () => ofWorkflow(n8n, row),
    executions: () => ofExecution(n8n, row),
    credentials: () => ofCredential(n8n),
    tags: async () => ({ "1": (await n8n.api("POST", "/tags", { name: freshPath() })).id }),
    users: () => ofUser(n8n),
    "data-tables": () => ofTable(n8n),
    "n8n-packages": async () => ({ "7": await makeWorkflow(n8n, plain()) }),
  };
  return (await make[kind]?.()) ?? {};
}

const plain = (settings: object = {}): Draft =>
  chain("w", [webhook(freshPath()), node("Set", "set")], settings);

async function ofWorkflow(n8n: N8n, row: Golden): Promise<Names> {
  const { active, activeVersionId, settings } = (row.facts?.["current"] ?? {}) as Readonly<
    Record<string, unknown>
  >;
  const isActive = active === true || typeof activeVersionId === "string";
  const isUnsaid = row.facts === undefined && OF_ACTIVE.test(row.verb);
  const draft = plain(settings as object | undefined);
  const id = await makeWorkflow(n8n, draft, isActive || isUnsaid);
  const { versionId } = await n8n.api<{ readonly versionId: string }>("GET", `/workflows/${id}`);
  if (JSON.stringify(row.json ?? {}).includes("versionId"))
    await n8n.api("PUT", `/workflows/${id}`, plain());
  if (row.verb === "workflow.unarchive") await n8n.api("POST", `/workflows/${id}/archive`);
  const tag = row.verb === "workflow.tag" ? await n8n.api("POST", "/tags", { name: freshPath() }) : undefined;
  return { "1": id, "0e3d": versionId, ...(tag && { '{"id":"1"}': JSON.stringify({ id: tag.id }) }) };
}

/** One that failed where it is tried again, one that still runs where it is stopped, else one that ended well. */
async function ofExecution(n8n: N8n, row: Golden): Promise<Names> {
  const path = freshPath();
  const isSlow = row.verb === "execution.stop";
  const last = row.verb === "execution.retry" ? node("Stop", "stopAndError") : node("Set", "set");
  const slow = node("Wait", "wait", { amount: 30, unit: "seconds" }, { typeVersion: 1.1 });
  const start = node("Webhook", "webhook", { path }, { typeVersion: 2, webhookId: path });
  const draft = chain(isSlow ? "slow" : "w", [start, isSlow ? slow : last]);
  const workflow = await makeWorkflow(n8n, draft, true);
  await n8n.ask(`/webhook/${path}`);
  const id = await executionOf(n8n, workflow);
  await settle(n8n);
  return { "1": id };
}

async function ofCredential(n8n: N8n): Promise<Names> {
  const data = { apiKey: "k", baseUrl: n8n.outside.origin };
  return { "1": (await n8n.api("POST", "/credentials", { name: "c", type: "n8nApi", data })).id };
}

/** Somebody who has a workflow and a credential. */
async function ofUser(n8n: N8n): Promise<Names> {
  const email = `${freshPath()}@example.org`;
  const [made] = await n8n.api<readonly { readonly user: Made }[]>("POST", "/users", [
    { email, role: "global:member" },
  ]);
  const id = made?.user.id ?? "";
  const theirs = `(SELECT "projectId" FROM project_relation WHERE "userId" = '${id}')`;
  const workflow = await makeWorkflow(n8n, plain());
  const { "1": credential } = await ofCredential(n8n);
  n8n.database.query(
    `UPDATE shared_workflow SET "projectId" = ${theirs} WHERE "workflowId" = '${workflow}';
     UPDATE shared_credentials SET "projectId" = ${theirs} WHERE "credentialsId" = '${credential}'`,
  );
  return { "1": id };
}

async function ofTable(n8n: N8n): Promise<Names> {
  const columns = [{ name: "a", type: "string" }];
  const { id } = await n8n.api("POST", "/data-tables", { name: freshPath(), columns });
  await n8n.api("POST", `/data-tables/${id}/rows`, { data: [{ a: "x" }] });
  return { "1": id };
}

/** A workflow behind an address, or one that waits for an answer there. */
async function makeCalled(
  n8n: N8n,
  kind: string,
  method: string,
  [first = "", ...more]: readonly string[],
): Promise<Names> {
  const path = freshPath();
  if (kind === "webhook" || kind === "form") {
    const start =
      kind === "webhook"
        ? webhook([path, ...more].join("/"), method)
        : node("Form", "formTrigger", { path, formTitle: "f", formFields: {} }, { webhookId: path });
    await makeWorkflow(n8n, chain("called", [start, node("Set", "set")]), true);
    return { [first]: path };
  }
  const isForm = kind === "form-waiting";
  const wait = {
    ...(isForm ? { formTitle: "f" } : { httpMethod: method }),
    resume: isForm ? "form" : "webhook",
    options: { webhookSuffix: more.join("/") },
  };
  const start = node("Webhook", "webhook", { path }, { typeVersion: 2, webhookId: path });
  const nodes = [start, node("Wait", "wait", wait, { typeVersion: 1.1, webhookId: path }), node("Set", "set")];
  const workflow = await makeWorkflow(n8n, chain("waits", nodes), true);
  await n8n.ask(`/webhook/${path}`);
  const id = await executionOf(n8n, workflow);
  await settle(n8n);
  return { [first]: id };
}

/** The token by which what waits is resumed, as the public API tells it. */
export async function resumeToken(n8n: N8n, execution: string): Promise<string> {
  const { data } = await n8n.api<{ readonly data: { readonly resumeToken?: string } }>(
    "GET",
    `/executions/${execution}?includeData=true`,
  );
  return data.resumeToken ?? "";
}

/** A workflow of a row as n8n takes it: nodes with a place, and something that starts it. */
export function complete(json: unknown): unknown {
  const draft = json as { readonly nodes?: readonly { readonly name: string }[] };
  if (!Array.isArray(draft.nodes)) return json;
  const nodes = draft.nodes.map((one: object) => ({
    ...{ id: crypto.randomUUID(), typeVersion: 1, position: [0, 0] },
    ...one,
  }));
  return { connections: {}, settings: {}, ...draft, nodes: [webhook(freshPath()), ...nodes] };
}

