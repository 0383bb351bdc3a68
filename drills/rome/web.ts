/**
 * The ordinary web service of the granted host: a page, a JSON-RPC node and an MCP server.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";

/** Longest body read, in bytes. */
const BODY_BYTES_MAX = 1 << 16;

const rpcSchema = z.object({ id: z.number(), method: z.string() });

/** Answers `GET /status`, `POST /rpc` (eth_blockNumber) and `POST /mcp` (tools/call). */
export function answerWeb(request: IncomingMessage, response: ServerResponse): void {
  const reply = (status: number, value: object) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(`${JSON.stringify(value)}\n`);
  };
  if (request.method === "GET" && request.url === "/status") {
    reply(200, { status: "ok", service: "api" });
    return;
  }
  if (request.method !== "POST") {
    reply(404, { error: "no such page" });
    return;
  }
  let body = "";
  request.setEncoding("utf8").on("data", (text: string) => {
    body += text;
    if (body.length > BODY_BYTES_MAX) request.destroy();
  });
  request.on("end", () => reply(...answerRpc(request.url ?? "", body)));
}

function answerRpc(path: string, body: string): [number, object] {
  const result = { "/rpc": "0x1499a5f", "/mcp": { content: [{ type: "text", text: "sunny" }] } };
  const expected = { "/rpc": "eth_blockNumber", "/mcp": "tools/call" };
  if (path !== "/rpc" && path !== "/mcp") return [404, { error: "no such endpoint" }];
  const { id, method } = rpcSchema.parse(JSON.parse(body));
  if (method !== expected[path]) return [400, { jsonrpc: "2.0", id, error: { code: -32601 } }];
  return [200, { jsonrpc: "2.0", id, result: result[path] }];
}
