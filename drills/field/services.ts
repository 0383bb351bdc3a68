/**
 * What the field itself has outside, for every agent that a model leads: the model APIs, and an MCP server for each
 * drill. Both stand at one address; which drill's server is meant, the Host field says.
 *
 * @module
 */
import { once } from "node:events";
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import { createMcpHandler, McpServer, type McpHttpHandler } from "@modelcontextprotocol/server";
import { createModel, createObedient, type Told } from "../model/index.ts";
import type { LeadingTool } from "./lead.ts";

/** Names of the model APIs that the agents use. */
export const MODEL_HOSTS: readonly string[] = [
  "api.anthropic.com",
  "platform.claude.com",
  "api.openai.com",
  "generativelanguage.googleapis.com",
];

/** The name of a drill's MCP server. */
export function toolsHost({ id }: { readonly id: string }): string {
  return `${id}.tools.example`;
}

export interface Services {
  /** From here on the MCP server at `host` lists these. */
  offer(host: string, tools: readonly LeadingTool[]): void;
  told(command: string): Told | undefined;
  forget(command: string): void;
}

/** Starts them at `address`, on ports 443 and 80; a careful model does not follow what is injected. */
export async function openServices(of: {
  readonly address: string;
  readonly certificate: string;
  readonly key: string;
  readonly careful: boolean;
}): Promise<Services> {
  const mind = createObedient(of.careful);
  const model = createModel(mind);
  const servers = new Map<string, McpHttpHandler>();
  const tls = createHttps({ cert: of.certificate, key: of.key }, (request, response) =>
    model.handle(request, response),
  );
  tls.on("tlsClientError", () => {}); // A client that distrusts us resets the connection.
  const plain = createHttp((request, response) => {
    const server = servers.get(request.headers.host ?? "");
    if (server === undefined) response.writeHead(404).end();
    else answer(server, request, response).catch(() => response.destroy());
  });
  for (const [server, port] of [[tls, 443] as const, [plain, 80] as const]) {
    server.listen(port, of.address);
    await once(server, "listening");
  }
  return {
    offer(host, tools) {
      void servers.get(host)?.close();
      servers.set(
        host,
        createMcpHandler(() => listing(tools)),
      );
    },
    told: (command) => mind.told(command),
    forget: (command) => mind.forget(command),
  };
}

function listing(tools: readonly LeadingTool[]): McpServer {
  const server = new McpServer({ name: "tools", version: "1" });
  for (const { name, description } of tools) {
    server.registerTool(name, { description }, () => ({
      content: [{ type: "text", text: "done" }],
    }));
  }
  return server;
}

async function answer(
  server: McpHttpHandler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as [string, string]] : [],
  );
  const body = Buffer.concat(chunks);
  const answered = await server.fetch(
    new Request(new URL(request.url ?? "/", `http://${request.headers.host}`), {
      method: request.method ?? "GET",
      headers,
      ...(body.length === 0 ? {} : { body }),
    }),
  );
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  if (answered.body !== null) for await (const chunk of answered.body) response.write(chunk);
  response.end();
}
