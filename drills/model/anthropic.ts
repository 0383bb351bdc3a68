/**
 * Anthropic's Messages API, `POST /v1/messages` (docs.claude.com, "Messages" and "Streaming messages").
 *
 * A stream is message_start, for each block content_block_start, content_block_delta...,
 * content_block_stop, then message_delta with the reason to stop, then message_stop.
 *
 * @module
 */
import { z } from "zod";
import {
  argumentsOf,
  pieces,
  TOKENS,
  type Dialect,
  type Reply,
  type StreamEvent,
} from "./dialect.ts";

const textSchema = z.object({ type: z.literal("text"), text: z.string() });
const blockSchema = z.looseObject({
  type: z.string(),
  content: z.union([z.string(), z.array(z.unknown())]).optional(),
});
const requestSchema = z.looseObject({
  model: z.string(),
  max_tokens: z.int().positive(),
  stream: z.boolean().default(false),
  tools: z.array(z.looseObject({ name: z.string() })).default([]),
  messages: z
    .array(
      z.looseObject({
        role: z.enum(["user", "assistant", "system"]),
        content: z.union([z.string(), z.array(blockSchema)]),
      }),
    )
    .min(1),
  output_config: z
    .looseObject({ format: z.looseObject({ schema: z.unknown().optional() }).optional() })
    .optional(),
});

export const anthropic: Dialect = {
  name: "anthropic",
  matches: (path) => path === "/v1/messages",
  read(_path, body) {
    const { model, stream, tools, messages, output_config } = requestSchema.parse(body);
    const schema = output_config?.format?.schema;
    const blocks = messages.map(({ content }) => (typeof content === "string" ? [] : content));
    return {
      model,
      stream,
      tools: tools.map(({ name }) => name),
      turn: blocks.filter((list) => list.some(({ type }) => type === "tool_use")).length,
      results: blocks
        .flat()
        .filter(({ type }) => type === "tool_result")
        .map(({ content }) => textOf(content)),
      ...(schema !== undefined && { schema }),
    };
  },
  whole: (reply) => ({ ...envelope(reply), content: blocksOf(reply), ...stopOf(reply) }),
  events(reply) {
    const data: StreamEvent["data"][] = [{ type: "message_start", message: envelope(reply) }];
    for (const [index, block] of blocksOf(reply).entries()) {
      const [start, deltas] = streamed(block);
      data.push({ type: "content_block_start", index, content_block: start });
      for (const delta of deltas) data.push({ type: "content_block_delta", index, delta });
      data.push({ type: "content_block_stop", index });
    }
    data.push({
      type: "message_delta",
      delta: stopOf(reply),
      usage: { output_tokens: TOKENS.output },
    });
    data.push({ type: "message_stop" });
    return data.map((one) => ({ event: String(Object(one).type), data: one }));
  },
};

function textOf(content: string | readonly unknown[] | undefined): string {
  if (typeof content === "string" || content === undefined) return content ?? "";
  return content.map((part) => textSchema.safeParse(part).data?.text ?? "").join("");
}

function envelope({ id, model }: Reply) {
  return {
    id: `msg_${id}`,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: TOKENS.input, output_tokens: TOKENS.output },
  };
}

function stopOf({ calls }: Reply) {
  return { stop_reason: calls.length > 0 ? "tool_use" : "end_turn", stop_sequence: null };
}

type Block =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "tool_use";
      readonly id: string;
      readonly name: string;
      readonly input: unknown;
    };

function blocksOf({ text, calls }: Reply): readonly Block[] {
  return [
    ...(text === "" ? [] : [{ type: "text", text } as const]),
    ...calls.map(
      ({ id, tool, input }) =>
        ({ type: "tool_use", id: `toolu_${id}`, name: tool, input }) as const,
    ),
  ];
}

function streamed(block: Block): readonly [start: object, deltas: readonly object[]] {
  if (block.type === "text") {
    const deltas = pieces(block.text).map((text) => ({ type: "text_delta", text }));
    return [{ type: "text", text: "" }, deltas];
  }
  const json = argumentsOf({
    tool: block.name,
    input: z.record(z.string(), z.unknown()).parse(block.input),
  });
  const deltas = pieces(json).map((partial_json) => ({ type: "input_json_delta", partial_json }));
  return [{ ...block, input: {} }, deltas];
}
