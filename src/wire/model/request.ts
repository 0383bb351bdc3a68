/**
 * What a request to a model says: which model, which tools it offers, what tools gave, and which calls it claims
 * that the model made before. None of it is believed here: a request is written by the agent's side.
 *
 * @module
 */
import { asRecord } from "../json-scan.ts";
import { isCallBlock } from "./anthropic.ts";
import { callOfPart, either } from "./google.ts";
import { head, inputOf, readInput, textDigest, type CallInput } from "./input.ts";
import { readObject } from "./kept.ts";
import { callOfItem } from "./openai-responses.ts";
import { DOCUMENT_BYTES_MAX, type ModelProtocol } from "./protocol.ts";
import { nameOf } from "./reading.ts";

/** What the request says that a call gave. */
export interface ToolResult {
  /** The call's id; its name where the API gives none. */
  readonly id: string;
  readonly isError: boolean;
  /** How long it is, in UTF-8, and its hex SHA-256; see `textDigest`. */
  readonly bytes: number;
  readonly digest: string;
  /** The beginning of its text. */
  readonly excerpt: string;
}

/** A call that the request says the model made. */
export interface Claimed {
  readonly id: string;
  readonly name: string;
  readonly input: CallInput;
}

export interface ModelRequest {
  readonly model?: string;
  /** Tools that it offers, those of the provider among them. */
  readonly tools: number;
  readonly hostedTools: number;
  /** In the order in which they stand. */
  readonly results: readonly ToolResult[];
  readonly claims: readonly Claimed[];
  readonly unread?: string;
}

type Members = Readonly<Record<string, unknown>>;

const EXCERPT_CHARS = 2048;
/** Of one request: a conversation of a week has fewer. */
const ITEMS_MAX = 20_000;

const NOTHING = { tools: 0, hostedTools: 0, results: [], claims: [] };

/**
 * Reads the body of a request to `protocol`, or its members. Never throws.
 *
 * @param path has the model's name in some APIs
 */
export function readModelRequest(
  protocol: ModelProtocol,
  path: string,
  body: Uint8Array | Members,
): ModelRequest {
  if (body instanceof Uint8Array) {
    if (body.length > DOCUMENT_BYTES_MAX) {
      return { ...NOTHING, unread: `a request of more than ${DOCUMENT_BYTES_MAX} bytes` };
    }
    const { members, isOdd } = readObject(body);
    if (members === undefined) return { ...NOTHING, unread: "a request that is no JSON object" };
    const read = readModelRequest(protocol, path, members);
    return isOdd ? { ...read, unread: "a request that is not UTF-8" } : read;
  }
  const members = body;
  const inPath = /\/models\/([^/:]+):/.exec(path)?.[1];
  const { model = inPath } = members;
  const found = new Found();
  READERS[protocol](members, found);
  return {
    ...(typeof model === "string" ? { model: nameOf(model) } : {}),
    tools: found.tools,
    hostedTools: found.hostedTools,
    results: found.results,
    claims: found.claims,
    ...(found.isFull ? { unread: `a conversation of more than ${ITEMS_MAX} calls` } : {}),
  };
}

class Found {
  tools = 0;
  hostedTools = 0;
  isFull = false;
  readonly results: ToolResult[] = [];
  readonly claims: Claimed[] = [];

  tool(hosted: boolean): void {
    this.tools += 1;
    if (hosted) this.hostedTools += 1;
  }

  claim(id: unknown, name: unknown, input: CallInput): void {
    if (this.#isFull(this.claims)) return;
    this.claims.push({ id: nameOf(id) || nameOf(name), name: nameOf(name), input });
  }

  result(id: unknown, content: unknown, isError: boolean): void {
    if (this.#isFull(this.results)) return;
    this.results.push(toolResultOf(id, content, isError));
  }

  #isFull(list: readonly unknown[]): boolean {
    this.isFull ||= list.length >= ITEMS_MAX;
    return list.length >= ITEMS_MAX;
  }
}

/** What `content`, a text or parts, is as a result. */
export function toolResultOf(id: unknown, content: unknown, isError: boolean): ToolResult {
  const text = textOf(content);
  const { digest, bytes } = textDigest(text ?? content);
  const excerpt = head(text ?? JSON.stringify(content ?? null), EXCERPT_CHARS);
  return { id: nameOf(id), isError, bytes, digest, excerpt };
}

/** A text, also one in parts that are all text; `undefined` where anything else is in it. */
function textOf(content: unknown): string | undefined {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  const parts = (content as readonly unknown[]).map((part) => {
    const text = asRecord(part)?.["text"];
    return typeof text === "string" ? text : undefined;
  });
  return parts.includes(undefined) ? undefined : parts.join("");
}

const READERS: Readonly<Record<ModelProtocol, (members: Members, found: Found) => void>> = {
  "anthropic-messages": readAnthropic,
  "openai-responses": readResponses,
  "openai-chat": readChat,
  "google-generate": readGoogle,
};

function listOf(value: unknown): readonly Members[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly unknown[]).map(asRecord).filter((item) => item !== undefined);
}

