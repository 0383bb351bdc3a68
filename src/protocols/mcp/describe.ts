/**
 * What one message of MCP does.
 *
 * An operation is `{method, params}` of a request or notice of the agent's, `{from: "server", method, params}` of
 * what a server asks of the agent, `{answers: METHOD, result}` of what the agent says to that, or
 * `{http: "GET" | "DELETE"}`. Parameters are without what only says how a message travels. Where they answer what a
 * result asked (2026-07-28), `answering` says by which method each was asked.
 *
 * @module
 */
import { canonicalJson, type Effect, type Json } from "../../action/index.ts";
import { visibleLine } from "../../base/index.ts";
import type { Described, Surroundings } from "../protocol.ts";
import { isMembers, type Members } from "./message.ts";
import {
  CLIENT_NOTICES,
  REQUESTS,
  SERVER_REQUESTS,
  UNKNOWN_EFFECTS,
  VERBS,
  type Method,
  type Verb,
} from "./methods.ts";
import { optionsSchema, pinOf, type Options } from "./options.ts";
import { isName, isUri, pinnedEffects } from "./pin.ts";

const SUMMARY_CHARS_MAX = 160;

/** Describes `operation`. Never throws. */
export function describe(operation: Json, { host, port, options }: Surroundings): Described {
  const parsed = optionsSchema.safeParse(options);
  const place: Place = {
    at: `mcp://${host}:${port}`,
    options: parsed.success ? parsed.data : undefined,
  };
  if (!isMembers(operation) || place.options === undefined) return unknown(operation, place);
  const keys = Object.keys(operation).toSorted().join(" ");
  switch (keys) {
    case "method params":
    case "answering method params":
      return ofClient(operation, place);
    case "from method params":
      return ofServer(operation, place);
    case "answers result":
      return ofAnswer(operation, place);
    case "http":
      return ofConnection(operation, place);
    default:
      return unknown(operation, place);
  }
}

interface Place {
  readonly at: string;
  readonly options: Options | undefined;
}

interface Part {
  readonly verb: Verb;
  readonly effects: readonly Effect[];
}

interface Meaning {
  /** What it does besides: it answers the server. */
  readonly more?: readonly Part[];
  readonly verb: Verb;
  readonly effects?: readonly Effect[];
  /** A tool's name, a resource's URI, a task's id. */
  readonly object?: string;
  readonly summary: string;
}

function described(operation: Members, { at }: Place, meaning: Meaning): Described {
  const { verb, object, more = [], effects = VERBS[verb].effects } = meaning;
  const main = {
    verb,
    effects: [...effects],
    ...(object === undefined ? {} : { object: [object] }),
  };
  const parts = [main, ...more.map((part) => ({ verb: part.verb, effects: [...part.effects] }))];
  return {
    verb,
    effects: [...new Set(parts.flatMap((part) => part.effects))],
    target: object === undefined ? at : `${at} ${object}`,
    summary: visibleLine(meaning.summary),
    fields: operation,
    ...(object === undefined && more.length === 0 ? {} : { parts }),
  };
}

function unknown(operation: Json, { at }: Place): Described {
  const method = isMembers(operation) ? operation["method"] : undefined;
  const what = typeof method === "string" ? visibleLine(method.slice(0, 80)) : "no message";
  return {
    verb: "unknown",
    effects: UNKNOWN_EFFECTS,
    target: at,
    summary: `What is not understood: ${what}`,
    fields: { operation },
  };
}

function ofClient(operation: Members, place: Place): Described {
  const { method, params } = operation;
  if (typeof method !== "string" || !isMembers(params)) return unknown(operation, place);
  const more = answersOf(operation, params);
  if (more === undefined) return unknown(operation, place);
  if (CLIENT_NOTICES.has(method)) {
    return described(operation, place, { verb: "session", summary: `Tell the server: ${method}` });
  }
  const known = REQUESTS.get(method);
  if (known === undefined || !isOfShape(params, known)) return unknown(operation, place);
  const { verb } = known;
  if (known.object === undefined) {
    return described(operation, place, {
      verb,
      summary: `${VERBS[verb].summary} (${method})`,
      more,
    });
  }
  const object = objectOf(params, known.object);
  if (object === undefined) return unknown(operation, place);
  if (verb === "tools.call") return ofTool(operation, place, { object, more });
  const summary = `${VERBS[verb].summary}: ${object}`;
  return described(operation, place, { verb, object, summary, more });
}

