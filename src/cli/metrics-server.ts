/**
 * `GET /metrics` and `GET /healthz` over HTTP, for scrapers: a process of its own, so that none of them ever speaks to the
 * control socket, and all that it can get are numbers.
 *
 * @module
 */
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describeError, Fault, isFault } from "../base/index.ts";
import type { Home } from "../api/index.ts";
import type { Client } from "../client/index.ts";
import {
  CONTENT_TYPES,
  FAMILIES,
  renderFamilies,
  type Family,
  type FamilyName,
  type MetricsForm,
} from "../metrics/index.ts";
import type { ListenAddress } from "./listen.ts";

// Taken, not imported: an import reads every export, and one of them loads all of Node's own undici (0371).
const { createServer } = process.getBuiltinModule("node:http");

const CONNECTIONS_MAX = 64;
const HEADERS_BYTES_MAX = 16 << 10;
const REQUEST_MS = 10_000;
/** A daemon that hangs must not look well. */
const ANSWER_MS = 5_000;
/** The record is a folder of many files, and grows slowly. */
const SIZE_MS = 60_000;
const SIZE_FILES_MAX = 200_000;

export interface MetricsOptions {
  readonly home: Home;
  readonly client: Client;
  readonly listen: ListenAddress;
}

/** All metrics of `home`, those that need no daemon among them. */
export async function collectMetrics(home: Home, client: Client): Promise<readonly Family[]> {
  const told = await answered(client.call("daemon.metrics", {})).catch((error: unknown) => {
    if (isFault(error)) return undefined; // It is down: that is what is measured then.
    throw error;
  });
  const age = checkpointAge(home);
  return [
    familyOf("cofferdam_up", told === undefined ? 0 : 1),
    ...(told ?? []),
    ...(age === undefined ? [] : [familyOf("cofferdam_ledger_checkpoint_age_seconds", age)]),
    familyOf("cofferdam_ledger_bytes", sizeOf(home.ledger)),
  ];
}

/** Serves until it is closed. @throws {Fault} `cli.listen` where it cannot listen there. */
export async function serveMetrics(options: MetricsOptions): Promise<Server> {
  const { listen } = options;
  const server = createServer(
    { maxHeaderSize: HEADERS_BYTES_MAX, headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS },
    (request, response) => {
      answer(options, request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else send(response, 500, "text/plain", `${describeError(error)}\n`);
      });
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.on("upgrade", (_, stream) => stream.destroy());
  server.on("connect", (_, stream) => stream.destroy());
  server.listen({ host: listen.address, port: listen.port, exclusive: true });
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new Fault("cli.listen", `cannot listen on ${listen.text}: ${describeError(cause)}`, {
      hint: "another program does; choose another port",
      cause,
    });
  }
  return server;
}

async function answer(
  { home, client, listen }: MetricsOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "", url = "", headers, socket } = request;
  const { port } = socket.address() as AddressInfo;
  // A page of a browser on this machine could reach loopback under a name of its own, and read the answer.
  if (listen.isLoopback && !isOwnName(headers.host, port)) {
    return send(response, 403, "text/plain", "not asked by this server's own address\n");
  }
  if (method !== "GET" && method !== "HEAD") {
    return send(response, 405, "text/plain", "only GET and HEAD\n");
  }
  const path = url.split("?", 1)[0];
  if (path === "/metrics") {
    const form = formOf(headers.accept);
    const text = renderFamilies(await collectMetrics(home, client), form);
    return send(response, 200, CONTENT_TYPES[form], method === "HEAD" ? "" : text);
  }
  if (path === "/healthz") {
    const well = await isWell(client);
    return send(response, well ? 200 : 503, "text/plain", well ? "ok\n" : "not well\n");
  }
  send(response, 404, "text/plain", "there is /metrics and /healthz\n");
}

/** The daemon answers, and its record takes entries. */
async function isWell(client: Client): Promise<boolean> {
  try {
    const families = await answered(client.call("daemon.metrics", {}));
    return families.some(
      ({ name, samples }) => name === "cofferdam_ledger_writable" && samples[0]?.value === 1,
    );
  } catch (error) {
    if (isFault(error)) return false;
    throw error;
  }
}

async function answered<Value>(call: Promise<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Fault("cli.unreachable", `no answer within ${ANSWER_MS} ms`));
  }, ANSWER_MS);
  try {
    return await Promise.race([call, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function isOwnName(host: string | undefined, port: number): boolean {
  return ["127.0.0.1", "[::1]", "localhost"].some((name) => host === `${name}:${port}`);
}

function formOf(accept = ""): MetricsForm {
  return accept.includes("application/openmetrics-text") ? "openmetrics" : "plain";
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    "content-type": type,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(body);
}

function familyOf(name: FamilyName, value: number): Family {
  return { name, ...FAMILIES[name], samples: [{ labels: {}, value }] };
}

function checkpointAge({ ledger }: Home): number | undefined {
  const about = statSync(join(ledger, "checkpoint"), { throwIfNoEntry: false });
  return about && Math.max(0, (Date.now() - about.mtimeMs) / 1000);
}

const sizes = new Map<string, { readonly atMs: number; readonly bytes: number }>();

function sizeOf(folder: string): number {
  const known = sizes.get(folder);
  if (known !== undefined && performance.now() - known.atMs < SIZE_MS) return known.bytes;
  let bytes = 0;
  let left = SIZE_FILES_MAX;
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined && left > 0; next = folders.pop()) {
    for (const entry of entriesOf(next)) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0; // Renamed meanwhile.
      left -= 1;
    }
  }
  sizes.set(folder, { atMs: performance.now(), bytes });
  return bytes;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // No record yet, or a part that went meanwhile.
  }
}
