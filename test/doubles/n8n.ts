/**
 * A double of n8n, after its sources (github.com/n8n-io/n8n: packages/cli/src/public-api/v1 and
 * packages/cli/src/abstract-server.ts).
 *
 * Faithful: the header X-N8N-API-KEY for /api/v1 and none for webhooks; a new workflow is inactive; activate
 * and deactivate with their newer names; workflows and kept credentials are listed; an active workflow that is replaced is active as replaced, unless
 * `publishIfActive=false`; a webhook answers any method and runs only what is active; waiting runs are resumed
 * by whoever calls. Not faithful: nothing is run but what `perform` does; a run is kept as an effect with the types of the nodes.
 * Webhooks answer any method, whereas a node of n8n names its own.
 *
 * @module
 */
import { startDouble, type Answer, type Call, type Double, type Effect } from "./double.ts";

/** A node of a workflow, as far as the double reads it. */
export interface Node {
  readonly type: string;
  readonly parameters?: Readonly<Record<string, string | undefined>>;
}

/** What n8n keeps when the double begins. */
export interface N8nOptions {
  readonly apiKey: string;
  /** Credentials by type; their secrets are never answered. */
  readonly credentials?: Readonly<Record<string, string>>;
  /** What the key may do, `POST /workflows`; absent: an edition without scopes, which does not say. */
  readonly endpoints?: readonly string[];
  /** Does what a node does when its workflow runs. */
  readonly perform?: (node: Node) => void;
}

interface Workflow {
  readonly id: string;
  name: string;
  active: boolean;
  nodes: readonly Node[];
  connections: unknown;
  /** What runs: an active workflow may have been saved and not published. */
  live: readonly Node[];
}

const WEBHOOK = "n8n-nodes-base.webhook";

export async function startN8n(options: N8nOptions): Promise<Double> {
  const workflows = new Map<string, Workflow>();
  const kept = Object.entries(options.credentials ?? {}).map(([type, name]) => ({
    ...{ id: `kept-${type}`, name, type },
  }));
  const run = ({ name, live }: Workflow, effects: Effect[]): Answer => {
    effects.push({ kind: "run", who: name, what: live.map(({ type }) => type).join(" ") });
    for (const node of live) options.perform?.(node);
    return { status: 200, json: { message: "Workflow was started" } };
  };
  const callWebhook = (path: string, effects: Effect[]): Answer | undefined => {
    const called = [...workflows.values()].find(
      ({ active, live }) =>
        active &&
        live.some(({ type, parameters }) => type === WEBHOOK && parameters?.path === path),
    );
    return called && run(called, effects);
  };
  const create = ({ json }: Call): Answer => {
    const nodes = json["nodes"] as readonly Node[];
    const id = String(workflows.size + 1);
    const { connections = {} } = json;
    const workflow = {
      id,
      name: String(json["name"]),
      active: false,
      nodes,
      connections,
      live: nodes,
    };
    workflows.set(id, workflow);
    return { status: 200, json: workflow };
  };
  const change = (workflow: Workflow, call: Call, effects: Effect[]): Answer | undefined => {
    switch (`${call.method} ${call.path[4] ?? ""}`) {
      case "GET ":
        return { status: 200, json: workflow };
      case "PUT ":
        workflow.name = String(call.json["name"]);
        workflow.nodes = call.json["nodes"] as readonly Node[];
        workflow.connections = call.json["connections"] ?? {};
        if (call.query.get("publishIfActive") !== "false") workflow.live = workflow.nodes;
        return { status: 200, json: workflow };
      case "POST activate":
      case "POST publish":
        workflow.active = true;
        workflow.live = workflow.nodes;
        return { status: 200, json: workflow };
      case "POST deactivate":
      case "POST unpublish":
        workflow.active = false;
        return { status: 200, json: workflow };
      case "POST execute":
        return run(workflow, effects);
      case "DELETE ":
        workflows.delete(workflow.id);
        return { status: 200, json: workflow };
      default:
        return undefined;
    }
  };

  return startDouble((call, effects) => {
    const [root = "", version, kind, id] = call.path;
    if (root === "webhook") return callWebhook(call.path.slice(1).join("/"), effects);
    if (root === "webhook-waiting" || root === "form-waiting") {
      effects.push({ kind: "resume", who: String(version), what: call.method });
      return { status: 200, json: {} };
    }
    if (root !== "api" || version !== "v1") return undefined;
    if (call.headers["x-n8n-api-key"] !== options.apiKey) return { status: 401 };
    if (kind === "discover" && options.endpoints !== undefined)
      return { status: 200, json: discovery(options.endpoints) };
    if (options.endpoints !== undefined && EMPTY.has(kind ?? ""))
      return { status: 200, json: { data: [], nextCursor: null } };
    if (kind === "credentials" && id === undefined) return { status: 200, json: { data: kept } };
    if (kind !== "workflows") return undefined;
    if (id === undefined && call.method === "GET")
      return { status: 200, json: { data: [...workflows.values()] } };
    if (id === undefined) return call.method === "POST" ? create(call) : undefined;
    const workflow = workflows.get(id);
    return workflow && change(workflow, call, effects);
  });
}

const EMPTY: ReadonlySet<string> = new Set(["executions", "data-tables"]);

/** https://docs.n8n.io/api/: what a key's scopes let it ask. */
function discovery(endpoints: readonly string[]): unknown {
  const all = endpoints.map((one) => {
    const [method = "", path = ""] = one.split(" ");
    return { operationId: one, method, path: `/api/v1${path}` };
  });
  return { data: { scopes: [], resources: { all: { operations: [], endpoints: all } } } };
}