function ofTool(
  operation: Members,
  place: Place,
  { object, more }: { readonly object: string; readonly more: readonly Part[] },
): Described {
  const params = operation["params"] as Members;
  const pin = place.options && pinOf(place.options);
  const effects = pinnedEffects(pin, object) ?? VERBS["tools.call"].effects;
  const said = canonicalJson(params["arguments"] ?? {});
  const whole = `Call the tool ${object} with ${said}`;
  const summary =
    whole.length > SUMMARY_CHARS_MAX ? `${whole.slice(0, SUMMARY_CHARS_MAX)}...` : whole;
  return described(operation, place, { verb: "tools.call", object, effects, summary, more });
}

/** What is answered along with a request; `undefined` where that is more than was asked. */
function answersOf({ answering }: Members, params: Members): readonly Part[] | undefined {
  const responses = params["inputResponses"];
  if (responses === undefined && answering === undefined) return [];
  if (!isMembers(responses) || !isMembers(answering)) return undefined;
  const keys = Object.keys(responses);
  if (keys.length !== Object.keys(answering).length) return undefined;
  const parts = new Map<Verb, Part>();
  for (const key of keys) {
    const method = Object.hasOwn(answering, key) ? answering[key] : undefined;
    const known = typeof method === "string" ? SERVER_REQUESTS.get(method) : undefined;
    const response = responses[key];
    if (known === undefined || !isMembers(response)) return undefined;
    if (isRefusal({ result: response })) continue;
    parts.set(known.answers, { verb: known.answers, effects: VERBS[known.answers].effects });
  }
  return [...parts.values()];
}

function isOfShape(params: Members, { params: known }: Method): boolean {
  return Object.entries(params).every(([key, value]) => {
    if (key === "_meta") return isMembers(value);
    if (!known.includes(key)) return false;
    if (key === "requestState") return typeof value === "string";
    return (key !== "arguments" && key !== "task") || isMembers(value);
  });
}

function objectOf(params: Members, key: NonNullable<Method["object"]>): string | undefined {
  const value = params[key];
  if (key === "ref") {
    if (!isMembers(value)) return undefined;
    const { type, name, uri } = value;
    if (type === "ref/prompt" && isName(name)) return name;
    return type === "ref/resource" && isUri(uri) ? uri : undefined;
  }
  if (key === "uri") return isUri(value) ? value : undefined;
  return isName(value) ? value : undefined;
}

function ofServer(operation: Members, place: Place): Described {
  const { from, method, params } = operation;
  const known = typeof method === "string" ? SERVER_REQUESTS.get(method) : undefined;
  if (from !== "server" || known === undefined || !isMembers(params)) {
    return unknown(operation, place);
  }
  const { message } = params;
  const words = typeof message === "string" ? `: ${message.slice(0, SUMMARY_CHARS_MAX)}` : "";
  return described(operation, place, {
    verb: known.asks,
    summary: `${VERBS[known.asks].summary}${words}`,
  });
}

function ofAnswer(operation: Members, place: Place): Described {
  const { answers, result } = operation;
  const known = typeof answers === "string" ? SERVER_REQUESTS.get(answers) : undefined;
  if (known === undefined || !isMembers(result)) return unknown(operation, place);
  const verb = known.answers;
  // A no tells the server nothing but that.
  if (isRefusal(operation)) {
    return described(operation, place, { verb: "session", summary: "Tell the server no" });
  }
  return described(operation, place, { verb, summary: VERBS[verb].summary });
}

const WORDLESS: ReadonlySet<string> = new Set(["decline", "cancel"]);

/** An answer that says no, in no words of the agent's own. */
function isRefusal({ result }: Members): boolean {
  if (!isMembers(result) || Object.keys(result).length !== 1) return false;
  const { action } = result;
  return typeof action === "string" && WORDLESS.has(action);
}

function ofConnection(operation: Members, place: Place): Described {
  const { http } = operation;
  if (http === "GET") {
    return described(operation, place, {
      verb: "session",
      summary: "Hear what the server says by itself",
    });
  }
  return http === "DELETE"
    ? described(operation, place, { verb: "session", summary: "End the session" })
    : unknown(operation, place);
}
