/**
 * OpenAI's Responses, `POST .../responses` (platform.openai.com, "Responses" and "Streaming events").
 *
 * A stream is response.created, response.in_progress, for each item response.output_item.added, its
 * deltas and their .done, response.output_item.done, and at the end response.completed with all of it.
 * Every event carries a sequence number.
 *
 * @module
 */
import { z } from "zod";
import { argumentsOf, pieces, TOKENS, type Dialect, type Reply } from "./dialect.ts";

const textSchema = z.looseObject({ text: z.string().default("") });
const itemSchema = z.looseObject({
  type: z.string().default("message"),
  output: z.union([z.string(), z.array(textSchema)]).optional(),
  /** Of `additional_tools`, which Codex gives in the conversation. */
  tools: z.array(z.lazy(() => toolSchema)).optional(),
});
const toolSchema = z.looseObject({
  type: z.string(),
  name: z.string().optional(),
  /** Of a namespace. */
  get tools() {
    return z.array(toolSchema).optional();
  },
});
const requestSchema = z.looseObject({
  model: z.string(),
  stream: z.boolean().default(false),
  tools: z.array(toolSchema).default([]),
  input: z.union([z.string(), z.array(itemSchema)]),
  text: z
    .looseObject({ format: z.looseObject({ schema: z.unknown().optional() }).optional() })
    .optional(),
});

export const openaiResponses: Dialect = {
  name: "openai-responses",
  matches: (path) => path.endsWith("/responses"),
  read(_path, body) {
    const { model, stream, tools, input, text } = requestSchema.parse(body);
    const schema = text?.format?.schema;
    const items = typeof input === "string" ? [] : input;
    return {
      model,
      stream,
      tools: [...tools, ...items.flatMap((item) => item.tools ?? [])].flatMap(namesOf),
      turn: turnsOf(items.map(({ type }) => type)),
      results: items
        .filter(({ type }) => type.endsWith("_call_output"))
        .map(({ output }) =>
          typeof output === "string" ? output : (output ?? []).map((part) => part.text).join(""),
        ),
      ...(schema !== undefined && { schema }),
    };
  },
  whole: (reply) => ({ ...envelope(reply, "completed"), output: itemsOf(reply).map(finished) }),
  events(reply) {
    const items = itemsOf(reply);
    const empty = { ...envelope(reply, "in_progress"), output: [] };
    const data: Readonly<Record<string, unknown>>[] = [
      { type: "response.created", response: empty },
      { type: "response.in_progress", response: empty },
      ...items.flatMap(streamed),
      { type: "response.completed", response: openaiResponses.whole(reply) },
    ];
    return data.map((one, sequence_number) => ({
      event: String(one["type"]),
      data: { ...one, sequence_number },
    }));
  },
};

function namesOf(tool: z.infer<typeof toolSchema>): readonly string[] {
  return [tool.name ?? tool.type, ...(tool.tools ?? []).flatMap(namesOf)];
}

/** Calls of one turn stand together, before their outputs. */
function turnsOf(types: readonly string[]): number {
  const isCall = (type: string | undefined) => type?.endsWith("_call") ?? false;
  const acted = types.filter((type) => isCall(type) || type.endsWith("_call_output"));
  return acted.filter((type, n) => isCall(type) && !isCall(acted[n - 1])).length;
}

function envelope({ id, model }: Reply, status: string) {
  return {
    id: `resp_${id}`,
    object: "response",
    created_at: Math.floor(Date.now() / 1000),
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model,
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    usage:
      status === "completed"
        ? {
            input_tokens: TOKENS.input,
            input_tokens_details: { cached_tokens: 0 },
            output_tokens: TOKENS.output,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: TOKENS.input + TOKENS.output,
          }
        : null,
  };
}

type Item =
  | { readonly kind: "message"; readonly id: string; readonly text: string }
  /** `field` is what carries the input: `arguments` of a function, `input` of a custom tool. */
  | {
      readonly kind: "function_call" | "custom_tool_call";
      readonly field: "arguments" | "input";
      readonly id: string;
      readonly call_id: string;
      readonly name: string;
      readonly text: string;
    };

function itemsOf({ id, text, calls }: Reply): readonly Item[] {
  const message: Item = { kind: "message", id: `msg_${id}`, text };
  const called = calls.map((call): Item => {
    const free = typeof call.input === "string";
    return {
      kind: free ? "custom_tool_call" : "function_call",
      field: free ? "input" : "arguments",
      id: `${free ? "ctc" : "fc"}_${call.id}`,
      call_id: `call_${call.id}`,
      name: call.tool,
      text: argumentsOf(call),
    };
  });
  return text === "" ? called : [message, ...called];
}

const part = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] });

function finished(item: Item): Readonly<Record<string, unknown>> {
  const { kind: type, id } = item;
  if (item.kind === "message") {
    return { type, id, status: "completed", role: "assistant", content: [part(item.text)] };
  }
  const { call_id, name, field, text } = item;
  return { type, id, status: "completed", call_id, name, [field]: text };
}

function streamed(item: Item, output_index: number): readonly Readonly<Record<string, unknown>>[] {
  const of = { item_id: item.id, output_index };
  const begun = { ...finished(item), status: "in_progress" };
  const done = { type: "response.output_item.done", output_index, item: finished(item) };
  const added = (start: object) => ({
    type: "response.output_item.added",
    output_index,
    item: { ...begun, ...start },
  });
  if (item.kind !== "message") {
    const type = `response.${item.kind}_${item.field}`;
    return [
      added({ [item.field]: "" }),
      ...pieces(item.text).map((delta) => ({ type: `${type}.delta`, ...of, delta })),
      { type: `${type}.done`, ...of, [item.field]: item.text },
      done,
    ];
  }
  const at = { ...of, content_index: 0 };
  const type = "response.output_text";
  return [
    added({ content: [] }),
    { type: "response.content_part.added", ...at, part: part("") },
    ...pieces(item.text).map((delta) => ({ type: `${type}.delta`, ...at, delta, logprobs: [] })),
    { type: `${type}.done`, ...at, text: item.text, logprobs: [] },
    { type: "response.content_part.done", ...at, part: part(item.text) },
    done,
  ];
}
