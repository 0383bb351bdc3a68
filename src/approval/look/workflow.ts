/**
 * Workflows: each node in full, those first that can do most, what starts them, and what leads where.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import type { LookNode, LookOf } from "../../api/index.ts";
import { readNodes } from "../../catalog/index.ts";
import { isMembers, membersIn, textOf, without, type Members } from "./members.ts";
import type { Reading } from "./reading.ts";

/** What a node of a kind can do. */
const DOES: Readonly<Record<string, string>> = {
  unknown: "MAY DO ANYTHING: its type is not known",
  code: "RUNS CODE or commands",
  database: "RUNS QUERIES in a database",
  http: "CALLS an address",
  mail: "SENDS mail",
  chat: "SENDS messages",
  ai: "spends on a model",
  trigger: "starts the workflow",
  plain: "moves data",
};

/** `present` is the workflow as the system has it, where it was looked up. */
export function readWorkflow(body: Members, present: Members | undefined): Reading | undefined {
  const isSent = body["nodes"] !== undefined;
  const list = isSent ? body["nodes"] : present?.["nodes"];
  if (!Array.isArray(list)) return undefined;
  const items = list as readonly Json[];
  const placed = readNodes(items);
  if (placed === undefined) return undefined;
  const nodes = placed.map(({ node, at: place }): LookNode => {
    const item = items[place] ?? null;
    const { name, type, kind, code, call, credentials = [] } = node;
    const at = placeOf(item);
    return {
      ...{ name, type, kind, does: DOES[kind] ?? kind },
      runsCode: code === true && kind !== "code",
      isOff: isMembers(item) && item["disabled"] === true,
      ...(call === undefined ? {} : { call }),
      credentials: [...credentials],
      ...(at === undefined ? {} : { at }),
      source: item,
    };
  });
  const about = isSent ? body : (present ?? {});
  const connections = about["connections"];
  // What is sent without connections has none; what the system did not tell is not known.
  const edges = edgesOf(isSent ? (connections ?? {}) : connections, nodes);
  return {
    content: {
      kind: "workflow",
      name: textOf(about["name"] ?? "without a name"),
      isSent,
      state: stateOf(body, present),
      starts: nodes
        .filter(({ kind }) => kind === "trigger")
        .map(({ name, type }) => `${name} (${type})`),
      nodes,
      ...(edges === undefined ? {} : { edges }),
      ...(isSent ? {} : { connections: connections ?? null }),
    },
    rest: without(body, new Set(["nodes", "name", "active"])),
    shown: ["nodes"],
  };
}

function stateOf(body: Members, present: Members | undefined): string {
  const now = present?.["active"];
  const sent = body["active"];
  const state = now === undefined ? "not known, or it is new" : `now: ${textOf(now)}`;
  return sent === undefined ? state : `${state}; asked for: ${textOf(sent)}`;
}

function placeOf(node: Json): [number, number] | undefined {
  const position = isMembers(node) ? node["position"] : undefined;
  if (!Array.isArray(position)) return undefined;
  const [x, y] = position as readonly Json[];
  return typeof x === "number" && typeof y === "number" ? [x, y] : undefined;
}

type Edge = NonNullable<LookOf<"workflow">["edges"]>[number];
const EDGES_MAX = 5000;

/**
 * n8n's connections: `{ NODE: { main: [[{ node, type, index }]] } }`, by names of nodes. All of them or none: a graph
 * that lacks one would say that there is none.
 */
function edgesOf(connections: Json | undefined, nodes: readonly LookNode[]): Edge[] | undefined {
  if (!isMembers(connections)) return undefined;
  const names = nodes.map(({ name }) => name);
  if (new Set(names).size < names.length) return undefined;
  const edges: Edge[] = [];
  for (const [source, kinds = null] of Object.entries(connections)) {
    const from = names.indexOf(source);
    if (from < 0 || !isMembers(kinds)) return undefined;
    for (const [kind, outputs] of Object.entries(kinds)) {
      if (!Array.isArray(outputs)) return undefined;
      for (const [output, targets] of (outputs as readonly Json[]).entries()) {
        if (targets === null) continue; // An output that leads nowhere.
        const found = membersIn(targets).map((one) => names.indexOf(textOf(one["node"])));
        if (!Array.isArray(targets) || found.length !== targets.length) return undefined;
        if (found.includes(-1) || edges.length + found.length > EDGES_MAX) return undefined;
        edges.push(...found.map((to) => ({ from, to, kind, output })));
      }
    }
  }
  return edges;
}
