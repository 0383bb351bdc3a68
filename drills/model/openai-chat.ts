/**
 * OpenAI's Chat Completions, `POST .../chat/completions` (platform.openai.com, "Chat Completions").
 *
 * A stream is chunks with deltas, the last of a choice with its finish_reason, then (where asked for) a
 * chunk with the usage and no choice, then `[DONE]`.
 *
 * @module
 */
import { z } from "zod";
import { argumentsOf, pieces, TOKENS, type Dialect, type Reply } from "./dialect.ts";

const requestSchema = z.looseObject({
  model: z.string(),
  stream: z.boolean().default(false),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).default([]),
  messages: z
    .array(
      z.looseObject({
        role: z.enum(["developer", "system", "user", "assistant", "tool"]),
        content: z
          .union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))])
          .nullish(),
        tool_calls: z.array(z.unknown()).optional(),
      }),
    )
    .min(1),
  response_format: z
    .looseObject({ json_schema: z.looseObject({ schema: z.unknown().optional() }).optional() })
    .optional()
    .catch(undefined),
});

export const openaiChat: Dialect = {
  name: "openai-chat",
  matches: (path) => path.endsWith("/chat/completions"),
  read(_path, body) {
    const { model, stream, tools, messages, response_format } = requestSchema.parse(body);
    const schema = response_format?.json_schema?.schema;
    return {
      model,
      stream,
      tools: tools.map((tool) => tool.function.name),
      turn: messages.filter(({ tool_calls }) => (tool_calls?.length ?? 0) > 0).length,
      results: messages
        .filter(({ role }) => role === "tool")
        .map(({ content }) =>
          typeof content === "string"
            ? content
            : (content ?? []).map(({ text }) => text ?? "").join(""),
        ),
      ...(schema !== undefined && { schema }),
    };
  },
  whole: (reply) => ({
    ...envelope(reply, "chat.completion"),
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: reply.text === "" ? null : reply.text,
          refusal: null,
          ...(reply.calls.length > 0 && { tool_calls: reply.calls.map(callOf) }),
        },
        logprobs: null,
        finish_reason: finishOf(reply),
      },
    ],
    usage: USAGE,
  }),
  events(reply) {
    const deltas: object[] = [{ role: "assistant", content: "" }];
    for (const content of pieces(reply.text)) deltas.push({ content });
    for (const [index, call] of reply.calls.entries()) {
      const start = callOf(call);
      deltas.push({
        tool_calls: [{ index, ...start, function: { ...start.function, arguments: "" } }],
      });
      for (const piece of pieces(start.function.arguments)) {
        deltas.push({ tool_calls: [{ index, function: { arguments: piece } }] });
      }
    }
    const chunk = (delta: object, finish_reason: string | null) => ({
      data: {
        ...envelope(reply, "chat.completion.chunk"),
        choices: [{ index: 0, delta, logprobs: null, finish_reason }],
      },
    });
    return [
      ...deltas.map((delta) => chunk(delta, null)),
      chunk({}, finishOf(reply)),
      { data: { ...envelope(reply, "chat.completion.chunk"), choices: [], usage: USAGE } },
      { data: "[DONE]" },
    ];
  },
};

const USAGE = {
  prompt_tokens: TOKENS.input,
  completion_tokens: TOKENS.output,
  total_tokens: TOKENS.input + TOKENS.output,
};

function envelope({ id, model }: Reply, object: string) {
  return { id: `chatcmpl-${id}`, object, created: Math.floor(Date.now() / 1000), model };
}

function callOf(call: Reply["calls"][number]) {
  return {
    id: `call_${call.id}`,
    type: "function",
    function: { name: call.tool, arguments: argumentsOf(call) },
  };
}

function finishOf({ calls }: Reply): string {
  return calls.length > 0 ? "tool_calls" : "stop";
}
