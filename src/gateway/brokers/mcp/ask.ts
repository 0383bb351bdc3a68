/**
 * Questions of the broker's own: lists that it looks at before an agent uses what stands in them.
 *
 * @module
 */
import { Fault } from "../../../base/index.ts";
import { isMembers, type Members } from "./terms.ts";
import { hear, isSpoken } from "./screen.ts";
import type { Upstream } from "./upstream.ts";

/** How a question travels. */
export interface Asking {
  readonly target: string;
  readonly version?: string | undefined;
  readonly sessionId?: string | undefined;
  /** `_meta` that says so (2026-07-28); ours where there is none. */
  readonly envelope?: Members;
  /** Fields beside those. */
  readonly mirrored?: readonly string[];
}

let count = 0;

const US = { name: "cofferdam", version: "1" };

/** What a request of `version` says of itself, of ours. */
export function envelopeFor(version: string | undefined): Members {
  if (version === undefined || version < "2026-07-28") return {};
  return {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientInfo": US,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
}

/** What came of a question. */
export type Said = { readonly result: Members } | { readonly error: Members };

/**
 * Asks `method`; what the server asks or tells meanwhile is not heard.
 *
 * @throws {Fault} `gateway.mcp_answer` where no answer comes; `gateway.mcp_session` where the server knows no
 *   such session.
 */
export async function ask(
  upstream: Upstream,
  asking: Asking,
  method: string,
  params: Members,
): Promise<Said & { readonly sessionId: string | undefined; readonly text: string }> {
  count += 1;
  const id = `cofferdam-${count}`;
  const { target, version, sessionId, mirrored = [] } = asking;
  const { progressToken: _, ...given } = asking.envelope ?? {};
  const meta = {
    ...metaOf(params),
    ...(Object.keys(given).length > 0 ? given : envelopeFor(version)),
  };
  const whole = Object.keys(meta).length === 0 ? params : { ...params, _meta: meta };
  const named =
    method === "tools/call" || method === "prompts/get" ? params["name"] : params["uri"];
  const isLate = version !== undefined && version >= "2026-07-28";
  const answer = await upstream.send({
    method: "POST",
    target,
    headers: [
      ...["Content-Type", "application/json", "Accept", "application/json, text/event-stream"],
      ...(version === undefined ? [] : ["MCP-Protocol-Version", version]),
      ...(sessionId === undefined ? [] : ["Mcp-Session-Id", sessionId]),
      ...(isLate ? ["Mcp-Method", method] : []),
      ...(isLate && typeof named === "string" ? ["Mcp-Name", fieldOf(named)] : []),
      ...mirrored,
    ],
    body: Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, method, params: whole })),
  });
  try {
    if (answer.status === 404 && sessionId !== undefined) {
      throw new Fault("gateway.mcp_session", "the server knows no such session");
    }
    for await (const { data } of answer.events()) {
      if (data === undefined || data === "") continue;
      const { message, text } = hear(data, upstream.secrets);
      if (message.kind === "result" && message.id === id) {
        return { result: message.result, sessionId: answer.sessionId, text };
      }
      if (message.kind === "error" && (message.id === id || answer.kind === "json")) {
        return { error: message.error, sessionId: answer.sessionId, text };
      }
    }
  } finally {
    await answer.finish();
  }
  throw new Fault(
    "gateway.mcp_answer",
    `the server answered ${method} with status ${answer.status} and no message`,
  );
}

function wordsOf({ message }: Members): string {
  return typeof message === "string" ? message.slice(0, 200) : "in no words";
}

function metaOf(params: Members): Members {
  const meta = params["_meta"];
  return isMembers(meta) ? meta : {};
}

/** A name as a field can hold it. */
function fieldOf(name: string): string {
  return /^[\x21-\x7e]+$/.test(name) && !name.startsWith("=?")
    ? name
    : `=?base64?${Buffer.from(name).toString("base64")}?=`;
}

/** The result of `method`. @throws {Fault} `gateway.mcp_refused` where the server says no. */
export async function askServer(
  upstream: Upstream,
  asking: Asking,
  method: string,
  params: Members,
): Promise<Members> {
  const said = await ask(upstream, asking, method, params);
  if ("result" in said) return said.result;
  throw new Fault("gateway.mcp_refused", `the server refuses ${method}: ${wordsOf(said.error)}`);
}

/** Begins a session of the broker's own with a server of 2025-11-25 or before. */
export async function openSession(
  upstream: Upstream,
  { target, version = "2025-11-25" }: Asking,
): Promise<Asking> {
  const hello = { protocolVersion: version, capabilities: {}, clientInfo: US };
  const said = await ask(upstream, { target }, "initialize", hello);
  if ("error" in said) {
    throw new Fault("gateway.mcp_refused", `the server refuses a session: ${wordsOf(said.error)}`);
  }
  const agreed = said.result["protocolVersion"];
  if (!isSpoken(agreed)) {
    throw new Fault("gateway.mcp_refused", "the server speaks a version that is not spoken here");
  }
  const asking: Asking = { target, version: agreed, sessionId: said.sessionId };
  const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }));
  const headers = [
    ...["Content-Type", "application/json", "Accept", "application/json, text/event-stream"],
    ...["MCP-Protocol-Version", agreed],
    ...(said.sessionId === undefined ? [] : ["Mcp-Session-Id", said.sessionId]),
  ];
  await (await upstream.send({ method: "POST", target, headers, body })).finish();
  return asking;
}
