/**
 * Runs inside a server's own cofferdam: gives an MCP server over standard input and output a place at which it can
 * be reached, by streamable HTTP on the run's own loopback. It stands on the server's side of the wall and is
 * believed no more than the server (docs/decisions/0299); so it imports nothing of ours, and checks only what it
 * needs to go on itself.
 *
 *     node mcp-bridge.ts PORT COMMAND ARGUMENT...
 *
 * Each session (2025-11-25) is a process of its own; what is said without one (2026-07-28) shares one process.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

// Taken, not imported: an import reads every export, and one of them loads all of Node's own undici (0371).
const { createServer } = process.getBuiltinModule("node:http");

const BODY_BYTES_MAX = 8 << 20;
const LINE_CHARS_MAX = 16 << 20;
const SERVERS_MAX = 8; // The one longest unused makes room.
const KEPT_MAX = 64; // Messages of a server that nobody listens to yet.

type Id = string | number;
interface Message {
  jsonrpc: "2.0";
  id?: Id | null;
  method?: string;
  params?: { _meta?: { progressToken?: Id }; progressToken?: Id; requestId?: Id };
  result?: unknown;
  error?: unknown;
}

/** A question that a server has not answered yet. */
interface Open {
  readonly id: Id;
  readonly token: Id | undefined;
  readonly response: ServerResponse;
}

const [port = "", command = "", ...rest] = process.argv.slice(2);

/** One process of the server. */
class Server {
  readonly #child: ChildProcess;
  readonly #open = new Map<number, Open>();
  #listener: ServerResponse | undefined;
  #kept: Message[] = [];
  #count = 0;
  #line = "";
  isOver = false;

  constructor() {
    this.#child = spawn(command, rest, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.on("error", (error) => this.#end(`${command} cannot be started: ${error.message}`));
    this.#child.on("exit", (code, signal) => this.#end(`the server ended (${code ?? signal})`));
    this.#child.stdin?.on("error", () => {});
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#take(text));
  }

  #end(why: string): void {
    this.isOver = true;
    for (const { id, response } of this.#open.values()) {
      finish(response, { jsonrpc: "2.0", id, error: { code: -32603, message: why } });
    }
    this.#open.clear();
    this.#listener?.end();
  }

  kill(): void {
    this.#child.kill();
  }

  #take(text: string): void {
    this.#line += text;
    for (;;) {
      const end = this.#line.indexOf("\n");
      if (end < 0) break;
      const line = this.#line.slice(0, end).trim();
      this.#line = this.#line.slice(end + 1);
      if (line !== "") this.#hear(line);
    }
    if (this.#line.length > LINE_CHARS_MAX) this.kill();
  }

  #hear(line: string): void {
    let message: Message;
    try {
      message = JSON.parse(line) as Message;
    } catch {
      process.stderr.write(`mcp-bridge: not JSON: ${line.slice(0, 200)}\n`);
      return;
    }
    if (message.method === undefined && typeof message.id === "number") {
      const open = this.#open.get(message.id);
      if (open === undefined) return;
      this.#open.delete(message.id);
      finish(open.response, { ...message, id: open.id });
      return;
    }
    const token = message.params?.progressToken;
    const about = typeof token === "number" ? this.#open.get(token) : undefined;
    if (about?.token !== undefined) {
      tell(about.response, {
        ...message,
        params: { ...message.params, progressToken: about.token },
      });
      return;
    }
    // What the server says by itself goes where somebody listens, else with the latest question.
    const response = this.#listener ?? [...this.#open.values()].at(-1)?.response;
    if (response !== undefined) tell(response, message);
    else if (this.#kept.length < KEPT_MAX) this.#kept.push(message);
  }

  listen(response: ServerResponse): void {
    this.#listener?.end();
    this.#listener = response;
    begin(response);
    response.once("close", () => {
      if (this.#listener === response) this.#listener = undefined;
    });
    for (const message of this.#kept.splice(0)) tell(response, message);
  }

  say(message: Message, response: ServerResponse): void {
    if (message.method === undefined || message.id === undefined || message.id === null) {
      const about = message.params?.requestId;
      const open = [...this.#open].find(([, { id }]) => id === about);
      const isCancelling = message.method === "notifications/cancelled" && open !== undefined;
      this.#write(
        isCancelling ? { ...message, params: { ...message.params, requestId: open[0] } } : message,
      );
      response.writeHead(202, { "content-length": "0" }).end();
      return;
    }
    this.#count += 1;
    const { id, params } = message;
    const token = params?._meta?.progressToken;
    this.#open.set(this.#count, { id, token, response });
    const meta =
      token === undefined ? {} : { _meta: { ...params?._meta, progressToken: this.#count } };
    const sent = params === undefined ? {} : { params: { ...params, ...meta } };
    begin(response);
    this.#write({ ...message, id: this.#count, ...sent });
  }

  #write(message: Message): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }
}

function begin(response: ServerResponse): void {
  if (response.headersSent) return;
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.flushHeaders();
}

function tell(response: ServerResponse, message: Message): void {
  response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
}

function finish(response: ServerResponse, message: Message): void {
  tell(response, message);
  response.end();
}

const servers = new Map<string, Server>();
const LOOSE = "";

function serverOf(id: string): Server | undefined {
  const known = servers.get(id);
  if (known === undefined || known.isOver) return undefined;
  servers.delete(id);
  servers.set(id, known);
  return known;
}

function startServer(id: string): Server {
  for (const [oldest, server] of servers) {
    if (servers.size < SERVERS_MAX) break;
    server.kill();
    servers.delete(oldest);
  }
  const server = new Server();
  servers.set(id, server);
  return server;
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const session = request.headers["mcp-session-id"];
  const id = typeof session === "string" ? session : LOOSE;
  const none = () => void response.writeHead(404, { "content-length": "0" }).end();
  if (request.method === "GET" || request.method === "DELETE") {
    const server = serverOf(id);
    if (server === undefined || id === LOOSE) return none();
    if (request.method === "GET") return server.listen(response);
    server.kill();
    servers.delete(id);
    response.writeHead(200, { "content-length": "0" }).end();
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return void response.writeHead(413).end();
    chunks.push(chunk);
  }
  const message = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Message;
  if (message.method === "initialize") {
    const begun = randomUUID();
    response.setHeader("mcp-session-id", begun);
    return startServer(begun).say(message, response);
  }
  const server = serverOf(id) ?? (id === LOOSE ? startServer(LOOSE) : undefined);
  if (server === undefined) return none();
  server.say(message, response);
}

const http = createServer((request, response) => {
  serve(request, response).catch(() => {
    if (!response.headersSent) response.writeHead(400);
    response.end();
  });
});
http.requestTimeout = 0;
http.listen(Number(port), "127.0.0.1");
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    for (const server of servers.values()) server.kill();
    process.exit(0);
  });
}
