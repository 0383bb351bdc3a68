/**
 * The agent's connection: HTTP/1.1 requests, one after the other, each to be answered before the next is looked at.
 * Parsing is Node's own (llhttp, strict); what is sent on is written anew, so no framing of the agent's is.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { acceptTls } from "../../tls-front.ts";
import { readOpening } from "../../opening.ts";
import type { Origin } from "../../http-request.ts";
import type { Session } from "../broker.ts";

// Taken, not imported: an import reads every export, and one of them loads all of Node's own undici (0371).
const { createServer } = process.getBuiltinModule("node:http");

const WAITING_MAX = 16; // Requests that are sent ahead on one connection.

/** One request whose head was read. */
export interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly origin: Origin;
}

/** Serves the connection of `session` until it is over. */
export async function serveHttp(
  session: Session,
  answer: (asked: Asked) => Promise<void>,
): Promise<void> {
  const { client, grant, host, port, limits } = session;
  const stream = grant.tls ? await endTls(session) : client;
  if (stream === undefined) return;
  const opening = await readOpening(stream, limits);
  if (opening.kind !== "http") {
    refuseBytes(session, opening.kind === "other" ? opening.detail : opening.kind);
    return;
  }
  const origin: Origin = { scheme: grant.tls ? "https" : "http", host, port };
  await serveRequests(stream, session, (request, response) =>
    answer({ request, response, origin }),
  );
}

/** TLS as the granted name, which must be the one that the greeting names. */
async function endTls(session: Session): Promise<Socket | undefined> {
  const { client, host, limits } = session;
  const opening = await readOpening(client, limits);
  if (opening.kind !== "tls") {
    refuseBytes(session, opening.kind === "other" ? opening.detail : opening.kind);
    return undefined;
  }
  const { hello } = opening;
  if (hello.serverName?.toLowerCase() !== host || hello.ech) {
    session.refuse({
      rule: "tls.name",
      title: "The TLS greeting names another site",
      reason: `the connection is to ${host}`,
    });
    session.cut("denied: tls.name");
    return undefined;
  }
  return await acceptTls(client, await session.leaf(), limits.handshakeMs, ["http/1.1"]);
}

function refuseBytes(session: Session, seen: string): void {
  if (seen === "gone") {
    session.because("the client left without a word");
    session.client.destroy();
    return;
  }
  const reason = `the grant is of MCP over ${session.grant.tls ? "HTTPS" : "HTTP/1.1"}: ${seen}`;
  if (seen !== "silent") session.find("protocol", reason);
  session.refuse({
    rule: "mcp.http",
    title: "The connection does not speak the granted protocol",
    reason,
  });
  session.cut("not the granted protocol");
}

function serveRequests(
  stream: Socket,
  session: Session,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<void> {
  const { limits } = session;
  const server = createServer({
    maxHeaderSize: limits.headBytes,
    insecureHTTPParser: false,
    keepAliveTimeout: limits.headMs,
  });
  server.maxHeadersCount = limits.headers;
  let last = Promise.resolve();
  let waiting = 0;
  const over = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  const arm = () => {
    clearTimeout(timer);
    timer = setTimeout(() => session.cut("no complete request in time"), limits.headMs);
  };
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    clearTimeout(timer);
    waiting += 1;
    if (waiting > WAITING_MAX) {
      session.cut("too many requests sent ahead");
      return;
    }
    last = last
      .then(() => answer(request, response))
      .then(
        () => {
          waiting -= 1;
          if (waiting === 0) arm();
        },
        (error: unknown) => {
          session.cut("failed: internal");
          over.reject(error);
        },
      );
  });
  const odd = (why: string) => {
    session.refuse({
      rule: "mcp.http",
      title: "The request is not one that is forwarded",
      reason: why,
    });
    session.cut("denied: mcp.http");
  };
  server.on("clientError", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNRESET" || stream.destroyed) stream.destroy();
    else odd(`it is no HTTP/1.1 request (${error.code ?? "unread"})`);
  });
  server.on("upgrade", () => odd("MCP is not upgraded to anything"));
  server.on("connect", () => odd("MCP is not tunnelled"));
  server.on("checkExpectation", () => odd("only 100-continue may be expected"));
  stream.on("error", () => {}); // Ends in its close.
  stream.once("close", () => {
    clearTimeout(timer);
    void last.finally(() => over.resolve());
  });
  session.lastWord = () => {
    // What is open ends with the way to the server, each with its own error.
    void last.finally(() => stream.end());
    return true;
  };
  arm();
  server.emit("connection", stream);
  if (stream.destroyed) over.resolve();
  return over.promise;
}
