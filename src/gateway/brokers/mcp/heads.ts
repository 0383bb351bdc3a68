/**
 * The head of an HTTP request that brings a message of MCP: what it must say, what of it goes on, and that it says
 * the same as the message (2026-07-28, "Standard request headers": they are there so that whoever stands between
 * need not read the body; one that says otherwise would be judged by one and obeyed by the other).
 *
 * @module
 */
import type { Json } from "../../../action/index.ts";
import { envelopeOf, eraOf, isMembers, REQUESTS, type Members, type Message } from "./terms.ts";
import { headerPairs, type RawHeaders } from "../../http-headers.ts";
import { VERSIONS } from "./screen.ts";

/** Fields of MCP, each at most once. */
export interface McpHead {
  readonly sessionId: string | undefined;
  readonly version: string | undefined;
  readonly method: string | undefined;
  readonly name: string | undefined;
  readonly lastEventId: string | undefined;
  readonly accept: string;
  readonly contentType: string;
  readonly contentEncoding: string;
  /** `Mcp-Param-*`, as they were written. */
  readonly mirrored: readonly (readonly [name: string, value: string])[];
}

/** Why a request is not one that goes on. */
export interface Flaw {
  readonly status: number;
  readonly rule: string;
  readonly why: string;
}

const ONCE = ["mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name", "last-event-id"];
const VISIBLE = /^[\x21-\x7e]{1,512}$/;
const PARAM = /^mcp-param-[a-z0-9-]{1,100}$/;
const MIRRORED_MAX = 32;

/** Reads the fields that count. */
export function readHead(raw: RawHeaders): McpHead | Flaw {
  const pairs = headerPairs(raw);
  const all = (name: string) => pairs.filter(([field]) => field === name).map(([, value]) => value);
  const twice = [...ONCE, "content-type"].find((name) => all(name).length > 1);
  if (twice !== undefined) return flaw(400, "mcp.header", `${twice} stands there twice`);
  const one = (name: string) => all(name)[0];
  const odd = ONCE.find((name) => {
    const value = one(name);
    return (
      value !== undefined && !(name === "mcp-name" ? /^[\x20-\x7e]{1,4000}$/ : VISIBLE).test(value)
    );
  });
  if (odd !== undefined) return flaw(400, "mcp.header", `${odd} holds what it cannot`);
  const version = one("mcp-protocol-version");
  if (version !== undefined && !VERSIONS.includes(version)) {
    return flaw(
      400,
      "mcp.version",
      `version ${version} is not spoken here: ${VERSIONS.join(", ")}`,
    );
  }
  const mirrored = pairs.filter(([name]) => name.startsWith("mcp-param-"));
  const names = new Set(mirrored.map(([name]) => name));
  if (
    mirrored.length > MIRRORED_MAX ||
    names.size < mirrored.length ||
    mirrored.some(([name, value]) => !PARAM.test(name) || !/^[\x20-\x7e]{0,4000}$/.test(value))
  ) {
    return flaw(400, "mcp.header", "a Mcp-Param field is odd, or stands there twice");
  }
  return {
    sessionId: one("mcp-session-id"),
    version,
    method: one("mcp-method"),
    name: one("mcp-name"),
    lastEventId: one("last-event-id"),
    accept: all("accept").join(",").toLowerCase(),
    contentType: (one("content-type") ?? "").toLowerCase(),
    contentEncoding: all("content-encoding").join(",").toLowerCase(),
    mirrored,
  };
}

