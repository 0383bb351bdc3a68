/**
 * What an agent's own side says of its tool calls: hooks of the agents, and spans of OpenTelemetry. Claims, all of
 * it: recorded as such, and never taken for what was seen.
 *
 * @module
 */
import { z } from "zod";

/** One thing claimed. */
export interface Claim {
  readonly kind: "call" | "result";
  readonly source: "hook" | "trace";
  /** The call's id as the agent has it; of a span its own. */
  readonly call: string;
  readonly name: string;
  readonly input?: z.core.util.JSONType | undefined;
  readonly isError?: boolean | undefined;
  /** Of a span, W3C Trace Context: hex. */
  readonly trace?: { readonly traceId: string; readonly spanId: string } | undefined;
}

const ID_CHARS_MAX = 200;
const SPANS_MAX = 512;
const id = z.string().min(1).max(ID_CHARS_MAX);

/** Names of the moments before and after a tool, as Claude Code, iFlow and Gemini CLI call them. */
const BEFORE = ["PreToolUse", "BeforeTool"] as const;
const AFTER = ["PostToolUse", "AfterTool", "PostToolUseFailure"] as const;

/** Nesting of what is claimed; an input of a tool stays far below, and what walks through it does not end the walk. */
const DEPTH_MAX = 256;

function isDeep(value: unknown, left = DEPTH_MAX): boolean {
  if (typeof value !== "object" || value === null) return false;
  return left === 0 || Object.values(value).some((item) => isDeep(item, left - 1));
}

const hookSchema = z.looseObject({
  hook_event_name: z.enum([...BEFORE, ...AFTER]),
  tool_name: id,
  tool_use_id: id.optional(),
  tool_input: z.json().optional(),
});

/**
 * What a hook was given on its standard input (code.claude.com/docs/en/hooks; geminicli.com/docs/hooks), sent on as
 * it is. Nothing where it is no such thing.
 */
export function claimOfHook(body: unknown): Claim | undefined {
  if (isDeep(body)) return undefined;
  const parsed = hookSchema.safeParse(body);
  if (!parsed.success) return undefined;
  const { hook_event_name: moment, tool_name: name, tool_use_id, tool_input: input } = parsed.data;
  const kind = (BEFORE as readonly string[]).includes(moment) ? "call" : "result";
  // Without an id a result cannot be told from that of another call of the same tool.
  const call = tool_use_id ?? name;
  return kind === "call"
    ? { kind, source: "hook", call, name, input }
    : { kind, source: "hook", call, name, isError: moment === "PostToolUseFailure" };
}

const objectSchema = z.record(z.string(), z.unknown());

const valueSchema = z.looseObject({ stringValue: z.string().optional() });
const spanSchema = z.looseObject({
  traceId: z.string().regex(/^[0-9a-fA-F]{32}$/),
  spanId: z.string().regex(/^[0-9a-fA-F]{16}$/),
  attributes: z
    .array(z.looseObject({ key: z.string(), value: valueSchema }))
    .max(256)
    .default([]),
  status: z.looseObject({ code: z.union([z.number(), z.string()]).optional() }).optional(),
});

/**
 * Tool calls of an OTLP/JSON export (`ExportTraceServiceRequest`): spans whose `gen_ai.operation.name` is
 * `execute_tool` (OpenTelemetry semantic conventions for generative AI). A span comes when it is over: it claims
 * the call and its result. Nothing where it is no export.
 */
export function claimsOfSpans(body: unknown): readonly Claim[] | undefined {
  const resources = objectSchema.safeParse(body).data?.["resourceSpans"];
  if (!Array.isArray(resources)) return undefined;
  const spans = listsOf(listsOf(resources, "scopeSpans"), "spans");
  return spans.slice(0, SPANS_MAX).flatMap((value) => {
    const parsed = spanSchema.safeParse(value);
    if (!parsed.success) return [];
    const { traceId, spanId, attributes, status } = parsed.data;
    const of = new Map(attributes.map(({ key, value: { stringValue } }) => [key, stringValue]));
    const name = of.get("gen_ai.tool.name");
    if (of.get("gen_ai.operation.name") !== "execute_tool" || name === undefined || name === "")
      return [];
    const call = of.get("gen_ai.tool.call.id") ?? spanId;
    const claim = {
      source: "trace",
      call: call.slice(0, ID_CHARS_MAX),
      name: name.slice(0, ID_CHARS_MAX),
      trace: { traceId: traceId.toLowerCase(), spanId: spanId.toLowerCase() },
    } as const;
    const input = jsonOr(of.get("gen_ai.tool.call.arguments"));
    const isError = status?.code === 2 || status?.code === "STATUS_CODE_ERROR";
    return [
      { ...claim, kind: "call", input },
      { ...claim, kind: "result", isError },
    ] satisfies Claim[];
  });
}

function listsOf(values: readonly unknown[], member: string): readonly unknown[] {
  return values.flatMap((value) => {
    const list = objectSchema.safeParse(value).data?.[member];
    return Array.isArray(list) ? (list as unknown[]) : [];
  });
}

function jsonOr(text: string | undefined): Claim["input"] {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Claim["input"];
    return isDeep(value) ? text : value;
  } catch {
    return text;
  }
}
