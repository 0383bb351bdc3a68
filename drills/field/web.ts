/**
 * Web services outside that remember every request: what most drills ask when they judge.
 *
 * @module
 */
import { once } from "node:events";
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { Place } from "./drill.ts";

/** Most of a body that is kept, in bytes, and most requests. */
const BODY_BYTES_MAX = 4 << 20;
const REQUESTS_MAX = 5000;

/** A request as it came in. */
export interface Seen {
  readonly at: number;
  /** The drill's host that it came to, by address. */
  readonly host: string;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** What a service says. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is; anything else as JSON. */
  readonly body?: unknown;
}

/** Web services on a drill's hosts. */
export interface Web {
  readonly seen: Seen[];
  close(): void;
}

/**
 * Serves plain HTTP on port 80 and TLS on port 443 of each of `hosts`. `answer` says what comes back; 200 and
 * `{}` where it says nothing.
 */
export async function openWeb(
  place: Place,
  hosts: readonly string[],
  answer: (seen: Seen) => Answer | undefined = () => undefined,
): Promise<Web> {
  const seen: Seen[] = [];
  const servers = hosts.flatMap((host) => {
    const handle = (request: IncomingMessage, response: ServerResponse) =>
      void take(host, request, response);
    const tls = createHttps({ cert: place.certificate, key: place.key }, handle);
    return [
      { server: createHttp(handle), host, port: 80 },
      { server: tls, host, port: 443 },
    ];
  });
  const take = async (host: string, request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("error", () => response.destroy());
    for await (const chunk of request) {
      bytes += (chunk as Buffer).length;
      if (bytes <= BODY_BYTES_MAX) chunks.push(chunk as Buffer);
    }
    const { method = "", url = "", headers } = request;
    const body = Buffer.concat(chunks).toString("utf8");
    const one: Seen = { at: Date.now(), host, method, url, headers, body };
    if (seen.length < REQUESTS_MAX) seen.push(one);
    const { status = 200, headers: more, body: said = {} } = answer(one) ?? {};
    const text = typeof said === "string" ? said : `${JSON.stringify(said)}\n`;
    const type = typeof said === "string" ? "text/plain" : "application/json";
    response.writeHead(status, {
      "content-type": type,
      "content-length": String(Buffer.byteLength(text)),
      ...more,
    });
    response.end(text);
  };
  for (const { server, host, port } of servers) {
    server.listen(port, place.addresses[host]);
    await once(server, "listening");
  }
  return {
    seen,
    close() {
      for (const { server } of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}
