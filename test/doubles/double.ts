/**
 * A double: a small HTTP server on loopback in place of a system that cannot run here. It keeps state, and
 * every effect that the real one would have on somebody, so that a test asks what happened and not only what
 * was answered.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Something that the real system would have done to someone. */
export interface Effect {
  /** `mail`, `post`, `run`. */
  readonly kind: string;
  /** A recipient, an author, a workflow. */
  readonly who: string;
  readonly what: string;
}

export interface Call {
  readonly method: string;
  /** Decoded segments, without empty ones. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  /** The JSON of the body, or nothing. */
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Answer {
  readonly status: number;
  readonly json?: unknown;
  /** In place of JSON. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Double {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly effects: readonly Effect[];
  /** The path and query of every request that arrived, by whomever. */
  readonly arrived: readonly string[];
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 1 << 20;

/** What a double does with a call; `undefined` for what is not there (404). */
type Handle = (call: Call, effects: Effect[]) => Answer | undefined | Promise<Answer | undefined>;

/** Starts a double. */
export async function startDouble(handle: Handle): Promise<Double> {
  const effects: Effect[] = [];
  const arrived: string[] = [];
  const server = createServer((request, response) => {
    arrived.push(request.url ?? "");
    void answer(request, response, (call) => handle(call, effects));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    effects,
    arrived,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (call: Call) => ReturnType<Handle>,
): Promise<void> {
  const found = await readCall(request).then(
    async (call) => (await handle(call)) ?? { status: 404, json: { message: "not found" } },
    (): Answer => ({ status: 400, json: { message: "cannot be read" } }),
  );
  response.writeHead(found.status, { "content-type": "application/json", ...found.headers });
  response.end(found.text ?? (found.json === undefined ? "" : JSON.stringify(found.json)));
}

async function readCall(request: IncomingMessage): Promise<Call> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > BODY_BYTES_MAX) throw new RangeError("a body too long for a double");
    chunks.push(chunk as Buffer);
  }
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://double");
  const text = Buffer.concat(chunks).toString("utf8");
  const isJson = (request.headers["content-type"] ?? "").startsWith("application/json");
  return {
    method: request.method ?? "GET",
    path: pathname
      .split("/")
      .filter((segment) => segment !== "")
      .map(decodeURIComponent),
    query: searchParams,
    headers: request.headers,
    json: isJson && text !== "" ? (JSON.parse(text) as Readonly<Record<string, unknown>>) : {},
  };
}

/** The texts of a list in a body; empty where there is none. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
