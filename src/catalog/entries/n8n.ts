/**
 * n8n, workflows, by its public API and its webhooks. A webhook runs a workflow whatever the method, GET too,
 * and without n8n's credential, which would reach the workflow; which ones may be called is said by path. What waits for a person's answer
 * (`webhook-waiting`, `form-waiting`) is resumed by whoever calls it, so that an agent could approve itself.
 * The editor's own interface (`/rest`) is unknown, and so denied. Endpoints that an instance renames are too.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

type Routes = EntrySource["routes"];

const ANY = "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS";
const WORKFLOW = { current: "/workflows/{path.id}" };

const WORKFLOWS: Routes = [
  {
    verb: "workflow.read",
    request: [
      "GET /workflows",
      "GET /workflows/{id}",
      "GET /workflows/{id}/{part:tags|history|test-runs}",
      "GET /workflows/{id}/test-runs/{run}",
      "GET /workflows/{id}/test-runs/{run}/test-cases",
      "GET /workflows/{id}/{version}",
    ],
    effects: ["read-private"],
    summary: "Read workflows {path.id}",
  },
  {
    verb: "workflow.create",
    request: "POST /workflows",
    effects: ["execute"],
    summary: "Make the workflow {body.name}",
    body: ["json"],
    reader: "n8n-workflow",
    show: "workflow",
  },
  {
    // Unless its query says otherwise, and in earlier versions always, an active one runs changed at once.
    verb: "workflow.update-active",
    request: "PUT /workflows/{id}",
    effects: ["execute"],
    summary: "Replace the workflow {path.id}",
    body: ["json"],
    lookup: WORKFLOW,
    reader: "n8n-workflow",
    show: "workflow",
    // The reader looks at the same, and at its nodes.
    cases: [{ absent: true as const }, { only: [null] }].map((version) => ({
      when: { "current.active": { only: [false] }, "current.activeVersionId": version },
      verb: "workflow.update",
    })),
  },
  {
    verb: "workflow.activate",
    request: "POST /workflows/{id}/{act:activate|publish}",
    effects: ["execute"],
    summary:
      "Let the workflow {path.id} run on its own: {current.name}, with {current.nodes.*.type}, or as it was in " +
      "version {body.versionId}, with {version.nodes.*.type}",
    // An older version may be named, which runs other nodes.
    lookup: { ...WORKFLOW, version: "/workflows/{path.id}/{body.versionId}" },
    show: "workflow",
  },
  {
    // What relies on it stands still.
    verb: "workflow.deactivate",
    request: "POST /workflows/{id}/{act:deactivate|unpublish}",
    effects: ["delete"],
    summary: "Stop the workflow {path.id}: {current.name}",
    lookup: WORKFLOW,
    reversible: true,
  },
  {
    verb: "workflow.archive",
    request: "POST /workflows/{id}/archive",
    effects: ["delete"],
    summary: "Archive the workflow {path.id}",
    reversible: true,
  },
  {
    verb: "workflow.unarchive",
    request: "POST /workflows/{id}/unarchive",
    effects: ["write"],
    summary: "Take the workflow {path.id} out of the archive",
  },
  {
    verb: "workflow.run",
    request: ["POST /workflows/{id}/{act:execute|run}", "POST /workflows/{id}/test-runs"],
    effects: ["execute"],
    summary: "Run the workflow {path.id}: {current.name}",
    lookup: WORKFLOW,
    show: "workflow",
  },
  {
    verb: "workflow.cancel-test",
    request: "POST /workflows/{id}/test-runs/{run}/cancel",
    effects: ["write"],
    summary: "Stop a test of the workflow {path.id}",
  },
  {
    verb: "workflow.transfer",
    request: "PUT /workflows/{id}/transfer",
    effects: ["administer"],
    summary: "Move the workflow {path.id} to the project {body.destinationProjectId}",
  },
  {
    verb: "workflow.tag",
    request: ["PUT /workflows/{id}/tags", "PUT /executions/{id}/tags"],
    effects: ["write"],
    summary: "Change tags of {path.id}",
  },
  {
    verb: "workflow.delete",
    request: "DELETE /workflows/{id}",
    effects: ["delete"],
    summary: "Delete the workflow {path.id}: {current.name}",
    lookup: WORKFLOW,
  },
  {
    verb: "execution.read",
    request: ["GET /executions", "GET /executions/{id}", "GET /executions/{id}/tags"],
    effects: ["read-private"],
    summary: "Read what workflows did, with their data: {path.id}",
  },
  {
    // All that the run did is done again.
    verb: "execution.retry",
    request: "POST /executions/{id}/retry",
    effects: ["execute"],
    summary: "Run again what failed: {path.id}",
    lookup: { current: "/executions/{path.id}" },
  },
  {
    verb: "execution.stop",
    request: ["POST /executions/{id}/stop", "POST /executions/stop"],
    effects: ["delete"],
    summary: "Stop what runs: {path.id} {body.workflowId} {body.status.*}",
  },
  {
    verb: "execution.delete",
    request: "DELETE /executions/{id}",
    effects: ["delete"],
    summary: "Delete the record of {path.id}",
  },
];

const CALLS: Routes = [
  {
    verb: "webhook.call",
    request: `${ANY} /{kind:webhook|webhook-test|form|form-test|mcp|mcp-test}/{path...}`,
    root: true,
    bare: true,
    effects: ["execute"],
    summary: "Run the workflow behind {path.kind} {path.path}",
    body: ["none", "json", "form", "multipart", "raw"],
  },
  {
    // The workflow goes on with what stands behind the question.
    verb: "wait.resume",
    request: `${ANY} /{kind:webhook-waiting|form-waiting}/{path...}`,
    root: true,
    bare: true,
    effects: ["execute", "administer"],
    summary: "Answer in place of whoever a workflow waits for: {path.path}",
    body: ["none", "json", "form", "multipart", "raw"],
  },
  {
    verb: "health.read",
    request: ["GET /healthz", "GET /healthz/readiness"],
    root: true,
    effects: ["read"],
    summary: "Read whether it is up",
  },
];

const ADMINISTRATION: Routes = [
  {
    verb: "api.discover",
    request: "GET /discover",
    effects: ["read-private"],
    summary: "Read what the key may do",
  },
  {
    verb: "credential.read",
    request: ["GET /credentials", "GET /credentials/schema/{type}", "GET /credentials/{id}"],
    effects: ["read-private"],
    summary: "Read which credentials there are, without their secrets",
  },
  {
    // A workflow that names it sends its secret to where the credential or the node says.
    verb: "credential.write",
    request: [
      "POST /credentials",
      "PATCH|PUT /credentials/{id}",
      "PUT /credentials/{id}/{act:transfer|share}",
    ],
    effects: ["administer"],
    summary: "Change the credential {path.id} {body.name} of {body.type}",
  },
  {
    // Its secret is nowhere else.
    verb: "credential.delete",
    request: "DELETE /credentials/{id}",
    effects: ["delete", "administer"],
    summary: "Delete the credential {path.id}",
  },
  {
    verb: "credential.test",
    request: "POST /credentials/{id}/test",
    effects: ["administer", "send"],
    summary: "Try the credential {path.id} where it points to",
  },
  {
    verb: "user.read",
    request: ["GET /users", "GET /users/{id}", "GET /projects/{id}/users"],
    effects: ["read-private"],
    summary: "Read users",
  },
  {
    verb: "user.invite",
    request: "POST /users",
    effects: ["administer", "send"],
    summary: "Invite {body.*.email}",
    body: ["json"],
    recipients: ["body.*.email"],
  },
  {
    // With all that is theirs, unless it is transferred.
    verb: "user.delete",
    request: "DELETE /users/{id}",
    effects: ["delete", "administer"],
    summary: "Delete the user {path.id}; what is theirs goes to: {query.transferId}",
  },
  {
    verb: "user.write",
    request: [
      "PATCH /users/{id}/role",
      "POST /projects/{id}/users",
      "PATCH|DELETE /projects/{id}/users/{user}",
    ],
    effects: ["administer"],
    summary: "Change who may do what: {path.id} {path.user} {body.newRoleName}",
  },
  {
    verb: "project.read",
    request: ["GET /projects", "GET /projects/{id}/folders", "GET /projects/{id}/folders/{folder}"],
    effects: ["read-private"],
    summary: "Read projects",
  },
  {
    verb: "project.write",
    request: ["POST /projects", "PUT /projects/{id}"],
    effects: ["administer"],
    summary: "Change the project {path.id} {body.name}",
  },
  {
    // With its workflows and credentials.
    verb: "project.delete",
    request: "DELETE /projects/{id}",
    effects: ["delete", "administer"],
    summary: "Delete the project {path.id}",
  },
  {
    verb: "variable.read",
    request: "GET /variables",
    effects: ["read-private"],
    summary: "Read variables with their values",
  },
  {
    // Workflows take addresses and switches from them.
    verb: "variable.write",
    request: ["POST /variables", "PUT /variables/{id}"],
    effects: ["administer"],
    summary: "Change the variable {body.key} {path.id}",
  },
  {
    verb: "variable.delete",
    request: "DELETE /variables/{id}",
    effects: ["delete", "administer"],
    summary: "Delete the variable {path.id}",
  },
  {
    verb: "tag.read",
    request: ["GET /tags", "GET /tags/{id}"],
    effects: ["read"],
    summary: "Read tags",
  },
  {
    verb: "tag.write",
    request: ["POST /tags", "PUT /tags/{id}"],
    effects: ["write"],
    summary: "Change the tag {body.name}",
  },
  {
    verb: "tag.delete",
    request: "DELETE /tags/{id}",
    effects: ["delete"],
    summary: "Delete the tag {path.id}",
  },
  {
    verb: "table.read",
    request: [
      "GET /data-tables",
      "GET /data-tables/{id}",
      "GET /data-tables/{id}/{part:rows|columns}",
    ],
    effects: ["read-private"],
    summary: "Read the table {path.id}",
  },
  {
    verb: "table.write",
    request: [
      "POST /data-tables",
      "PATCH /data-tables/{id}",
      "POST /data-tables/{id}/{part:rows|columns}",
      "POST|PATCH /data-tables/{id}/rows/{act:update|upsert}",
    ],
    effects: ["write"],
    summary: "Write into the table {path.id} {body.name}",
  },
  {
    verb: "table.delete",
    request: [
      "DELETE /data-tables/{id}",
      "POST|DELETE /data-tables/{id}/rows/{act:clear|delete}",
      "DELETE /data-tables/{id}/columns/{column}",
    ],
    effects: ["delete"],
    summary: "Delete of the table {path.id}",
  },
  {
    verb: "source-control.status",
    request: "GET /source-control/status",
    effects: ["read-private"],
    summary: "Read what differs from the repository",
  },
  {
    // Workflows and variables are replaced by what the repository holds, and active ones run so.
    verb: "source-control.pull",
    request: "POST /source-control/pull",
    effects: ["execute", "administer"],
    summary: "Replace workflows by those of the repository",
  },
  {
    verb: "source-control.push",
    request: "POST /source-control/push",
    effects: ["send", "administer"],
    summary: "Send workflows to the repository",
  },
  {
    verb: "package.read",
    request: "GET /community-packages",
    effects: ["read-private"],
    summary: "Read which packages are installed",
  },
  {
    // A package from npm runs in n8n itself.
    verb: "package.install",
    request: ["POST /community-packages", "PATCH /community-packages/{name}"],
    effects: ["send", "execute", "administer"],
    summary: "Change the installed package {body.name} {path.name}",
  },
  {
    // Workflows with its nodes run no more.
    verb: "package.remove",
    request: "DELETE /community-packages/{name}",
    effects: ["execute", "delete", "administer"],
    summary: "Remove the installed package {path.name}",
  },
  {
    verb: "instance.export",
    request: "POST /n8n-packages/export",
    effects: ["read-private"],
    summary: "Export workflows",
  },
  {
    verb: "instance.import",
    request: "POST /n8n-packages/import",
    effects: ["execute", "delete", "administer"],
    summary: "Import workflows, which may be active and take others' place",
    body: ["json", "multipart", "raw"],
  },
  {
    // It asks n8n.io which versions there are.
    verb: "audit.run",
    request: "POST /audit",
    effects: ["read-private", "send"],
    summary: "Read what is unsafe in it",
  },
  {
    verb: "settings.read",
    request: ["GET /settings/{rest...}", "GET /discover"],
    effects: ["read-private"],
    summary: "Read settings: {path.rest}",
  },
  {
    // To any address that the body names, or to where logs go.
    verb: "settings.test",
    request: [
      "POST /settings/otel/test-trace",
      "POST /settings/log-streaming/destinations/{id}/test",
    ],
    effects: ["send", "administer"],
    summary: "Try where logs or traces go: {path.id} {body.exporterEndpoint}",
  },
  {
    // Logs and traces go where these say.
    verb: "settings.write",
    request: "POST|PUT|PATCH /settings/{rest...}",
    effects: ["administer"],
    summary: "Change settings: {path.rest}",
  },
  {
    verb: "settings.delete",
    request: "DELETE /settings/{rest...}",
    effects: ["delete", "administer"],
    summary: "Delete a setting: {path.rest}",
  },
];

export const n8n: EntrySource = {
  system: "n8n",
  title: "n8n",
  docs: ["https://docs.n8n.io/api/", "https://github.com/n8n-io/n8n"],
  base: ["/api/v1"],
  credential: [
    { in: "header", name: "x-n8n-api-key" },
    { in: "header", name: "authorization", scheme: "Bearer" },
  ],
  unknown: ["send", "execute", "delete", "administer"],
  routes: [...WORKFLOWS, ...CALLS, ...ADMINISTRATION],
};
