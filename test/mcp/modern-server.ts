/**
 * A stateless MCP server of 2026-07-28, by the protocol's own makers, on this machine's loopback.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import {
  acceptedContent,
  createMcpHandler,
  inputRequired,
  McpServer,
} from "@modelcontextprotocol/server";
import { z } from "zod";

export interface ModernServer {
  readonly port: number;
  /** Names of tools that ran to their end, with what they were given. */
  readonly done: string[];
  close(): Promise<void>;
}

export async function startModernServer(): Promise<ModernServer> {
  const done: string[] = [];
  const tools = () => {
    const server = new McpServer({ name: "modern", version: "1" });
    server.registerTool("read_item", { inputSchema: z.object({ id: z.string() }) }, ({ id }) => {
      done.push(`read_item ${id}`);
      return { content: [{ type: "text", text: `item ${id}` }] };
    });
    server.registerTool("drop_item", { inputSchema: z.object({ id: z.string() }) }, ({ id }) => {
      done.push(`drop_item ${id}`);
      return { content: [{ type: "text", text: `dropped ${id}` }] };
    });
    server.registerTool("ask_name", {}, (context) => {
      const name = acceptedContent<{ name: string }>(context.mcpReq.inputResponses, "who");
      if (name === undefined) {
        const requestedSchema = {
          type: "object" as const,
          properties: { name: { type: "string" as const } },
        };
        return inputRequired({
          inputRequests: { who: inputRequired.elicit({ message: "Who?", requestedSchema }) },
        });
      }
      done.push(`ask_name ${name.name}`);
      return { content: [{ type: "text", text: `hello ${name.name}` }] };
    });
    return server;
  };
  const handler = createMcpHandler(tools);
  const server = createServer((request, response) => {
    void (async () => {
      const answer = await handler.fetch(await asRequest(request));
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      if (answer.body !== null) for await (const chunk of answer.body) response.write(chunk);
      response.end();
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    done,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      await handler.close();
    },
  };
}

async function asRequest(request: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as [string, string]] : [],
  );
  const body = Buffer.concat(chunks);
  return new Request(new URL(request.url ?? "/", "http://modern.mcp.internal"), {
    method: request.method ?? "GET",
    headers,
    ...(body.length === 0 ? {} : { body }),
  });
}
