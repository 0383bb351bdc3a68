/**
 * A workflow of n8n, read without running it: what its nodes can do once it runs, the dangerous ones first.
 * A node that is switched off counts too, since it is switched on by one click. Where a workflow that exists
 * is replaced, its look-up says whether it is active: what is not known to be inactive is active. In newer
 * versions `activeVersionId` decides over that, not `active`. Expressions in parameters (`={{ ... }}`) that do
 * more than name a value are code.
 *
 * @module
 */
import { EFFECTS, type Effect } from "../../action/index.ts";
import type { Readable, Reading } from "../reader.ts";
import { hasCode } from "./n8n-expressions.ts";
import { KIND_EFFECTS, kindOf, NODE_KINDS, QUIET, type NodeKind } from "./n8n-nodes.ts";

const NODES_MAX = 500;
const TEXT_CHARS_MAX = 200;

/** A node, as a person is told of it. */
export interface WorkflowNode {
  readonly name: string;
  readonly type: string;
  readonly kind: NodeKind;
  /** It runs code besides what its kind does. */
  readonly code?: true;
  /** Method and address of a node that calls one. */
  readonly call?: string;
  /** Names of the credentials that it uses. */
  readonly credentials?: readonly string[];
}

/** Effects and nodes of the workflow in the body; `undefined` where its nodes cannot be read. */
export function readWorkflow({ path, values }: Readable): Reading | undefined {
  const [list, ...others] = values("body.nodes");
  if (!Array.isArray(list) || others.length > 0) return undefined;
  const ranked = readNodes(list as readonly unknown[])?.map(({ node }) => node);
  if (ranked === undefined) return undefined;
  const isNew = path["id"] === undefined;
  const isLive = !isNew && !isInactive(values);
  const found = new Set<Effect>(["write", ...ranked.flatMap(effectsOf)]);
  if (isLive || isCallable(values)) found.add("execute");
  const verb = isNew ? "workflow.create" : "workflow.update";
  return {
    verb: isLive ? "workflow.update-active" : verb,
    effects: EFFECTS.filter((effect) => found.has(effect)),
    summary: summaryOf(values, ranked, isNew, isLive),
    fields: { nodes: ranked },
  };
}

interface PlacedNode {
  readonly node: WorkflowNode;
  readonly at: number;
}

/** The nodes of a workflow, the most dangerous first, each with its place in `list`; all or none. */
export function readNodes(list: readonly unknown[]): readonly PlacedNode[] | undefined {
  if (list.length > NODES_MAX) return undefined;
  const nodes: PlacedNode[] = [];
  for (const [at, item] of list.entries()) {
    const node = readNode(item);
    if (node === undefined) return undefined;
    nodes.push({ node, at });
  }
  return nodes.toSorted((a, b) => rankOf(a.node) - rankOf(b.node));
}

function isInactive(values: Readable["values"]): boolean {
  return (
    isOnly(values("current.active"), false) &&
    values("current.activeVersionId").every((version) => version === null)
  );
}

const OWN_CALLERS: ReadonlySet<unknown> = new Set(["none", "workflowsFromSameOwner"]);

/**
 * Others may start it (through MCP, from their own workflows, because it is active from the start), or it starts
 * another where it fails. Settings that are not sent stay as they are.
 */
function isCallable(values: Readable["values"]): boolean {
  const settings = (name: string) => [
    ...values(`body.settings.${name}`),
    ...values(`current.settings.${name}`),
  ];
  return (
    values("body.active").some((active) => active !== false) ||
    settings("availableInMCP").some((isAvailable) => isAvailable !== false) ||
    settings("callerPolicy").some((policy) => !OWN_CALLERS.has(policy)) ||
    settings("errorWorkflow").some((workflow) => workflow !== "" && workflow !== null)
  );
}

function effectsOf({ kind, code }: WorkflowNode): readonly Effect[] {
  return code === true ? [...KIND_EFFECTS[kind], "execute"] : KIND_EFFECTS[kind];
}

function isOnly(found: readonly unknown[], wanted: unknown): boolean {
  return found.length > 0 && found.every((one) => one === wanted);
}

function readNode(item: unknown): WorkflowNode | undefined {
  const type = memberOf(item, "type");
  if (typeof type !== "string") return undefined;
  const name = memberOf(item, "name");
  const own = kindOf(type);
  const isRun = hasCode(item) || !isQuiet(type, memberOf(item, "parameters"));
  // What does nothing else is code.
  const kind = isRun && KIND_EFFECTS[own].length === 0 ? "code" : own;
  const credentials = credentialsOf(memberOf(item, "credentials"));
  return {
    name: textOf(name),
    type: textOf(type),
    kind,
    ...(isRun && kind !== "code" ? { code: true as const } : {}),
    ...(kind === "http" ? { call: callOf(memberOf(item, "parameters")) } : {}),
    ...(credentials.length === 0 ? {} : { credentials }),
  };
}

/** Whether no parameter makes a node of `type` run code. */
function isQuiet(type: string, parameters: unknown): boolean {
  const quiet = QUIET.get(type);
  if (quiet === undefined || parameters === undefined) return true;
  if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters))
    return false;
  return Object.entries(quiet).every(([name, allowed]) => {
    const value = memberOf(parameters, name);
    return value === undefined || (typeof value === "string" && allowed.includes(value));
  });
}

function callOf(parameters: unknown): string {
  const method = memberOf(parameters, "method") ?? memberOf(parameters, "requestMethod") ?? "GET";
  return `${textOf(method)} ${textOf(memberOf(parameters, "url"))}`;
}

function credentialsOf(credentials: unknown): readonly string[] {
  if (typeof credentials !== "object" || credentials === null) return [];
  return Object.entries(credentials).map(
    ([type, one]: [string, unknown]) => `${textOf(type)}: ${textOf(memberOf(one, "name") ?? one)}`,
  );
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

function textOf(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "?");
  return text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}...` : text;
}

function rankOf({ kind, code }: WorkflowNode): number {
  const own = NODE_KINDS.indexOf(kind);
  return code === true ? Math.min(own, NODE_KINDS.indexOf("code")) : own;
}

function summaryOf(
  values: Readable["values"],
  ranked: readonly WorkflowNode[],
  isNew: boolean,
  isLive: boolean,
): string {
  const act = isNew ? "Make" : "Replace";
  const state = isLive ? "active " : "";
  const counts = NODE_KINDS.map(
    (kind) => [kind, ranked.filter((node) => node.kind === kind).length] as const,
  )
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`);
  return `${act} the ${state}workflow ${textOf(values("body.name")[0])} with nodes: ${counts.join(", ") || "none"}`;
}
