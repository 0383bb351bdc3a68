/**
 * Cofferdam's own service, as every run can reach it at `http://cofferdam.internal`.
 *
 * It is a system like any other: the run's connection is brokered, each request is an action, judged and on
 * record, and arrives here over a socket pair that stands for that one run (INV-69).
 *
 * @module
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { createMcpHandler, type McpHttpHandler } from "@modelcontextprotocol/server";
import { z } from "zod";
import { OWN_HOST } from "../action/index.ts";
import { describeError, Fault, type Log } from "../base/index.ts";
import { createSocketPair } from "../sys/index.ts";
import { claimOfHook, claimsOfSpans, type Claim } from "./claims.ts";
import type { Enquiries } from "./enquiries.ts";
import { ACCESS_CHARS_MAX, createTools, explainDenial, waitingLine } from "./tools.ts";

// Taken, not imported: an import reads every export, and one of them loads all of Node's own undici (0371).
const { createServer } = process.getBuiltinModule("node:http");

/** Longest body that is read, in bytes. */
export const BODY_BYTES_MAX = 65_536;
/** Connections that one run has at once. */
export const CONNECTIONS_MAX = 16;
const IDLE_MS = 60_000;

interface Client {
  readonly enquiries: Enquiries;
  readonly mcp: McpHttpHandler;
  readonly sockets: Set<Socket>;
}

export class EnquiryServer {
  readonly #log: Log;
  readonly #version: string;
  readonly #clients = new Map<string, Client>();
  readonly #byServing = new WeakMap<Socket, Client>();
  readonly #server: Server;

  constructor(options: { readonly log: Log; readonly version: string }) {
    this.#log = options.log;
    this.#version = options.version;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.requestTimeout = IDLE_MS;
    this.#server.keepAliveTimeout = IDLE_MS;
    this.#server.maxHeadersCount = 100;
  }

  /** From here on `run` is answered by `enquiries`. */
  add(run: string, enquiries: Enquiries): void {
    const tools = () => createTools(enquiries, this.#version);
    const onerror = (error: Error) =>
      this.#log.info("enquiry.mcp", { run, error: describeError(error) });
    const mcp = createMcpHandler(tools, { onerror });
    this.#clients.set(run, { enquiries, mcp, sockets: new Set() });
  }

  /** The run is over: it is answered nothing more. */
  remove(run: string): void {
    const client = this.#clients.get(run);
    this.#clients.delete(run);
    for (const socket of client?.sockets ?? []) socket.destroy();
    void client?.mcp.close();
  }

  /**
   * A connection of `run`: the end that is handed to its worker.
   *
   * @throws {Fault} `enquiry.run` where it is over; `enquiry.connections` where it has {@link CONNECTIONS_MAX}.
   */
  connect(run: string): Socket {
    const client = this.#clients.get(run);
    if (client === undefined) throw new Fault("enquiry.run", `${run} is over`);
    if (client.sockets.size >= CONNECTIONS_MAX) {
      throw new Fault("enquiry.connections", `${run} has ${CONNECTIONS_MAX} connections here`);
    }
    const [mine, theirs] = createSocketPair("stream");
    const serving = new Socket({ fd: mine, readable: true, writable: true });
    client.sockets.add(serving);
    serving.on("close", () => client.sockets.delete(serving));
    serving.on("error", () => {}); // Ends in its close.
    this.#byServing.set(serving, client);
    this.#server.emit("connection", serving);
    // Not read from: its descriptor is handed on.
    return new Socket(PAUSED(theirs));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const client = this.#byServing.get(request.socket);
      const answer = client === undefined ? undefined : await answerTo(request, client);
      if (answer === undefined) return void response.writeHead(404).end();
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(Buffer.from(await answer.arrayBuffer()));
    } catch (error) {
      this.#log.warn("enquiry.failed", { error: describeError(error) });
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  }
}

/** Of a socket that nobody here reads; `pauseOnCreate` is what Node's own server uses. */
const PAUSED = (fd: number) =>
  ({ fd, readable: true, writable: true, pauseOnCreate: true }) as ConstructorParameters<
    typeof Socket
  >[0];

async function answerTo(request: IncomingMessage, client: Client): Promise<Response | undefined> {
  const { pathname } = new URL(request.url ?? "/", `http://${OWN_HOST}`);
  const body = await readBody(request);
  if (body === undefined) return new Response("too large\n", { status: 413 });
  if (pathname === "/mcp") return client.mcp.fetch(asRequest(request, body));
  if (pathname === "/" && body.length === 0) return new Response(guide(client.enquiries));
  if (pathname === "/tool-calls" && request.method === "POST") return heard(client, hookOf(body));
  if (pathname === "/v1/traces" && request.method === "POST") {
    return heard(client, claimsOfSpans(jsonOf(body)));
  }
  if (pathname === "/access-requests" && request.method === "POST") return agreed(body);
  return undefined;
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function asRequest({ method = "GET", url = "/", headers }: IncomingMessage, body: Buffer): Request {
  const fields = Object.entries(headers).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as [string, string]] : [],
  );
  return new Request(new URL(url, `http://${OWN_HOST}`), {
    method,
    headers: fields,
    ...(body.length === 0 ? {} : { body }),
  });
}

/** For agents that do not speak MCP. */
function guide(enquiries: Enquiries): string {
  const waiting = enquiries.waiting().map(waitingLine);
  return [
    ...enquiries.mayDo(),
    "",
    ...(waiting.length === 0 ? ["Nothing waits for a person."] : waiting),
    "",
    explainDenial(enquiries.denials()),
    "",
    `To have a person asked for more: POST {"what": "...", "why": "..."} as JSON to http://${OWN_HOST}/access-requests`,
    `The same as tools for an agent: an MCP server at http://${OWN_HOST}/mcp (streamable HTTP)`,
    `What a hook of the agent is given about a tool call may be sent on to http://${OWN_HOST}/tool-calls, spans of`,
    `OpenTelemetry to http://${OWN_HOST}/v1/traces (OTLP, JSON): it is recorded as what the agent says.`,
    "",
  ].join("\n");
}

function hookOf(body: Buffer): readonly Claim[] | undefined {
  const claim = claimOfHook(jsonOf(body));
  return claim === undefined ? undefined : [claim];
}

/** Empty, as a hook prints what it is answered, and as OTLP has it (`ExportTraceServiceResponse`). */
function heard({ enquiries }: Client, claims: readonly Claim[] | undefined): Response {
  if (claims === undefined) {
    const error =
      "not understood: /tool-calls takes what a hook of the agent was given, /v1/traces takes OTLP as JSON";
    return Response.json({ error }, { status: 400 });
  }
  enquiries.claimed(claims);
  return Response.json({});
}

const accessSchema = z.strictObject({
  what: z.string().trim().min(1).max(ACCESS_CHARS_MAX),
  why: z.string().trim().min(1).max(ACCESS_CHARS_MAX),
});

/** A request for more comes here when a person agreed to it, and changes nothing even then. */
function agreed(body: Buffer): Response {
  const parsed = accessSchema.safeParse(jsonOf(body));
  if (!parsed.success) {
    const error = `what and why are texts of at most ${ACCESS_CHARS_MAX} characters`;
    return Response.json({ error }, { status: 400 });
  }
  return Response.json({ agreed: true, text: AGREED });
}

/** What a person's yes means. */
export const AGREED =
  "A person agreed. Nothing has changed yet: what this run may do stays as it is, and a person has to start one that may do more.";

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
