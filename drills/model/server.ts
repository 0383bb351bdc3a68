/**
 * A model that says what a script says: an HTTPS server that speaks the model APIs which agents use, so
 * that a real agent does real work with no model behind it.
 *
 * The place in the script is read off the conversation itself (as many turns as it has in which tools
 * were called), so a retried or repeated request gets the same answer. What answers is a mind: a script, or
 * whatever the model reads. A question that offers none of its tools is an aside (a title, a topic, a check
 * of the key) and gets a few words.
 *
 * @module
 */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { createTestCertificate } from "../world/index.ts";
import { anthropic } from "./anthropic.ts";
import { TOKENS, type Ask, type Dialect, type Reply, type Turn } from "./dialect.ts";
import { google } from "./google.ts";
import { scripted, textsIn, type Mind } from "./mind.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiResponses } from "./openai-responses.ts";
import { sampleOf } from "./sample.ts";

/** Longest body read, in bytes: agents send tens of kilobytes of instructions. */
const BODY_BYTES_MAX = 16 << 20;
const ASIDE = "Scripted work";
const AFTER_THE_END = "Done.";

export const DIALECTS: readonly Dialect[] = [anthropic, openaiResponses, openaiChat, google];

/** A request that the server got, in order. */
export interface Asked extends Partial<Ask> {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
  readonly dialect?: Dialect["name"];
  /** Whether it was no part of the script's conversation. */
  readonly aside?: boolean;
  readonly authorization?: string;
}

export interface ModelServerOptions {
  readonly script: readonly Turn[];
  /** Names that its certificate is for. */
  readonly hosts: readonly string[];
}

export interface ModelServer {
  readonly port: number;
  /** PEM of the authority that vouches for it. */
  readonly ca: string;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

/** The model APIs, for a server of whoever asks. */
export interface Model {
  readonly asked: readonly Asked[];
  handle(request: IncomingMessage, response: ServerResponse): void;
}

/** A model with that mind. */
export function createModel(mind: Mind): Model {
  const asked: Asked[] = [];
  return {
    asked,
    handle(request, response) {
      answer(request, response, mind, asked).catch((error: unknown) => {
        note(asked, request, { status: 400 });
        if (response.headersSent) response.destroy();
        else
          sendJson(response, 400, {
            error: { type: "invalid_request_error", message: String(error) },
          });
      });
    },
  };
}

/** Starts a server on loopback, on a port of its own. */
export async function startModelServer(options: ModelServerOptions): Promise<ModelServer> {
  const { ca, certificate, key } = createTestCertificate(options.hosts);
  const { asked, handle } = createModel(scripted(options.script));
  const server = createServer({ cert: certificate, key }, handle);
  server.on("tlsClientError", () => {}); // A client that distrusts us resets the connection.
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    ca,
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  mind: Mind,
  asked: Asked[],
): Promise<void> {
  const { pathname: path } = new URL(request.url ?? "/", "https://model.invalid");
  const bytes = await readBody(request);
  if (request.method !== "POST") {
    answerGet(request, response, path, asked);
    return;
  }
  if (/[/:]count_?tokens$/i.test(path)) {
    note(asked, request, { status: 200 });
    sendJson(response, 200, { input_tokens: TOKENS.input, totalTokens: TOKENS.input });
    return;
  }
  const dialect = DIALECTS.find((one) => one.matches(path));
  if (dialect === undefined) {
    notFound(request, response, asked);
    return;
  }
  const body: unknown = JSON.parse(bytes.toString("utf8"));
  const ask = dialect.read(path, body);
  const aside = mind.isAside(ask.tools);
  const id = `cofferdam${asked.length}`;
  note(asked, request, { status: 200, dialect: dialect.name, aside, ...ask });
  const turn = aside ? asideTo(ask) : mind.answer({ ...ask, texts: textsIn(body) });
  write(response, dialect, ask, toReply(id, ask, turn));
}

function asideTo({ schema }: Ask): Turn {
  return { text: schema === undefined ? ASIDE : JSON.stringify(sampleOf(schema)) };
}

function toReply(id: string, { model }: Ask, turn: Turn = { text: AFTER_THE_END }): Reply {
  const calls = (turn.calls ?? []).map((call, n) => ({ ...call, id: `${id}x${n}` }));
  return { id, model, text: turn.text ?? "", calls };
}

function write(response: ServerResponse, dialect: Dialect, ask: Ask, reply: Reply): void {
  if (!ask.stream) {
    sendJson(response, 200, dialect.whole(reply));
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  for (const { event, data } of dialect.events(reply)) {
    if (event !== undefined) response.write(`event: ${event}\n`);
    response.write(`data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`);
  }
  response.end();
}

/** Lists of models are empty: agents then use the names they were given. Claude Code asks for a hello first. */
function answerGet(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  asked: Asked[],
): void {
  if (path.endsWith("/hello")) {
    note(asked, request, { status: 200 });
    sendJson(response, 200, { message: "hello" });
    return;
  }
  if (!path.endsWith("/models")) {
    notFound(request, response, asked);
    return;
  }
  note(asked, request, { status: 200 });
  sendJson(response, 200, { object: "list", data: [], models: [], has_more: false });
}

/** A WebSocket is told that there is none, so that who asks for one goes on without at once. */
function notFound(request: IncomingMessage, response: ServerResponse, asked: Asked[]): void {
  const status = request.headers.upgrade === undefined ? 404 : 426;
  note(asked, request, { status });
  sendJson(response, status, { error: { type: "not_found_error", message: "not in the script" } });
}

function note(
  asked: Asked[],
  { method = "", url = "", headers }: IncomingMessage,
  about: Omit<Asked, "method" | "path">,
): void {
  const key = headers.authorization ?? headers["x-api-key"] ?? headers["x-goog-api-key"];
  const authorization = z.string().safeParse(key);
  asked.push({
    method,
    path: url,
    ...(authorization.success && { authorization: authorization.data }),
    ...about,
  });
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) throw new Error(`more than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