/** Tools that are the agent's, though the provider describes them. */
const OWN_TOOL = /^(?:custom|(?:bash|text_editor|memory|computer)_\d{8})$/;

function readAnthropic({ tools, mcp_servers, messages }: Members, found: Found): void {
  for (const { type } of listOf(tools))
    found.tool(typeof type === "string" && !OWN_TOOL.test(type));
  for (const _ of listOf(mcp_servers)) found.tool(true);
  for (const { role, content } of listOf(messages)) {
    for (const block of listOf(content)) {
      const { type, id, name, input, tool_use_id, is_error } = block;
      if (role === "assistant" && isCallBlock(type)) found.claim(id, name, inputOf(input));
      else if (type === "tool_result") {
        found.result(tool_use_id, block["content"] ?? "", is_error === true);
      }
    }
  }
}

const OPENAI_OWN: ReadonlySet<unknown> = new Set([
  ...["function", "custom", "local_shell", "apply_patch", "computer_use_preview", "computer"],
]);

function readResponses({ tools, input }: Members, found: Found): void {
  const offer = (list: unknown) => {
    for (const tool of listOf(list)) {
      const { type } = tool;
      if (type === "namespace") offer(tool["tools"]);
      else {
        const place = asRecord(tool["environment"])?.["type"];
        const isOwnShell = type === "shell" && (place === undefined || place === "local");
        const isOwnSearch = type === "tool_search" && tool["execution"] === "client";
        found.tool(!OPENAI_OWN.has(type) && !isOwnShell && !isOwnSearch);
      }
    }
  };
  offer(tools);
  for (const item of listOf(input)) {
    const { type, call_id, id, output, status } = item;
    if (typeof type !== "string") continue;
    if (type === "additional_tools") offer(item["tools"]);
    else if (type.endsWith("_call_output") || type === "tool_search_output") {
      found.result(call_id ?? id, output ?? "", status === "failed" || isFailed(output));
    } else {
      const call = callOfItem(item);
      if (call !== undefined) found.claim(call.id, call.name, call.input);
    }
  }
}

/** A shell's output says how each command ended. */
function isFailed(output: unknown): boolean {
  return listOf(output).some(({ outcome }) => {
    const { type, exit_code } = asRecord(outcome) ?? {};
    return type === "timeout" || (typeof exit_code === "number" && exit_code !== 0);
  });
}

function readChat({ tools, functions, web_search_options, messages }: Members, found: Found): void {
  for (const { type } of listOf(tools)) found.tool(type !== "function" && type !== "custom");
  for (const _ of listOf(functions)) found.tool(false);
  if (web_search_options !== undefined) found.tool(true);
  for (const message of listOf(messages)) {
    const { role, content, tool_call_id, name } = message;
    if (role === "tool" || role === "function") found.result(tool_call_id ?? name, content, false);
    if (role !== "assistant") continue;
    const legacy = asRecord(message["function_call"]);
    const calls = listOf(message["tool_calls"]);
    for (const call of [...calls, ...(legacy === undefined ? [] : [{ function: legacy }])]) {
      const { id, function: fn, custom } = call;
      const body = asRecord(fn) ?? asRecord(custom);
      const text = body?.["arguments"] ?? body?.["input"] ?? "";
      const input = typeof text === "string" ? text : JSON.stringify(text);
      found.claim(id, body?.["name"], readInput(input, custom === undefined));
    }
  }
}

function readGoogle(members: Members, found: Found): void {
  const request = asRecord(members["request"]) ?? members;
  for (const tool of listOf(request["tools"])) {
    for (const name of Object.keys(tool)) {
      const isOwn = name === "functionDeclarations" || name === "function_declarations";
      if (isOwn) for (const _ of listOf(tool[name])) found.tool(false);
      else found.tool(true);
    }
  }
  for (const { role, parts } of listOf(request["contents"])) {
    for (const part of listOf(parts)) {
      if (role === "model") {
        callOfPart(part, (id, name, input) => found.claim(id, name, inputOf(input)));
      }
      const result = asRecord(either(part, "functionResponse"));
      if (result === undefined) continue;
      const { id, name, response } = result;
      // As the guide has it: what went wrong stands under `error`.
      found.result(id ?? name, response, asRecord(response)?.["error"] !== undefined);
    }
  }
}
