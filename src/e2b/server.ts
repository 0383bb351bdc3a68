/**
 * The adapter's HTTP server. One address serves both halves of E2B's surface: the control plane, asked with a key
 * (`X-API-KEY`), and the services inside each sandbox, which requests name by `E2b-Sandbox-Id` and are let into by the
 * sandbox's own token (`X-Access-Token`).
 *
 * No browser is heard: what has an `Origin`, or comes from another site, is refused, and so is every `Host` but the address
 * that the adapter listens at. Nothing here lets a page of another origin read an answer.
 *
 * @module
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { describeError, type Log } from "../base/index.ts";
import type { Client } from "../client/index.ts";
import { answerCall, parseMessage, readBody, type Method } from "./connect.ts";
import { control, type ControlParts } from "./control.ts";
import { bySignature, download, upload } from "./files.ts";
import { filesystemMethods } from "./filesystem.ts";
import type { ApiKeys } from "./keys.ts";
import { requireUser, userOf } from "./paths.ts";
import { processMethods } from "./process.ts";
import { Refusal, refusalOf } from "./refusal.ts";
import type { Sandbox } from "./sandboxes.ts";

// Taken, not imported: an import reads every export, and one of them loads all of Node's own undici (0371).
const { createServer } = process.getBuiltinModule("node:http");

const REQUEST_BYTES_MAX = 1 << 20;
const HEADERS_BYTES_MAX = 32 << 10;
const HEADERS_MS = 10_000;
const CONNECTIONS_MAX = 1024;
/** Plain and decoded once; no dots, and nothing that another reader would take for another path. */
const TARGET = /^\/(?!\/)[\w.~%:@-]*(?:\/[\w.~%:@-]+)*(?:\?[\x21-\x7e]*)?$/;

const SERVICES: Readonly<
  Record<string, (client: Client, sandbox: Sandbox) => Readonly<Record<string, Method>>>
> = { "process.Process": processMethods, "filesystem.Filesystem": filesystemMethods };
/** Paths of the service inside a sandbox that are no calls of the two. */
const INSIDE: ReadonlySet<string> = new Set([
  "/files",
  "/files/compose",
  "/health",
  "/metrics",
  "/envs",
  "/init",
]);

export interface ServerParts extends ControlParts {
  readonly client: Client;
  readonly keys: ApiKeys;
  readonly log: Log;
  /** `127.0.0.1:PORT`: what `Host` must say. */
  readonly host: string;
  /** Whether the daemon keeps runs away now; else nothing is answered. */
  isAnnounced(): boolean;
}

