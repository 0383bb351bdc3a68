/**
 * Web services outside that remember every request: what most drills ask when they judge.
 *
 * @module
 */
import { once } from "node:events";
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import {
  lost,
  NOT_REACHED,
  type Attempt,
  type Outside,
  type Place,
  type Reached,
} from "./drill.ts";

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

/**
 * What became of attempts that are told apart by their mark in the request: everything, where one came in for
 * which `isLoss` holds; it crossed, where any came in.
 */
export function judgeRequests(
  seen: readonly Seen[],
  attempts: readonly Attempt[],
  told: string,
  isLoss: (one: Seen) => boolean = () => true,
): Readonly<Record<string, Reached>> {
  return Object.fromEntries(
    attempts.map(({ name, mark }) => {
      const own = seen.filter((one) =>
        `${one.method} ${one.url} ${JSON.stringify(one.headers)} ${one.body}`.includes(mark),
      );
      if (own.some(isLoss)) return [name, lost(told)];
      const crossed = own.length > 0;
      return [
        name,
        { ...NOT_REACHED, crossed, told: crossed ? "it came in, without effect" : "nothing" },
      ];
    }),
  );
}

/** The whole world outside of a drill whose attempts are requests: judged by {@link judgeRequests}. */
export async function openRecording(
  place: Place,
  hosts: readonly string[],
  of: {
    readonly attempts: readonly Attempt[];
    /** What a request that was answered means, for a person. */
    readonly told: string;
    readonly answer?: (seen: Seen) => Answer | undefined;
    readonly isLoss?: (one: Seen) => boolean;
  },
): Promise<Outside> {
  const web = await openWeb(place, hosts, of.answer);
  return {
    reset: () => void web.seen.splice(0),
    reached: () => Promise.resolve(judgeRequests(web.seen, of.attempts, of.told, of.isLoss)),
    close: () => web.close(),
  };
}
