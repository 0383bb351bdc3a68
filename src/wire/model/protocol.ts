/**
 * Which API of a model a request speaks, by its path; and those that are known and not read.
 *
 * Paths are the ends that clients of each API use, whatever stands before them: a local server, a proxy and the
 * provider itself have the same. Sources: the providers' references, named beside each dialect.
 *
 * @module
 */
import { asRecord } from "../json-scan.ts";

/** The APIs that are read. */
export const MODEL_PROTOCOLS = [
  "anthropic-messages",
  "openai-responses",
  "openai-chat",
  "google-generate",
] as const;
export type ModelProtocol = (typeof MODEL_PROTOCOLS)[number];

/** An API of a model: one that is read, or `unread`, which says what it is. */
export type KnownApi = { readonly protocol: ModelProtocol } | { readonly unread: string };

/** Longest JSON document (an answer, an event, a request, a message) that is read, in bytes. */
export const DOCUMENT_BYTES_MAX = 8 << 20;
/** Calls of one answer, results and claims of one request; more are counted and not told. */
export const CALLS_MAX = 64;
/** Nesting of a document; a schema in a tool's input stays far below. */
export const DEPTH_MAX = 256;

const READ: readonly (readonly [path: RegExp, protocol: ModelProtocol])[] = [
  [/\/messages$/, "anthropic-messages"],
  // Anthropic's models at Google: the same bodies, under another path.
  [/\/publishers\/anthropic\/models\/[^/]+:(?:streamR|r)awPredict$/, "anthropic-messages"],
  [/\/chat\/completions$/, "openai-chat"],
  [/\/responses$/, "openai-responses"],
  // Vertex AI, the Gemini API, and what Gemini CLI asks after a login (`v1internal:generateContent`).
  [/[/:](?:streamG|g)enerateContent$/, "google-generate"],
];

const UNREAD: readonly (readonly [path: RegExp, what: string])[] = [
  [/\/api\/(?:chat|generate)$/, "Ollama's own API"],
  [/\/completions?$/, "completions of text"],
  [/\/complete$/, "completions of text"],
  [/\/model\/[^/]+\/(?:invoke|converse)(?:-stream|-with-response-stream)?$/, "Amazon Bedrock"],
  [/\/realtime(?:\/calls)?$/, "OpenAI Realtime"],
  [/BidiGenerateContent(?:Constrained)?$/, "Gemini Live"],
  [/\/interactions$/, "Gemini Interactions"],
  [/\/v2\/chat$/, "Cohere"],
  [/\/threads(?:\/[^/]+)?\/runs$/, "OpenAI Assistants"],
  [/\/messages\/batches$/, "a batch, whose answers come later"],
  [/:batchGenerateContent$/, "a batch, whose answers come later"],
];

/** What is asked of a model besides answers, in the form of a question: counts, vectors, pictures, sound. */
const BESIDE =
  /\/(?:count_?tokens|input_tokens|tokenize|compact|embeddings?|embed|rerank|moderations|images\/\w+|audio\/\w+)$|:(?:count|embed|batchEmbed)\w+$/i;

/** The API that `path` (no query) is of, as far as a path tells. */
export function modelApiOf(path: string): KnownApi | undefined {
  const end = path.replace(/\/+$/, "");
  const read = READ.find(([form]) => form.test(end));
  if (read !== undefined) return { protocol: read[1] };
  const known = UNREAD.find(([form]) => form.test(end));
  return known === undefined ? undefined : { unread: known[1] };
}

/** A response that was begun before and is fetched: OpenAI's background mode. */
export function isFetchedResponse(path: string): boolean {
  return /\/responses\/resp[_-][\w-]+$/.test(path);
}

/** Whether `body` is a question to a model in `protocol`: paths alone are used by others, too. */
export function isModelRequest(protocol: ModelProtocol, body: unknown): boolean {
  const members = asRecord(body);
  if (members === undefined) return false;
  if (protocol === "google-generate") {
    return Array.isArray((asRecord(members["request"]) ?? members)["contents"]);
  }
  if (protocol !== "openai-responses") return hasTurns(members["messages"]);
  const asked = ["input", "prompt", "previous_response_id", "conversation"];
  return asked.some((name) => members[name] !== undefined);
}

/** Whether `body` looks like a question to a model in whatever API, at a `path` that says nothing. */
export function looksLikeModel(path: string, body: unknown): boolean {
  if (BESIDE.test(path)) return false;
  const members = asRecord(body);
  if (members === undefined) return false;
  if (hasTurns(members["messages"])) return true;
  const { contents } = members;
  if (Array.isArray(contents)) return Array.isArray(asRecord(contents[0])?.["parts"]);
  const isAsked = ["prompt", "input", "inputs"].some((name) => members[name] !== undefined);
  return typeof members["model"] === "string" && isAsked;
}

function hasTurns(messages: unknown): boolean {
  return Array.isArray(messages) && typeof asRecord(messages[0])?.["role"] === "string";
}
