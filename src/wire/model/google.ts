/**
 * Google's Gemini API and Vertex AI (ai.google.dev, "Generating content", "Function calling"; js-genai, `Part`,
 * `FunctionCall`).
 *
 * A stream is `GenerateContentResponse` documents, as events or as the items of one JSON array; each part of a
 * document is whole. What Gemini CLI is answered after a login stands in a member `response`.
 *
 * @module
 */
import { asRecord } from "../json-scan.ts";
import { inputOf } from "./input.ts";
import type { Dialect, Reading } from "./reading.ts";

type Members = Readonly<Record<string, unknown>>;

/** A member that JSON of protobuf writes in one of two ways. */
export function either(members: Members | undefined, camel: string): unknown {
  const snake = camel.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return members?.[camel] ?? members?.[snake];
}

/** Takes the call that `part` is, if it is one. */
export function callOfPart(
  part: Members,
  take: (id: unknown, name: unknown, input: unknown, hosted: boolean) => void,
): void {
  const call = asRecord(either(part, "functionCall"));
  if (call !== undefined) take(call["id"], call["name"], either(call, "args"), false);
  const code = asRecord(either(part, "executableCode"));
  if (code !== undefined) take(code["id"], "code_execution", code, true);
  // Tools of the provider's, as the third generation tells them.
  const tool = asRecord(either(part, "toolCall"));
  if (tool !== undefined) {
    take(tool["id"], either(tool, "toolType") ?? "tool", either(tool, "args"), true);
  }
}

export function googleDialect(reading: Reading): Dialect {
  const takePart = (value: unknown) => {
    const part = asRecord(value);
    if (part === undefined) return;
    const call = asRecord(either(part, "functionCall"));
    const pieces = either(call, "partialArgs");
    if (pieces !== undefined || either(call, "willContinue") === true) {
      reading.doubt("arguments of a call in pieces");
      if (typeof call?.["name"] === "string") {
        reading.call(call["id"], call["name"], inputOf(pieces), false);
      }
      return;
    }
    callOfPart(part, (id, name, input, hosted) => reading.call(id, name, inputOf(input), hosted));
  };
  const takeResponse = (response: Members) => {
    // Clients go on to the candidates where the error is none to them.
    const isError = response["error"] !== undefined;
    if (isError) reading.said(undefined, "error");
    const counts = asRecord(either(response, "usageMetadata"));
    const said = either(counts, "candidatesTokenCount");
    const thought = either(counts, "thoughtsTokenCount");
    const out =
      typeof said === "number" && typeof thought === "number" ? said + thought : (said ?? thought);
    reading.said(either(response, "modelVersion"));
    reading.used(either(counts, "promptTokenCount"), out);
    const { candidates } = response;
    if (!Array.isArray(candidates)) {
      const blocked = asRecord(either(response, "promptFeedback"))?.["blockReason"];
      if (blocked !== undefined) reading.said(undefined, blocked);
      else if (counts === undefined && !isError) reading.doubt("an answer without candidates");
      return;
    }
    for (const item of candidates as readonly unknown[]) {
      const candidate = asRecord(item);
      reading.said(undefined, either(candidate, "finishReason"));
      const parts = asRecord(candidate?.["content"])?.["parts"];
      if (Array.isArray(parts)) for (const part of parts as readonly unknown[]) takePart(part);
    }
  };
  return {
    take(document) {
      const inner = asRecord(document["response"]);
      if (inner !== undefined) takeResponse(inner);
      // Which of the two counts depends on the client.
      if (inner === undefined || document["candidates"] !== undefined) takeResponse(document);
    },
    end() {},
  };
}
