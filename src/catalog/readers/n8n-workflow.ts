/**
 * A workflow of n8n, read without running it: what its nodes can do once it runs, the dangerous ones first.
 * A node that is switched off counts too, since it is switched on by one click. Where a workflow that exists
 * is replaced, its look-up says whether it is active: what is not known to be inactive is active. Expressions
 * in parameters (`={{ ... }}`) are not read; that they reach nothing is up to n8n.
 *
 * @module
 */
import { EFFECTS, type Effect } from "../../action/index.ts";
import type { Readable, Reading } from "../reader.ts";
import { KIND_EFFECTS, kindOf, NODE_KINDS, type NodeKind } from "./n8n-nodes.ts";

const NODES_MAX = 500;
const TEXT_CHARS_MAX = 200;

interface Node {
  readonly name: string;
  readonly type: string;
  readonly kind: NodeKind;
  /** Method and address of a node that calls one. */
  readonly call?: string;
  /** Names of the credentials that it uses. */
  readonly credentials?: readonly string[];
}

/** Effects and nodes of the workflow in the body; `undefined` where its nodes cannot be read. */
export function readWorkflow({ path, values }: Readable): Reading | undefined {
  const [list, ...others] = values("body.nodes");
  if (!Array.isArray(list) || others.length > 0 || list.length > NODES_MAX) return undefined;
  const nodes: Node[] = [];
  for (const item of list as readonly unknown[]) {
    const node = readNode(item);
    if (node === undefined) return undefined;
    nodes.push(node);
  }
  const isNew = path["id"] === undefined;
  const isLive = !isNew && !isOnly(values("current.active"), false);
  const found = new Set<Effect>(["write", ...nodes.flatMap(({ kind }) => KIND_EFFECTS[kind])]);
  if (isLive || isCallable(values)) found.add("execute");
  const verb = isNew ? "workflow.create" : "workflow.update";
  const ranked = nodes.toSorted((a, b) => rankOf(a) - rankOf(b));
  return {
    verb: isLive ? "workflow.update-active" : verb,
    effects: EFFECTS.filter((effect) => found.has(effect)),
    summary: summaryOf(values, ranked, isNew, isLive),
    fields: { nodes: ranked },
  };
}

/** Others may start it: through MCP, from their own workflows, or because it is active from the start. */
function isCallable(values: Readable["values"]): boolean {
  const isOff = (reference: string, off: unknown) =>
    values(reference).length === 0 || isOnly(values(reference), off);
  return (
    !isOff("body.active", false) ||
    !isOff("body.settings.availableInMCP", false) ||
    values("body.settings.callerPolicy").some((policy) => policy === "any")
  );
}

function isOnly(found: readonly unknown[], wanted: unknown): boolean {
  return found.length > 0 && found.every((one) => one === wanted);
}

function readNode(item: unknown): Node | undefined {
  const type = memberOf(item, "type");
  if (typeof type !== "string") return undefined;
  const name = memberOf(item, "name");
  const kind = kindOf(type);
  const credentials = credentialsOf(memberOf(item, "credentials"));
  return {
    name: textOf(name),
    type: textOf(type),
    kind,
    ...(kind === "http" ? { call: callOf(memberOf(item, "parameters")) } : {}),
    ...(credentials.length === 0 ? {} : { credentials }),
  };
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

function rankOf({ kind }: Node): number {
  return NODE_KINDS.indexOf(kind);
}

function summaryOf(
  values: Readable["values"],
  ranked: readonly Node[],
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
