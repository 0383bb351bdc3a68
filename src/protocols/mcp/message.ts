/**
 * JSON-RPC 2.0 as MCP has it: one message is one object, which is a request, a notice or an answer and cannot
 * be taken for another. Members that the specification does not name, ids that are no text or whole number,
 * and batches (MCP of 2025-03-26 had them for three months) are refused: two readers would differ.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";

export type Id = string | number;
export type Members = Readonly<Record<string, Json>>;

/** A message that has one meaning. */
export type Message =
  | { readonly kind: "request"; readonly id: Id; readonly method: string; readonly params: Members }
  | { readonly kind: "notice"; readonly method: string; readonly params: Members }
  | { readonly kind: "result"; readonly id: Id; readonly result: Members }
  | { readonly kind: "error"; readonly id: Id | undefined; readonly error: Members };

/** What is wrong with a message. */
export interface Bad {
  readonly kind: "bad";
  /** Names the rule: `mcp.batch`. */
  readonly rule: string;
  readonly why: string;
}

const ID_CHARS_MAX = 256;
const METHOD = /^[a-zA-Z][a-zA-Z_/]{0,127}$/;

/** Reads `value`; whose keys are known to stand there once each. */
export function readMessage(value: Json): Message | Bad {
  if (Array.isArray(value)) {
    return bad("mcp.batch", "several messages in one; send each by itself");
  }
  if (!isMembers(value)) return bad("mcp.message", "a message is one JSON object");
  if (value["jsonrpc"] !== "2.0") return bad("mcp.message", 'a message says "jsonrpc": "2.0"');
  const has = (key: string) => Object.hasOwn(value, key);
  const stray = Object.keys(value).find((key) => !MEMBERS.has(key));
  if (stray !== undefined) {
    return bad("mcp.message", `no message has a member ${JSON.stringify(stray.slice(0, 40))}`);
  }
  const id = value["id"];
  if (has("method")) {
    if (has("result") || has("error")) return bad("mcp.message", "a request and an answer in one");
    return readCall(value, id, has("id"));
  }
  if (has("params")) return bad("mcp.message", "parameters of no method");
  if (has("result") === has("error")) {
    return bad("mcp.message", "an answer has either a result or an error");
  }
  if (has("result")) {
    const { result } = value;
    if (!isId(id)) return bad("mcp.id", "a result is for the id of a request");
    return isMembers(result)
      ? { kind: "result", id, result }
      : bad("mcp.message", "a result is an object");
  }
  const { error } = value;
  if (
    !isMembers(error) ||
    typeof error["code"] !== "number" ||
    typeof error["message"] !== "string"
  ) {
    return bad("mcp.message", "an error has a code and a message");
  }
  // The only answer whose request may be unknown (JSON-RPC 2.0, 5).
  if (has("id") && id !== null && !isId(id)) return bad("mcp.id", "an id is a text or a number");
  return { kind: "error", id: isId(id) ? id : undefined, error };
}

const MEMBERS: ReadonlySet<string> = new Set([
  ...["jsonrpc", "id", "method", "params", "result", "error"],
]);

function readCall(value: Members, id: Json | undefined, hasId: boolean): Message | Bad {
  const { method, params = {} } = value;
  if (typeof method !== "string" || !METHOD.test(method)) {
    return bad("mcp.method", "a method is named by letters, _ and /");
  }
  if (!isMembers(params)) return bad("mcp.params", "parameters are an object");
  const meta = params["_meta"];
  if (meta !== undefined && !isMembers(meta)) return bad("mcp.params", "_meta is an object");
  if (!hasId) return { kind: "notice", method, params };
  // MCP forbids the null that JSON-RPC allows; a fraction is an id that no two readers print alike.
  return isId(id)
    ? { kind: "request", id, method, params }
    : bad("mcp.id", "an id is a text or a whole number");
}

function isId(id: Json | undefined): id is Id {
  return typeof id === "string"
    ? id.length > 0 && id.length <= ID_CHARS_MAX && /^[\x20-\x7e]+$/.test(id)
    : Number.isSafeInteger(id);
}

export function isMembers(value: Json | undefined): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bad(rule: string, why: string): Bad {
  return { kind: "bad", rule, why };
}

/** Keys of `_meta` that say how a message travels, and not what it asks (2026-07-28, "Request metadata"). */
const ENVELOPE: ReadonlySet<string> = new Set([
  "progressToken",
  "io.modelcontextprotocol/protocolVersion",
  "io.modelcontextprotocol/clientInfo",
  "io.modelcontextprotocol/clientCapabilities",
]);

/** `params` as they count: the same question asked again, by whatever client, is the same. */
export function contentOf(params: Members): Members {
  const meta = params["_meta"];
  if (!isMembers(meta)) return params;
  const kept = Object.fromEntries(Object.entries(meta).filter(([key]) => !ENVELOPE.has(key)));
  const { _meta: _, ...rest } = params;
  return Object.keys(kept).length === 0 ? rest : { ...rest, _meta: kept };
}

/** The part of `_meta` that {@link contentOf} leaves out. */
export function envelopeOf(params: Members): Members {
  const meta = params["_meta"];
  if (!isMembers(meta)) return {};
  return Object.fromEntries(Object.entries(meta).filter(([key]) => ENVELOPE.has(key)));
}

/** The version that a request of 2026-07-28 or later says it is of. */
export function eraOf(params: Members): string | undefined {
  const version = envelopeOf(params)["io.modelcontextprotocol/protocolVersion"];
  return typeof version === "string" ? version : undefined;
}