export function createAdapterServer(parts: ServerParts): Server {
  const options = {
    maxHeaderSize: HEADERS_BYTES_MAX,
    headersTimeout: HEADERS_MS,
    requestTimeout: 0, // An upload lasts as long as it lasts; other bodies have their own time.
    connectionsCheckingInterval: 1000,
    insecureHTTPParser: false,
  };
  const server = createServer(options, (request, response) => {
    serve(parts, request, response).catch((error: unknown) => {
      const refusal = refusalOf(error);
      if (refusal.code === "internal") {
        parts.log.warn("e2b.failed", { error: describeError(refusal.cause ?? refusal) });
      }
      sendRefusal(response, refusal.status, refusal.message);
    });
  });
  server.on("upgrade", (_, stream) => stream.destroy());
  server.on("connect", (_, stream) => stream.destroy());
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

async function serve(
  parts: ServerParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader("cache-control", "no-store");
  response.setHeader("cross-origin-resource-policy", "same-origin");
  guard(request, parts.host);
  if (!parts.isAnnounced()) {
    throw new Refusal("unavailable", "no daemon answers, so nobody keeps runs from this adapter");
  }
  const { method = "", url: target = "/" } = request;
  const { pathname, searchParams: query } = new URL(target, `http://${parts.host}`);
  const [, service = "", name = "", ...more] = pathname.split("/");
  if (Object.hasOwn(SERVICES, service)) {
    if (method !== "POST" || more.length > 0) throw new Refusal("not_found", "a call is a POST");
    await call(parts, service, name, request, response);
  } else if (INSIDE.has(pathname) && !isOwnHealth(request, pathname)) {
    await inside(parts, pathname, query, request, response);
  } else if (pathname === "/health") {
    response.writeHead(204).end();
  } else {
    await plane(parts, pathname, query, request, response);
  }
}

/** @throws {Refusal} `permission_denied` where it is not to our address, from a page, or not in plain form. */
function guard({ headers, url = "", httpVersion }: IncomingMessage, host: string): void {
  const site = headers["sec-fetch-site"];
  const why =
    headers.host !== host
      ? `it is for ${JSON.stringify(headers.host)}, and this is ${host}`
      : headers.origin !== undefined || (site !== undefined && site !== "none")
        ? "it comes from a page"
        : httpVersion !== "1.1"
          ? `it is HTTP/${httpVersion}`
          : TARGET.test(url)
            ? undefined
            : "its path is not in plain form";
  if (why !== undefined)
    throw new Refusal("permission_denied", `this request is not heard: ${why}`);
}

/** Whether the adapter itself is asked how it is: the request names no sandbox. */
function isOwnHealth({ headers }: IncomingMessage, pathname: string): boolean {
  return pathname === "/health" && headers["e2b-sandbox-id"] === undefined;
}

/** @throws {Refusal} `unauthenticated` where the token is not that of the sandbox; of one that is not there, in the same words. */
function admit({ sandboxes, keys }: ServerParts, { headers }: IncomingMessage): Sandbox {
  const id = headers["e2b-sandbox-id"];
  const token = headers["x-access-token"];
  const sandbox =
    typeof id === "string" && typeof token === "string" ? sandboxes.byToken(id, token) : undefined;
  if (sandbox === undefined || !keys.has(sandbox.order.key)) {
    throw new Refusal(
      "unauthenticated",
      "E2b-Sandbox-Id and X-Access-Token name no sandbox and its token",
    );
  }
  return sandbox;
}

/** A call of one of the two services inside a sandbox. */
async function call(
  parts: ServerParts,
  service: string,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let leave = () => {};
  const find = () => {
    const sandbox = admit(parts, request);
    requireUser(userOf(request.headers.authorization));
    if (sandbox.isEnded) throw new Refusal("unavailable", `the sandbox ${sandbox.id} has ended`);
    const methods = SERVICES[service]?.(parts.client, sandbox) ?? {};
    const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
    if (method === undefined) {
      throw new Refusal("unimplemented", `${service}/${name.slice(0, 64)} is not supported`);
    }
    leave = sandbox.enter();
    return method;
  };
  await answerCall(find, request, response).finally(() => leave());
}

/** Files and health of a sandbox. */
async function inside(
  parts: ServerParts,
  pathname: string,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { client, sandboxes } = parts;
  const { method = "" } = request;
  const isFile = pathname === "/files" && (method === "GET" || method === "POST");
  const isSigned = isFile && query.has("signature");
  const sandbox = isSigned
    ? bySignature(sandboxes, method, query, Date.now())
    : admit(parts, request);
  if (isSigned && !parts.keys.has(sandbox.order.key)) {
    throw new Refusal("unauthenticated", "no such address");
  }
  const info = await sandboxes.look(sandbox);
  if (info?.state !== "running") {
    // What stands before E2B's sandboxes answers so, and its clients know it by that.
    sendRefusal(
      response,
      502,
      `the sandbox ${sandbox.id} is ${info?.state === "paused" ? "paused" : "over"}`,
    );
    return;
  }
  const leave = sandbox.enter();
  try {
    if (pathname === "/health") response.writeHead(204).end();
    else if (!isFile) throw new Refusal("unimplemented", `${method} ${pathname} is not supported`);
    else if (method === "GET") await download(client, sandbox, query, response);
    else sendJson(response, 200, await upload(client, sandbox, query, request));
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal.code !== "resource_exhausted" || !/: No space left/.test(refusal.message))
      throw error;
    sendRefusal(response, 507, refusal.message);
  } finally {
    leave();
  }
}

async function plane(
  parts: ServerParts,
  pathname: string,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const said = request.headers["x-api-key"];
  const key = typeof said === "string" ? parts.keys.idOf(said) : undefined;
  if (key === undefined)
    throw new Refusal("unauthenticated", "X-API-KEY is no key of this adapter");
  const segments = pathname.split("/").slice(1).map(decodePart);
  const isVersioned = segments[0] === "v2" || segments[0] === "v3";
  const answer = await control(parts, {
    key,
    method: request.method ?? "",
    path: isVersioned ? segments.slice(1) : segments,
    version: isVersioned ? "v2" : "v1",
    query,
    body: async () => {
      const body = await readBody(request, REQUEST_BYTES_MAX);
      return body.length === 0 ? {} : parseMessage(body);
    },
  });
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (answer.body === undefined) response.writeHead(answer.status).end();
  else sendJson(response, answer.status, answer.body);
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Refusal("invalid_argument", "a path that is not encoded as it should be");
  }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function sendRefusal(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // Of a request that was not read to its end, nothing that follows is heard.
  if (!response.req.complete) response.setHeader("connection", "close");
  sendJson(response, status, { code: status, message });
}
