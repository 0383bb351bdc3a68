/**
 * Workflows as blocks: what they can do, node by node, and then each node in full.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import type { LookNode, LookOf } from "../../api/index.ts";
import { isMembers, memberLines, textOf } from "../look/members.ts";
import { block, laidOut, listed, type Block } from "./block.ts";

export function printWorkflow(workflow: LookOf<"workflow">): readonly Block[] {
  const { name, isSent, state, starts, nodes, connections } = workflow;
  return [
    ...listed("Workflow", [`${name}${isSent ? "" : ", as the system has it now"}`]),
    block("Is active", [state]),
    ...listed("Starts by", starts.length === 0 ? ["nothing of its own"] : starts),
    ...listed(`Nodes (${nodes.length})`, nodes.map(headOf)),
    ...nodes.map(({ source }, place) => block(`Node ${place + 1}`, nodeLines(source))),
    ...(isSent ? [] : laidOut("Connections", memberLines("connections", connections ?? null))),
  ];
}

function headOf({ name, type, does, runsCode, isOff, call }: LookNode, at: number): string {
  const more = runsCode ? ", and RUNS CODE in an expression" : "";
  return `${at + 1}. ${name}${isOff ? " (switched off)" : ""}: ${does}${more}${call === undefined ? "" : `: ${call}`} (${type})`;
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
