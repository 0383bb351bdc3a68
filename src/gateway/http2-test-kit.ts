/**
 * For the tests of HTTP/2: upstreams of each version behind TLS and plain, and clients of it.
 *
 * @module
 */
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import {
  connect,
  createServer as createHttp2Server,
  performServerHandshake,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { Server } from "node:net";
import type { TestContext } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import {
  authorityNamed,
  destroyAll,
  listening,
  openWorld,
  type World,
  type WorldOptions,
} from "./test-kit.ts";

export type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** What an upstream speaks, and how it serves. */
export type Site =
  | { readonly speaks: "h2"; readonly serve: OnStream }
  | { readonly speaks: "http/1.1"; readonly serve: RequestListener };

/** A TLS server of that kind; its certificate is by the authority named `upstream`. */
export async function secureSite(site: Site): Promise<Server> {
  const upstream = await authorityNamed("upstream");
  const http1 = site.speaks === "http/1.1" ? createHttpServer(site.serve) : undefined;
  return createTlsServer(
    {
      SNICallback: (name, done) => done(null, upstream.contextFor(name)),
      ALPNProtocols: [site.speaks],
    },
    (socket) => {
      socket.on("error", () => {});
      if (site.speaks === "h2") {
        const session = performServerHandshake(socket);
        session.on("error", () => {});
        session.on("stream", (stream, headers) => {
          stream.on("error", () => {});
          site.serve(stream, headers);
        });
      } else http1?.emit("connection", socket);
    },
  );
}

/** A server of HTTP/2 without TLS, by prior knowledge. */
export function plainSite(serve: OnStream): Server {
  const server = createHttp2Server();
  server.on("stream", serve);
  return server;
}

/** A world in which https://a.test is `site`, and http://plain.test is `plain` where given. */
export async function worldWith(
  t: TestContext,
  site: Site,
  more: Partial<WorldOptions> & { allow?: string; plain?: Server } = {},
): Promise<World> {
  const { allow = `[{ methods: [GET, HEAD, POST, PUT, OPTIONS], paths: ["/**"] }]`, ...rest } =
    more;
  const server = await secureSite(site);
  const port = await listening(server);
  const plainPort = rest.plain === undefined ? port : await listening(rest.plain);
  const upstream = await authorityNamed("upstream");
  const grants = `  - { system: http, name: a, hosts: [a.test], dial: "127.0.0.1:${port}", ca: ./ca.pem, allow: ${allow} }
  - { system: http, name: plain, hosts: [plain.test], ports: [80], dial: "127.0.0.1:${plainPort}", allow: ${allow} }
`;
  const it = await openWorld({
    ...rest,
    grants,
    authorities: new Map([["a", upstream.certificatePem]]),
    limits: { lingerMs: 50, wholeBodyMs: 500, ...rest.limits },
  });
  t.after(async () => {
    await it.close();
    await destroyAll([server, ...(rest.plain === undefined ? [] : [rest.plain])]);
  });
  return it;
}

/** A client session to a.test over TLS, or to `host` on port 80 in plain. */
export async function session(
  it: World,
  t: TestContext,
  host = "a.test",
): Promise<ClientHttp2Session> {
  const socket =
    host === "plain.test"
      ? await it.dial(host, 80)
      : await it.secure(host, 443, { ALPNProtocols: ["h2"] });
  const scheme = host === "plain.test" ? "http" : "https";
  const made = connect(`${scheme}://${host}`, { createConnection: () => socket });
  made.on("error", () => {});
  t.after(() => made.destroy());
  await once(made, "connect");
  return made;
}

/** What came back on one stream. */
export interface Said {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  /** How the stream ended, as an error code of HTTP/2. */
  readonly code: number;
  /** The answer's head ended the stream. */
  readonly isWhole: boolean;
}

/** Asks once; `fields` are pseudo-header fields and others as a raw list, on top of the usual ones. */
export async function askStream(
  on: ClientHttp2Session,
  fields: readonly string[],
  body?: string | Buffer | null,
  trailers?: Record<string, string>,
): Promise<Said> {
  const usual = { ":method": "GET", ":scheme": "https", ":authority": "a.test", ":path": "/" };
  const given = new Set(fields.filter((_, n) => n % 2 === 0));
  const missing = Object.entries(usual).filter(([name]) => !given.has(name));
  const stream = on.request([...missing.flat(), ...fields], {
    endStream: body === undefined,
    waitForTrailers: trailers !== undefined,
  });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
  const said = { status: 0, headers: [] as string[], body: "", trailers: [] as string[], code: 0 };
  let isWhole = false;
  stream.on("response", (headers, flags, raw) => {
    said.status = Number(headers[":status"]);
    said.headers = raw;
    isWhole = (flags & 1) === 1;
  });
  stream.on("trailers", (_headers, _flags, raw) => (said.trailers = raw));
  stream.on("data", (chunk: Buffer) => (said.body += chunk.toString("latin1")));
  stream.on("error", () => {});
  if (body !== undefined && body !== null) stream.end(body);
  if (body === null) stream.end();
  if (!stream.closed) await new Promise<void>((resolve) => stream.once("close", () => resolve()));
  return { ...said, code: stream.rstCode, isWhole };
}
