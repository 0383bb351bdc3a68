/**
 * The control server: the endpoint table over a Unix socket that only its owner may speak to.
 *
 * @module
 */
import { chmodSync, rmSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { Socket } from "node:net";
import { describeError, Fault, isFault, type Log } from "../base/index.ts";
import {
  ENDPOINTS,
  IDENTITY_HEADER,
  TRANSFERS,
  type EndpointName,
  type FileRead,
  type FileWrite,
  type Gives,
  type Takes,
} from "../api/index.ts";
import { peerCredentials } from "../sys/index.ts";

// Taken, not imported: an import reads every export, and one of them loads all of Node's own undici (0371).
const { createServer } = process.getBuiltinModule("node:http");

const REQUEST_BYTES_MAX = 4 << 20; // A task file is at most 256 KiB; the rest is generous.

/** What answers an endpoint; a streaming one yields its lines. */
export type Handlers = {
  readonly [Name in EndpointName]: (typeof ENDPOINTS)[Name]["streams"] extends true
    ? (
        request: Takes<Name>,
        caller: Caller,
      ) => AsyncIterable<Gives<Name>> | Promise<AsyncIterable<Gives<Name>>>
    : (request: Takes<Name>, caller: Caller) => Promise<Gives<Name> | ReadyAnswer<Name>>;
};

/** Who asks, and until when. */
export interface Caller {
  readonly uid: number;
  /** Whom the caller's process says that it asks for: `oidc:SUBJECT@HOST`. A claim. */
  readonly claims?: string;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
}

/** An answer that is JSON already: a large one is made in a thread, or piece by piece, where it stalls nobody. */
export class ReadyAnswer<Name extends EndpointName> {
  readonly pieces: Iterable<Uint8Array>;
  declare readonly of: Name;

  constructor(pieces: Iterable<Uint8Array>) {
    this.pieces = pieces;
  }
}

/** What moves bytes (TRANSFERS). */
export interface TransferHandlers {
  /** `gone` is aborted when the caller is. */
  read(request: FileRead, gone: AbortSignal): AsyncIterable<Buffer>;
  write(
    request: FileWrite,
    content: AsyncIterable<Uint8Array>,
    gone: AbortSignal,
  ): Promise<unknown>;
}

/** What takes a connection over, by the path it asked for. */
export interface StreamHandlers {
  /** Finds the run to attach to, or throws. */
  attach(run: string): (stream: Duplex) => void;
  run(stream: Duplex): void;
}

const STATUS: Readonly<Record<string, number>> = {
  "daemon.no_such_run": 404,
  "daemon.no_such_endpoint": 404,
  "daemon.state": 409,
  "daemon.peer": 403,
};

/**
 * Listens on `path`, replacing a socket that nobody answers: the caller holds the ledger's lock, so no
 * other daemon of this home can be alive.
 */
export async function serveControl(
  path: string,
  handlers: Handlers,
  streams: StreamHandlers & { readonly transfers: TransferHandlers },
  log: Log,
): Promise<Server> {
  const server = createServer((request, response) => {
    const serve = async () => {
      const path = pathOf(request);
      await (path.pathname === "/v1/file.read" || path.pathname === "/v1/file.write"
        ? transfer(request, response, streams.transfers, path)
        : answer(request, response, handlers));
    };
    serve().catch((error: unknown) => {
      log.warn("control.failed", { error: describeError(error) });
      refuse(response, error);
    });
  });
  server.on("upgrade", (request, stream, head) => {
    // The server listens no more; a caller that is gone already must not end the daemon and its runs.
    stream.on("error", () => stream.destroy());
    try {
      admit(request);
      const take = takerOf(pathOf(request), streams);
      stream.write(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: cofferdam\r\n\r\n",
      );
      if (head.length > 0) stream.unshift(head);
      take(stream);
    } catch (error) {
      const body = JSON.stringify(faultOf(error));
      stream.end(
        `HTTP/1.1 400 Bad Request\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    }
  });
  rmSync(path, { force: true });
  const mask = process.umask(0o177); // Born 0600: there is no moment in which another user may connect.
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  }).finally(() => process.umask(mask));
  chmodSync(path, 0o600);
  return server;
}

/** @throws {Fault} `daemon.no_such_endpoint` for what is no path: `//` would name a host. */
function pathOf({ url = "" }: IncomingMessage): URL {
  const path = URL.parse(url, "http://control");
  if (path !== null) return path;
  throw new Fault("daemon.no_such_endpoint", `${JSON.stringify(url)} is no path`);
}

function takerOf(url: URL, streams: StreamHandlers): (stream: Duplex) => void {
  if (url.pathname === "/v1/attach") return streams.attach(url.searchParams.get("run") ?? "");
  if (url.pathname === "/v1/run") return (stream) => streams.run(stream);
  throw new Fault("daemon.no_such_endpoint", `${url.pathname} is no stream`);
}

/** Only the daemon's own user (and root, who could do anything anyway) may speak to it; tells who it is. */
function admit(request: IncomingMessage): number {
  const { socket } = request;
  if (!(socket instanceof Socket)) throw new Fault("daemon.peer", "not a socket");
  const { uid } = peerCredentials(socket);
  if (uid !== process.getuid?.() && uid !== 0) {
    throw new Fault("daemon.peer", `user ${uid} may not control this Cofferdam`);
  }
  return uid;
}

/** Only what nobody else vouches for: a chat's user is who the chat says, and a passkey proves itself. */
const CLAIM = /^oidc:[!-~]{1,600}$/;

/** @throws {Fault} `daemon.identity` where it is of another form. */
function claimOf({ headers }: IncomingMessage): string | undefined {
  const claim = headers[IDENTITY_HEADER];
  if (claim === undefined) return undefined;
  if (typeof claim === "string" && CLAIM.test(claim)) return claim;
  throw new Fault(
    "daemon.identity",
    `${JSON.stringify(claim)} is nobody whom a process may speak for`,
  );
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: Handlers,
): Promise<void> {
  const uid = admit(request);
  const name = new URL(request.url ?? "", "http://control").pathname.replace(/^\/v1\//, "");
  if (request.method !== "POST" || !isEndpoint(name)) {
    throw new Fault("daemon.no_such_endpoint", `${request.method} ${request.url} is no endpoint`);
  }
  const parsed = ENDPOINTS[name].takes.safeParse(await readJson(request));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Fault("daemon.request", `${name}: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  // The table ties each name to its types; the compiler cannot follow that through a variable name.
  const handle = handlers[name] as (take: unknown, caller: Caller) => unknown;
  const claims = claimOf(request);
  const caller: Caller = { uid, signal: gone.signal, ...(claims === undefined ? {} : { claims }) };
  const result = handle(parsed.data, caller);
  if (ENDPOINTS[name].streams) {
    const lines = (await result) as AsyncIterable<unknown>;
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.flushHeaders();
    for await (const line of lines) {
      if (gone.signal.aborted) break;
      if (!response.write(`${JSON.stringify(line)}\n`)) await drained(response, gone.signal);
    }
    response.end();
    return;
  }
  const answered = await result;
  const pieces =
    answered instanceof ReadyAnswer ? answered.pieces : [Buffer.from(JSON.stringify(answered))];
  response.writeHead(200, { "content-type": "application/json" });
  for (const piece of pieces) {
    if (gone.signal.aborted) break;
    if (!response.write(piece)) await drained(response, gone.signal);
  }
  response.end();
}

/** Bytes of any length, in as much memory as a pipe holds. */
async function transfer(
  request: IncomingMessage,
  response: ServerResponse,
  { read, write }: TransferHandlers,
  { pathname, searchParams }: URL,
): Promise<void> {
  admit(request);
  if (request.method !== "POST") {
    throw new Fault("daemon.no_such_endpoint", `${request.method} ${request.url} is no endpoint`);
  }
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  if (pathname === "/v1/file.write") {
    const said = taken("file.write", parseJson(searchParams.get("request") ?? ""));
    const content = request as AsyncIterable<Uint8Array>;
    const written = await write(said as FileWrite, content, gone.signal);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(written));
    return;
  }
  const pieces = read(taken("file.read", await readJson(request)) as FileRead, gone.signal);
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    // Its first bytes, or its end, before an answer: what cannot be read is refused with the reason.
    for (let next = await iterator.next(); ; next = await iterator.next()) {
      if (!response.headersSent)
        response.writeHead(200, { "content-type": "application/octet-stream" });
      if (next.done === true || gone.signal.aborted) break;
      if (!response.write(next.value)) await drained(response, gone.signal);
    }
    response.end();
  } finally {
    await iterator.return?.(undefined);
  }
}

function taken(name: keyof typeof TRANSFERS, said: unknown): unknown {
  const parsed = TRANSFERS[name].takes.safeParse(said);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Fault("daemon.request", `${name}: ${issue?.path.join(".")}: ${issue?.message}`);
}

function isEndpoint(name: string): name is EndpointName {
  return Object.hasOwn(ENDPOINTS, name);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) throw new Fault("daemon.request", "not bytes");
    size += chunk.length;
    if (size > REQUEST_BYTES_MAX) {
      throw new Fault("daemon.request", "a request above 4 MiB", {
        hint: "give a command long input as a file of the run, or in pieces (`interactive`)",
      });
    }
    chunks.push(chunk);
  }
  return parseJson(Buffer.concat(chunks).toString("utf8"));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new Fault("daemon.request", "the request is not JSON", { cause });
  }
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    response.once("drain", resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** A failure as it crosses the socket. */
export function faultOf(error: unknown): { code: string; message: string; hint?: string } {
  if (!isFault(error)) return { code: "daemon.internal", message: describeError(error) };
  const { code, message, hint } = error;
  return hint === undefined ? { code, message } : { code, message, hint };
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const fault = faultOf(error);
  const body = JSON.stringify(fault);
  response.writeHead(STATUS[fault.code] ?? 400, { "content-type": "application/json" }).end(body);
}
