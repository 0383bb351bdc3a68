/**
 * The console's HTTP server: its own pages, `POST /api/NAME` for the control contract, one stream of events, and signing
 * in. On loopback alone, under the one name that its pages have.
 *
 * @module
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { describeError, Fault, isFault, type Log } from "../base/index.ts";
import type { Assets } from "./assets.ts";
import { ask } from "./ask.ts";
import type { Asker, ConsoleDesk, ConsoleHandlers } from "./desk.ts";
import {
  cookiesOf,
  credentialsOf,
  guard,
  keyHashOf,
  securityHeaders,
  sessionCookie,
  SIGN_IN_WAYS,
  type Session,
  type SignInWay,
} from "./session/index.ts";
import { streamEvents } from "./stream.ts";

// Taken, not imported: an import reads every export, and one of them loads all of Node's own undici (0371).
const { createServer } = process.getBuiltinModule("node:http");

/** As much as the daemon takes. */
const REQUEST_BYTES_MAX = 4 << 20;
/**
 * As many cookies as a browser keeps for a host, 180 of 4 KiB: a page that a run serves at another port may set them all,
 * and nobody could even sign in any more where those were too many.
 */
const HEADERS_BYTES_MAX = 1 << 20;
/** Of a request by which somebody signs in: no more is known of who sends it. */
const SIGN_IN_BYTES_MAX = 64 << 10;
/** Whoever sends slower is not waited for. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;
const CONNECTIONS_MAX = 512;

const STATUS: Readonly<Record<string, number>> = {
  "console.session": 401,
  "console.link": 401,
  "console.passkey": 401,
  "console.no_provider": 404,
  "console.provider": 502,
  "console.origin": 403,
  "console.role": 403,
  "console.busy": 429,
  "console.unannounced": 503,
  "console.no_such_session": 404,
  "console.no_such_endpoint": 404,
  "console.not_found": 404,
  "console.no_such_entry": 404,
  "console.record_busy": 503,
  "console.no_such_task": 404,
  "console.task_changed": 409,
  "console.record_behind": 409,
  "daemon.no_such_run": 404,
  "daemon.state": 409,
};

export interface ConsoleParts {
  readonly desk: ConsoleDesk;
  readonly handlers: ConsoleHandlers;
  readonly assets: Assets;
  readonly log: Log;
  /** Known once it listens. */
  origin(): URL;
  /** Whether the daemon keeps runs away now; else nothing is answered. */
  isAnnounced(): boolean;
}