const JSON_TYPE = /^application\/json(?:\s*;\s*charset=("?)utf-8\1)?\s*$/;
const STATELESS = "2026-07-28"; // From here on each request says its version itself.

/** Whether `head` may bring JSON. */
export function flawOfType({ contentType, contentEncoding }: McpHead): Flaw | undefined {
  const isPlain = contentEncoding === "" || contentEncoding === "identity";
  return isPlain && JSON_TYPE.test(contentType)
    ? undefined
    : flaw(415, "mcp.header", "a message comes as application/json, in UTF-8, uncompressed");
}

/** How `head` and `message` disagree. */
export function flawOfHead(head: McpHead, message: Message): Flaw | undefined {
  const isCall = message.kind === "request" || message.kind === "notice";
  if (!isCall) {
    return head.method === undefined && head.name === undefined && head.mirrored.length === 0
      ? undefined
      : flaw(400, "mcp.header", "an answer has no Mcp-Method, Mcp-Name or Mcp-Param");
  }
  const { method, params } = message;
  if (head.method !== undefined && head.method !== method) {
    return flaw(400, "mcp.header", `Mcp-Method is ${head.method}, the message's method ${method}`);
  }
  const said = envelopeOf(params)["io.modelcontextprotocol/protocolVersion"];
  const era = eraOf(params);
  if (said !== undefined && (era === undefined || !VERSIONS.includes(era) || era < STATELESS)) {
    return flaw(400, "mcp.version", `a request says of itself that it is of ${STATELESS} or later`);
  }
  if (era !== undefined && head.version !== era) {
    return flaw(400, "mcp.header", `Mcp-Protocol-Version is not ${era}, which the message says`);
  }
  const isLate = head.version !== undefined && head.version >= STATELESS;
  if (isLate && era === undefined && message.kind === "request") {
    return flaw(400, "mcp.header", `a request of ${head.version} says so in its _meta`);
  }
  return flawOfName(head, method, params) ?? flawOfMirrored(head, method, params);
}

function flawOfName({ name }: McpHead, method: string, params: Members): Flaw | undefined {
  if (name === undefined) return undefined;
  const key = REQUESTS.get(method)?.object;
  const value = key === undefined || key === "ref" ? undefined : params[key];
  return value === undefined || value !== decode(name)
    ? flaw(400, "mcp.header", "Mcp-Name is not what the message names")
    : undefined;
}

/** Each mirrored value must stand in the arguments: the server's schema says where, and the server compares. */
function flawOfMirrored({ mirrored }: McpHead, method: string, params: Members): Flaw | undefined {
  if (mirrored.length === 0) return undefined;
  const leaves = new Set(method === "tools/call" ? leavesOf(params["arguments"], 0) : []);
  const odd = mirrored.find(([, value]) => !leaves.has(decode(value) ?? "\0"));
  return odd === undefined
    ? undefined
    : flaw(400, "mcp.header", `${odd[0]} is not among the arguments`);
}

const DEPTH_MAX = 8;

function leavesOf(value: Json | undefined, depth: number): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number" || typeof value === "boolean") return [String(value)];
  if (!isMembers(value) || depth >= DEPTH_MAX) return [];
  return Object.values(value).flatMap((one) => leavesOf(one, depth + 1));
}

const WRAPPED = /^=\?base64\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/;

/** A value as it was before it was made fit for a field; `undefined` where it is no such form. */
function decode(value: string): string | undefined {
  if (!value.startsWith("=?base64?")) return value;
  const [, base64] = WRAPPED.exec(value) ?? [];
  if (base64 === undefined) return undefined;
  const text = Buffer.from(base64, "base64").toString("utf8");
  return Buffer.from(text).toString("base64") === base64 ? text : undefined;
}

/** The fields that go on with a message. */
export function fieldsOf(head: McpHead, sessionId: string | undefined): RawHeaders {
  const field = (name: string, value: string | undefined) =>
    value === undefined ? [] : [name, value];
  return [
    ...field("MCP-Protocol-Version", head.version),
    ...field("Mcp-Session-Id", sessionId),
    ...field("Mcp-Method", head.method),
    ...field("Mcp-Name", head.name),
    ...head.mirrored.flat(),
  ];
}

function flaw(status: number, rule: string, why: string): Flaw {
  return { status, rule, why };
}
