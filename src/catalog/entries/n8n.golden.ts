/** Golden requests of n8n. */
import type { Json } from "../../action/index.ts";
import { goldenRows, type Golden } from "../golden.ts";

const API = "github.com/n8n-io/n8n packages/cli/src/public-api/v1";
const CONTROLLERS = `${API}/controllers`;
const HANDLERS = `${API}/handlers`;
const SERVER = "github.com/n8n-io/n8n packages/cli/src/abstract-server.ts";
const NODES = "github.com/n8n-io/n8n packages/nodes-base/package.json";
const SERVICE = "github.com/n8n-io/n8n packages/cli/src/workflows/workflow.service.ts";
const MERGE = "github.com/n8n-io/n8n packages/nodes-base/nodes/Merge/v3/actions";
const WEBHOOKS = "github.com/n8n-io/n8n packages/cli/src/webhooks";
const AUDIT =
  "github.com/n8n-io/n8n packages/cli/src/security-audit/risk-reporters/instance-risk-reporter.ts";
const FILTER = encodeURIComponent(
  '{"type":"and","filters":[{"columnName":"a","condition":"eq","value":"x"}]}',
);
const FORM = {
  raw: {
    type: "multipart/form-data; boundary=b",
    text: '--b\r\nContent-Disposition: form-data; name="field-0"\r\n\r\nx\r\n--b--\r\n',
  },
};
const UNKNOWN = ["send", "execute", "delete", "administer"] as const;

const workflow = (
  ...types: readonly string[]
): { readonly json: { readonly [name: string]: Json } } => ({
  json: {
    name: "w",
    nodes: types.map((type) => ({ name: type, type: `n8n-nodes-base.${type}`, parameters: {} })),
    connections: {},
    settings: {},
  },
});
const node = (
  type: string,
  parameters: Readonly<Record<string, Json>>,
): { readonly json: Json } => ({
  json: { name: "w", nodes: [{ name: type, type: `n8n-nodes-base.${type}`, parameters }] },
});
const state = (active: boolean) => ({ facts: { current: { name: "w", active } } });