export function createConsoleServer(parts: ConsoleParts): Server {
  const options = {
    maxHeaderSize: HEADERS_BYTES_MAX,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: 1000,
    insecureHTTPParser: false,
  };
  const server = createServer(options, (request, response) => {
    serve(parts, request, response).catch((error: unknown) => {
      if (!isFault(error)) parts.log.warn("console.failed", { error: describeError(error) });
      refuse(response, error);
    });
  });
  server.on("upgrade", (_, stream) => stream.destroy()); // Nothing here is a WebSocket.
  server.on("connect", (_, stream) => stream.destroy()); // Nor a proxy.
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

async function serve(
  parts: ConsoleParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  for (const [name, value] of Object.entries(securityHeaders())) response.setHeader(name, value);
  const { method = "", url: target = "", httpVersion, headers, rawHeaders } = request;
  guard({ method, target, httpVersion, headers, rawHeaders }, parts.origin());
  if (!parts.isAnnounced()) {
    throw new Fault(
      "console.unannounced",
      "no daemon answers, so nobody keeps runs from this console",
      {
        hint: "`cofferdam serve` starts it; this page then goes on",
      },
    );
  }
  const { pathname, searchParams } = new URL(target, parts.origin());
  const way = SIGN_IN_WAYS.get(`${method} ${pathname}`);
  if (way !== undefined) {
    await signIn(parts, way, request, response);
  } else if (method === "POST" && pathname.startsWith("/api/")) {
    await answer(parts, pathname.slice("/api/".length), request, response);
  } else if (method === "GET" && pathname === "/api/stream") {
    const asker = askerOf(parts, request, response);
    const leave = enter(parts, asker, response);
    await streamEvents(parts.desk, asker, searchParams, response).finally(leave);
  } else if (method === "GET" || method === "HEAD") {
    sendAsset(parts.assets, pathname, request, response);
  } else {
    throw new Fault("console.not_found", `${method} ${pathname} is nothing here`);
  }
}

async function signIn(
  { desk, origin, log }: ConsoleParts,
  way: SignInWay,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const {
    who,
    redirect,
    gives,
    cookies = [],
    keyHash,
  } = await way({
    desk,
    log,
    origin: origin(),
    body: request.method === "POST" ? await readJson(request, SIGN_IN_BYTES_MAX) : undefined,
    search: new URL(request.url ?? "", origin()).searchParams,
    cookie: (name) => cookiesOf(request.headers.cookie, name)[0],
  });
  const lines = [...cookies];
  if (who !== undefined) {
    // Who signs in anew leaves no session behind.
    const { tokens, key } = credentialsOf(origin(), request.headers);
    for (const before of tokens) desk.sessions.endToken(before);
    const owner = keyHash ?? (key === undefined ? undefined : keyHashOf(key));
    if (owner === undefined)
      throw new Fault("console.request", "who signs in names the page's key");
    const token = desk.sessions.begin(who, owner, request.headers["user-agent"]);
    lines.push(sessionCookie(origin(), token));
  }
  if (lines.length > 0) response.setHeader("set-cookie", lines);
  if (redirect === undefined) sendJson(response, 200, gives ?? {});
  else response.writeHead(303, { location: redirect }).end();
}

/** @throws {Fault} `console.session` where nobody is signed in. */
function askerOf(
  { desk, origin }: ConsoleParts,
  request: IncomingMessage,
  response: ServerResponse,
): Asker {
  const session = sessionOf({ desk, origin }, request);
  if (session === undefined) {
    throw new Fault("console.session", "nobody is signed in, or the session is over", {
      hint: "`cofferdam console --link` prints a link that signs in",
    });
  }
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const { person, identity, roles, id } = session;
  const signal = AbortSignal.any([gone.signal, session.signal]);
  return { person, identity, roles, session: id, signal };
}

function sessionOf(
  { desk, origin }: Pick<ConsoleParts, "desk" | "origin">,
  request: IncomingMessage,
): Session | undefined {
  const { tokens, key } = credentialsOf(origin(), request.headers);
  if (key === undefined) return undefined;
  for (const token of tokens) {
    const session = desk.sessions.of(token, key);
    if (session !== undefined) return session;
  }
  return undefined;
}

async function answer(
  parts: ConsoleParts,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asker = askerOf(parts, request, response);
  const read = async () => readJson(request, REQUEST_BYTES_MAX);
  const settled = parts.desk.sessions.enter(asker.session, "question");
  const answered = await ask(parts, name, read, asker).finally(settled);
  if (!answered.streams) {
    if (name === "session.end") response.setHeader("set-cookie", sessionCookie(parts.origin(), ""));
    else parts.desk.sessions.require(asker.session); // What took long is not told to who may not ask any more.
    sendJson(response, 200, answered.value);
    return;
  }
  const leave = enter(parts, asker, response);
  await sendLines(answered.values, asker, response).finally(leave);
}

/** An answer that comes piece by piece is cut in the middle when its session is over: what was not sent is not sent. */
function enter({ desk }: ConsoleParts, asker: Asker, response: ServerResponse): () => void {
  const leave = desk.sessions.enter(asker.session);
  const cut = () => response.destroy();
  asker.signal.addEventListener("abort", cut, { once: true });
  return () => {
    asker.signal.removeEventListener("abort", cut);
    leave();
  };
}

async function sendLines(
  values: AsyncIterable<unknown>,
  asker: Asker,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.flushHeaders();
  try {
    for await (const line of values) {
      if (asker.signal.aborted) break;
      if (!response.write(`${JSON.stringify(line)}\n`)) await drained(response, asker.signal);
    }
  } catch (error) {
    // The status is sent: what went wrong is said in a last line, which is no value of the stream.
    if (!isFault(error)) throw error;
    response.write(`${JSON.stringify({ fault: refusalOf(error) })}\n`);
  }
  response.end();
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    response.once("drain", resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function sendAsset(
  assets: Assets,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  // Every path without a dot is a screen, and the page knows it.
  const asset = assets.get(path) ?? (path.includes(".") ? undefined : assets.get("/"));
  if (asset === undefined) throw new Fault("console.not_found", `${path} is nothing here`);
  const { type, bytes, gzip, isImmutable } = asset;
  const isPacked = gzip !== undefined && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
  const body = isPacked ? gzip : bytes;
  response.writeHead(200, {
    "content-type": type,
    "content-length": body.length,
    ...(isPacked ? { "content-encoding": "gzip", vary: "accept-encoding" } : {}),
    ...(isImmutable ? { "cache-control": "private, max-age=31536000, immutable" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function readJson(request: IncomingMessage, bytesMax: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) throw new Fault("console.request", "not bytes");
    size += chunk.length;
    if (size > bytesMax) throw new Fault("console.request", `a request above ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch (cause) {
    throw new Fault("console.request", "the request is not JSON", { cause });
  }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // Of a request that was not read to its end, nothing that follows is heard.
  if (!response.req.complete) response.setHeader("connection", "close");
  if (!isFault(error)) {
    sendJson(response, 500, { code: "console.internal", message: describeError(error) });
    return;
  }
  sendJson(response, STATUS[error.code] ?? 400, refusalOf(error));
}

function refusalOf({ code, message, hint }: Fault) {
  return hint === undefined ? { code, message } : { code, message, hint };
}
