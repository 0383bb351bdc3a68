/**
 * Google's Gemini API, `POST .../models/MODEL:generateContent` and `:streamGenerateContent?alt=sse`
 * (ai.google.dev, "Generating content" and "Function calling").
 *
 * A stream is GenerateContentResponse documents, each a piece; the last has the finishReason.
 *
 * @module
 */
import { z } from "zod";
import { pieces, TOKENS, type Dialect, type Reply } from "./dialect.ts";

const PATH = /\/models\/([^/:]+):(generateContent|streamGenerateContent)$/;

const partSchema = z.looseObject({
  functionCall: z.looseObject({ name: z.string() }).optional(),
  functionResponse: z.looseObject({ response: z.unknown().optional() }).optional(),
});
const requestSchema = z.looseObject({
  contents: z.array(
    z.looseObject({
      role: z.enum(["user", "model", "function"]).optional(),
      parts: z.array(partSchema).default([]),
    }),
  ),
  tools: z
    .array(
      z.looseObject({
        functionDeclarations: z.array(z.looseObject({ name: z.string() })).default([]),
      }),
    )
    .default([]),
  generationConfig: z
    .looseObject({
      responseJsonSchema: z.unknown().optional(),
      responseSchema: z.unknown().optional(),
    })
    .optional(),
});

export const google: Dialect = {
  name: "google",
  matches: (path) => PATH.test(path),
  read(path, body) {
    const { contents, tools, generationConfig } = requestSchema.parse(body);
    const schema = generationConfig?.responseJsonSchema ?? generationConfig?.responseSchema;
    const [, model = "", method] = PATH.exec(path) ?? [];
    return {
      model,
      stream: method === "streamGenerateContent",
      tools: tools.flatMap(({ functionDeclarations }) =>
        functionDeclarations.map(({ name }) => name),
      ),
      turn: contents.filter(({ parts }) => parts.some((part) => part.functionCall !== undefined))
        .length,
      results: contents
        .flatMap(({ parts }) => parts)
        .filter((part) => part.functionResponse !== undefined)
        .map((part) => JSON.stringify(part.functionResponse?.response)),
      ...(schema !== undefined && { schema }),
    };
  },
  whole: (reply) => piece(reply, partsOf(reply), true),
  events(reply) {
    const parts = [...pieces(reply.text).map((text) => ({ text })), ...callsOf(reply)];
    return parts.map((part, n) => ({ data: piece(reply, [part], n === parts.length - 1) }));
  },
};

function partsOf(reply: Reply): readonly object[] {
  return [...(reply.text === "" ? [] : [{ text: reply.text }]), ...callsOf(reply)];
}

function callsOf({ calls }: Reply): readonly object[] {
  return calls.map(({ id, tool, input }) => ({
    functionCall: { id: `call-${id}`, name: tool, args: input },
    // The models of the third generation sign each call, and refuse a conversation without.
    thoughtSignature: Buffer.from(`signed ${id}`).toString("base64"),
  }));
}

function piece({ id, model }: Reply, parts: readonly object[], last: boolean) {
  return {
    candidates: [
      { content: { role: "model", parts }, index: 0, ...(last && { finishReason: "STOP" }) },
    ],
    usageMetadata: {
      promptTokenCount: TOKENS.input,
      candidatesTokenCount: TOKENS.output,
      totalTokenCount: TOKENS.input + TOKENS.output,
    },
    modelVersion: model,
    responseId: `r-${id}`,
  };
}
