/**
 * Workflows: each node in full, those first that can do most, and what starts them.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import { readNodes } from "../../catalog/index.ts";
import {
  block,
  isMembers,
  laidOut,
  listed,
  memberLines,
  textOf,
  without,
  type Members,
  type Rendering,
} from "./block.ts";

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
export function renderWorkflow(body: Members, present: Members | undefined): Rendering | undefined {
  const isSent = body["nodes"] !== undefined;
  const list = isSent ? body["nodes"] : present?.["nodes"];
  if (!Array.isArray(list)) return undefined;
  const items = list as readonly Json[];
  const nodes = readNodes(items);
  if (nodes === undefined) return undefined;
  const names = nodes.map(({ node: { name, type, kind, code, call }, at: place }, at) => {
    const more = code === true && kind !== "code" ? ", and RUNS CODE in an expression" : "";
    const state = isOff(items[place]) ? " (switched off)" : "";
    return `${at + 1}. ${name}${state}: ${DOES[kind] ?? kind}${more}${call === undefined ? "" : `: ${call}`} (${type})`;
  });
  const starts = nodes
    .filter(({ node }) => node.kind === "trigger")
    .map(({ node: { name, type } }) => `${name} (${type})`);
  const about = isSent ? body : (present ?? {});
  const blocks = [
    ...listed("Workflow", [
      `${textOf(about["name"] ?? "without a name")}${isSent ? "" : ", as the system has it now"}`,
    ]),
    block("Is active", [stateOf(body, present)]),
    ...listed("Starts by", starts.length === 0 ? ["nothing of its own"] : starts),
    ...listed(`Nodes (${nodes.length})`, names),
    ...nodes.map(({ at }, place) => block(`Node ${place + 1}`, nodeLines(items[at] ?? null))),
    ...(isSent
      ? []
      : laidOut("Connections", memberLines("connections", about["connections"] ?? null))),
  ];
  return { blocks, rest: without(body, new Set(["nodes", "name", "active"])), hidden: [] };
}

function stateOf(body: Members, present: Members | undefined): string {
  const now = present?.["active"];
  const sent = body["active"];
  const state = now === undefined ? "not known, or it is new" : `now: ${textOf(now)}`;
  return sent === undefined ? state : `${state}; asked for: ${textOf(sent)}`;
}

function isOff(node: Json | undefined): boolean {
  return isMembers(node) && node["disabled"] === true;
}

/** All that a node says; its parameters one by one, code as lines. */
function nodeLines(node: Json): readonly string[] {
  if (!isMembers(node)) return [textOf(node)];
  const { parameters, ...rest } = node;
  const lines = Object.entries(rest).flatMap(([name, value]) => memberLines(name, value ?? null));
  if (!isMembers(parameters)) return [...lines, ...memberLines("parameters", parameters ?? null)];
  return [
    ...lines,
    ...Object.entries(parameters).flatMap(([name, value]) =>
      memberLines(`parameters.${name}`, value ?? null),
    ),
  ];
}