export const golden: readonly Golden[] = [
  ...goldenRows(`${CONTROLLERS}/workflows.public.controller.ts`, [
    ["GET /api/v1/workflows/1", "workflow.read", ["read-private"], "contents"],
    ["POST /api/v1/workflows", "workflow.create", ["write"], "nothing in it acts", workflow("set")],
    [
      "POST /api/v1/workflows",
      "workflow.create",
      ["write", "execute"],
      "a node of code",
      { ...workflow("set", "code"), source: NODES },
    ],
    [
      "POST /api/v1/workflows",
      "workflow.create",
      ["write", "send"],
      "mail and chat",
      { ...workflow("emailSend", "discord"), source: NODES },
    ],
    [
      "POST /api/v1/workflows",
      "workflow.create",
      ["write", "send", "execute", "delete", "administer", "spend"],
      "a node that nobody knows",
      workflow("set", "somethingNew"),
    ],
    [
      "POST /api/v1/workflows",
      "workflow.create",
      ["write", "execute"],
      "a sort by code",
      {
        ...node("sort", { type: "code", code: "return 0" }),
        source: "github.com/n8n-io/n8n packages/nodes-base/nodes/Transform/Sort/utils.ts",
      },
    ],
    [
      "POST /api/v1/workflows",
      "workflow.create",
      ["write"],
      "a sort by a field",
      {
        ...node("sort", { type: "simple", sortFieldsUi: {} }),
        source: "github.com/n8n-io/n8n packages/nodes-base/nodes/Transform/Sort/Sort.node.ts",
      },
    ],
    [
      "POST /api/v1/workflows",
      "workflow.create",
      ["write", "execute"],
      "a merge by SQL",
      {
        ...node("merge", { mode: "combineBySql", query: "SELECT * FROM input1" }),
        source: `${MERGE}/mode/combineBySql.ts`,
      },
    ],
    [
      "POST /api/v1/workflows",
      "workflow.create",
      ["write", "execute"],
      "a merge by SQL that says it combines",
      {
        ...node("merge", { mode: "combine", combineBy: "combineBySql", query: "SELECT 1" }),
        source: `${MERGE}/router.ts`,
      },
    ],
    [
      "POST /api/v1/workflows",
      "workflow.create",
      ["write"],
      "a merge by fields, and a value that came in",
      {
        ...node("merge", {
          mode: "combine",
          combineBy: "combineByFields",
          field: "={{ $json.id }}",
        }),
        source: `${MERGE}/router.ts`,
      },
    ],
    [
      "POST /api/v1/workflows",
      "workflow.create",
      ["write", "execute"],
      "an expression that is more than a name",
      {
        ...node("set", { value: "={{ (() => 1)() }}" }),
        source: "github.com/n8n-io/n8n packages/workflow/src/expression.ts",
      },
    ],
    [
      "POST /api/v1/workflows",
      "workflow.create",
      ["write", "execute"],
      "an expression without the sign before it",
      {
        ...node("set", { mode: "raw", jsonOutput: '{"a": {{ x() }}}' }),
        source: "github.com/n8n-io/n8n packages/nodes-base/nodes/Set/v2/helpers/utils.ts",
      },
    ],
    [
      "POST /api/v1/workflows",
      "unknown",
      UNKNOWN,
      "its nodes are no list",
      { json: { nodes: {} } },
    ],
    [
      "PUT /api/v1/workflows/1",
      "workflow.update",
      ["write"],
      "it is not active",
      { ...workflow("set"), ...state(false), reversible: true },
    ],
    [
      "PUT /api/v1/workflows/1",
      "workflow.update-active",
      ["write", "execute"],
      "it runs changed at once",
      { ...workflow("set"), ...state(true), reversible: false },
    ],
    [
      "PUT /api/v1/workflows/1",
      "workflow.update-active",
      ["write", "execute"],
      "nothing is known of its state",
      workflow("set"),
    ],
    [
      "PUT /api/v1/workflows/1",
      "workflow.update-active",
      ["write", "execute"],
      "a version of it is published, whatever active says",
      {
        ...workflow("set"),
        facts: { current: { name: "w", active: false, activeVersionId: "0e3d" } },
        source: SERVICE,
      },
    ],
    [
      "PUT /api/v1/workflows/1",
      "workflow.update",
      ["write"],
      "no version of it is published",
      {
        ...workflow("set"),
        facts: { current: { name: "w", active: false, activeVersionId: null } },
        source: SERVICE,
      },
    ],
    [
      "PUT /api/v1/workflows/1",
      "workflow.update",
      ["write", "execute"],
      "settings that are not sent stay, and others may call it",
      {
        ...workflow("set"),
        facts: { current: { active: false, settings: { callerPolicy: "any" } } },
        source: SERVICE,
      },
    ],
    [
      "PUT /api/v1/workflows/1?publishIfActive=false",
      "workflow.update-active",
      ["write", "execute"],
      "earlier versions do not know that",
      { ...workflow("set"), ...state(true) },
    ],
    [
      "PUT /api/v1/workflows/1?publishIfActive=false",
      "workflow.update-active",
      ["write", "execute"],
      "its settings count at once, whatever that says",
      {
        json: { ...workflow("set").json, settings: { executionTimeout: 60 } },
        ...state(true),
        source: SERVICE,
      },
    ],
    ["DELETE /api/v1/workflows/1", "workflow.delete", ["delete"], "for good"],
    ["PUT /api/v1/workflows/1/tags", "workflow.tag", ["write"], "tags", { json: [{ id: "1" }] }],
  ]),
  ...goldenRows(`${HANDLERS}/workflows/spec/paths/workflows.id.activate.yml`, [
    ["POST /api/v1/workflows/1/activate", "workflow.activate", ["execute"], "it runs on its own"],
    [
      "POST /api/v1/workflows/1/publish",
      "workflow.activate",
      ["execute"],
      "its newer name, though all of its nodes are quiet",
      {
        facts: { current: { name: "w", nodes: [{ type: "n8n-nodes-base.set" }] } },
        source: `${HANDLERS}/workflows/spec/paths/publishWorkflow.generated.yml`,
      },
    ],
    [
      "POST /api/v1/workflows/1/activate",
      "workflow.activate",
      ["execute"],
      "an older version",
      { json: { versionId: "0e3d" } },
    ],
    ["POST /api/v1/workflows/1/activate/", "unknown", UNKNOWN, "a slash at the end"],
    ["POST /API/V1/workflows/1/activate", "unknown", UNKNOWN, "its name in another case"],
  ]),
  ...goldenRows(`${HANDLERS}/workflows/spec/paths/unpublishWorkflow.generated.yml`, [
    ["POST /api/v1/workflows/1/unpublish", "workflow.deactivate", ["delete"], "it stands still"],
    ["POST /api/v1/workflows/1/deactivate", "workflow.deactivate", ["delete"], "its older name"],
  ]),
  ...goldenRows(`${HANDLERS}/workflows/spec/paths/archiveWorkflow.generated.yml`, [
    ["POST /api/v1/workflows/1/archive", "workflow.archive", ["delete"], "can be taken back"],
    [
      "POST /api/v1/workflows/1/unarchive",
      "workflow.unarchive",
      ["write"],
      "taken back",
      { source: `${CONTROLLERS}/workflows.public.controller.ts` },
    ],
  ]),
  ...goldenRows(`${HANDLERS}/workflows/spec/paths/workflows.id.execute.yml`, [
    ["POST /api/v1/workflows/1/execute", "workflow.run", ["execute"], "from its start"],
  ]),
  ...goldenRows(`${API}/openapi.yml`, [
    ["POST /api/v1/workflows/1/test-runs", "workflow.run", ["execute"], "a test is a run"],
    ["POST /api/v1/workflows/1/test-runs/2/cancel", "workflow.cancel-test", ["write"], "stopped"],
    [
      "PUT /api/v1/workflows/1/transfer",
      "workflow.transfer",
      ["administer"],
      "others may use it",
      {
        json: { destinationProjectId: "2" },
      },
    ],
    ["GET /api/v1/data-tables/1/rows", "table.read", ["read-private"], "contents"],
    [
      "POST /api/v1/data-tables/1/rows",
      "table.write",
      ["write"],
      "rows",
      { json: { data: [{ a: "x" }] } },
    ],
    [
      `DELETE /api/v1/data-tables/1/rows/delete?filter=${FILTER}`,
      "table.delete",
      ["delete"],
      "rows go",
    ],
    [
      "POST /api/v1/n8n-packages/export",
      "instance.export",
      ["read-private"],
      "all",
      { json: { workflowIds: ["7"] } },
    ],
    [
      "POST /api/v1/n8n-packages/import",
      "instance.import",
      ["execute", "delete", "administer"],
      "workflows from elsewhere, and those that are not in it may go",
      { json: {} },
    ],
    ["GET /api/v1/settings/otel", "settings.read", ["read-private"], "where traces go"],
    [
      "POST /api/v1/settings/log-streaming/destinations",
      "settings.write",
      ["administer"],
      "logs go elsewhere",
      { json: {} },
    ],
    [
      "POST /api/v1/settings/otel/test-trace",
      "settings.test",
      ["send", "administer"],
      "a trace to whatever address it names",
      {
        json: {
          exporterProtocol: "http/protobuf",
          exporterEndpoint: "https://evil.example",
          exporterTracingPath: "/v1/traces",
          exporterHeaders: "",
          exporterServiceName: "n8n",
          startupConnectivityTimeoutMs: 2000,
        },
        source: `${HANDLERS}/otel/otel.handler.ts`,
      },
    ],
    [
      "POST /api/v1/settings/log-streaming/destinations/1/test",
      "settings.test",
      ["send", "administer"],
      "a message to where logs go",
      { json: {} },
    ],
    [
      "DELETE /api/v1/settings/log-streaming/destinations/1",
      "settings.delete",
      ["delete", "administer"],
      "logs go nowhere",
    ],
    ["GET /rest/workflows", "unknown", UNKNOWN, "the editor's own interface"],
    ["POST /rest/workflows/1/run", "unknown", UNKNOWN, "the editor's own interface", { json: {} }],
  ]),
  ...goldenRows(SERVER, [
    ["GET /webhook/a/b?x=1", "webhook.call", ["execute"], "a read that runs a workflow"],
    ["POST /webhook/a", "webhook.call", ["execute"], "runs a workflow", { json: { a: 1 } }],
    [
      "PUT /webhook-test/a",
      "webhook.call",
      ["execute"],
      "a test runs it too",
      { raw: { type: "text/plain", text: "x" } },
    ],
    ["PUT /webhook/a", "webhook.call", ["execute"], "by PUT", { json: { a: 1 } }],
    ["PATCH /webhook/a", "webhook.call", ["execute"], "by PATCH", { json: { a: 1 } }],
    ["DELETE /webhook/a", "webhook.call", ["execute"], "by DELETE"],
    ["HEAD /webhook/a", "webhook.call", ["execute"], "by HEAD"],
    ["GET /WEBHOOK/a", "unknown", UNKNOWN, "a webhook in another case"],
    ["POST /form/a", "webhook.call", ["execute"], "a form runs it", FORM],
    ["GET /form/a", "webhook.call", ["execute"], "a form shown runs nothing, and may be no form"],
    [
      "GET /webhook-waiting/7",
      "wait.resume",
      ["execute", "administer"],
      "an answer that a person should give",
      { source: `${WEBHOOKS}/waiting-webhooks.ts` },
    ],
    [
      "POST /form-waiting/7",
      "wait.resume",
      ["execute", "administer"],
      "the same by form",
      { ...FORM, source: `${WEBHOOKS}/waiting-forms.ts` },
    ],
    [
      "GET /webhook-waiting/7/suffix?approved=true",
      "wait.resume",
      ["execute", "administer"],
      "approved",
      { source: `${WEBHOOKS}/waiting-webhooks.ts` },
    ],
    ["GET /healthz", "health.read", ["read"], "whether it is up"],
  ]),
  ...goldenRows(`${HANDLERS}/discover/discover.handler.ts`, [
    ["GET /api/v1/discover", "api.discover", ["read-private"], "scopes of the key"],
  ]),
  ...goldenRows(`${CONTROLLERS}/executions.public.controller.ts`, [
    ["GET /api/v1/executions?includeData=true", "execution.read", ["read-private"], "their data"],
    ["DELETE /api/v1/executions/1", "execution.delete", ["delete"], "for good"],
  ]),
  ...goldenRows(`${HANDLERS}/executions/spec/paths/executions.id.retry.yml`, [
    ["POST /api/v1/executions/1/retry", "execution.retry", ["execute"], "all is done again"],
    [
      "POST /api/v1/executions/1/retry",
      "execution.retry",
      ["execute"],
      "by the workflow as it is now, published or not",
      {
        json: { loadWorkflow: true },
        source: "github.com/n8n-io/n8n packages/cli/src/executions/execution.service.ts",
      },
    ],
  ]),
  ...goldenRows(`${HANDLERS}/executions/spec/paths/executions.stop.yml`, [
    [
      "POST /api/v1/executions/stop",
      "execution.stop",
      ["delete"],
      "all that runs",
      { json: { status: ["running"] } },
    ],
  ]),
  ...goldenRows(`${CONTROLLERS}/credentials.public.controller.ts`, [
    ["GET /api/v1/credentials", "credential.read", ["read-private"], "without their secrets"],
    [
      "POST /api/v1/credentials",
      "credential.write",
      ["administer"],
      "a new one",
      { json: { name: "c", type: "httpHeaderAuth", data: {} } },
    ],
    [
      "PATCH /api/v1/credentials/1",
      "credential.write",
      ["administer"],
      "another name",
      { json: { name: "d" } },
    ],
    [
      "DELETE /api/v1/credentials/1",
      "credential.delete",
      ["delete", "administer"],
      "its secret goes",
    ],
    [
      "POST /api/v1/credentials/1/test",
      "credential.test",
      ["administer", "send"],
      "the secret is used",
    ],
  ]),
  ...goldenRows(`${CONTROLLERS}/users.public.controller.ts`, [
    ["GET /api/v1/users", "user.read", ["read-private"], "who there is"],
    [
      "POST /api/v1/users",
      "user.invite",
      ["administer", "send"],
      "an invitation by mail",
      { json: [{ email: "a@example.org" }], recipients: ["a@example.org"] },
    ],
    [
      "DELETE /api/v1/users/1",
      "user.delete",
      ["delete", "administer"],
      "their workflows and credentials go too",
      { source: "github.com/n8n-io/n8n packages/cli/src/services/user.service.ts" },
    ],
    [
      "PATCH /api/v1/users/1/role",
      "user.write",
      ["administer"],
      "may do more",
      { json: { newRoleName: "global:admin" } },
    ],
  ]),
  ...goldenRows(`${CONTROLLERS}/projects.public.controller.ts`, [
    ["GET /api/v1/projects", "project.read", ["read-private"], "which there are"],
    [
      "POST /api/v1/projects",
      "project.write",
      ["administer"],
      "a new project",
      { json: { name: "p" } },
    ],
    ["DELETE /api/v1/projects/1", "project.delete", ["delete", "administer"], "with all in it"],
  ]),
  ...goldenRows(`${CONTROLLERS}/variables.public.controller.ts`, [
    ["GET /api/v1/variables", "variable.read", ["read-private"], "values"],
    [
      "PUT /api/v1/variables/1",
      "variable.write",
      ["administer"],
      "workflows go by it",
      { json: { key: "URL", value: "https://a.example" } },
    ],
    [
      "DELETE /api/v1/variables/1",
      "variable.delete",
      ["delete", "administer"],
      "workflows miss it",
    ],
  ]),
  ...goldenRows(`${CONTROLLERS}/tags.public.controller.ts`, [
    ["GET /api/v1/tags", "tag.read", ["read"], "names"],
    ["POST /api/v1/tags", "tag.write", ["write"], "a name", { json: { name: "t" } }],
    ["DELETE /api/v1/tags/1", "tag.delete", ["delete"], "gone"],
  ]),
  ...goldenRows(`${HANDLERS}/source-control/spec/paths/sourceControl.yml`, [
    [
      "POST /api/v1/source-control/pull",
      "source-control.pull",
      ["execute", "administer"],
      "workflows are replaced",
      { json: { force: true } },
    ],
  ]),
  ...goldenRows(`${CONTROLLERS}/source-control.public.controller.ts`, [
    ["GET /api/v1/source-control/status", "source-control.status", ["read-private"], "differences"],
    [
      "POST /api/v1/source-control/push",
      "source-control.push",
      ["send", "administer"],
      "workflows leave",
      { json: {} },
    ],
  ]),
  ...goldenRows(`${HANDLERS}/community-packages/spec/paths/community-packages.yml`, [
    ["GET /api/v1/community-packages", "package.read", ["read-private"], "what is installed"],
    [
      "POST /api/v1/community-packages",
      "package.install",
      ["send", "execute", "administer"],
      "code from npm, and n8n.io is asked for it",
      { json: { name: "n8n-nodes-x" } },
    ],
    [
      "DELETE /api/v1/community-packages/n8n-nodes-x",
      "package.remove",
      ["execute", "delete", "administer"],
      "workflows with its nodes run no more",
    ],
  ]),
  ...goldenRows(`${CONTROLLERS}/audit.public.controller.ts`, [
    [
      "POST /api/v1/audit",
      "audit.run",
      ["read-private", "send"],
      "what is unsafe, and n8n.io is asked for versions",
      { json: {}, source: AUDIT },
    ],
  ]),
];
