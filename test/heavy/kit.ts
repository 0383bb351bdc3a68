/**
 * A real n8n for tests: on loopback, in a folder that goes away with it, on a PostgreSQL of its own. It has an owner
 * and an API key with every right; whatever it asks for outside goes to a proxy of the test, which refuses and counts.
 *
 * @module
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { installN8n, N8N_PACKAGES } from "./install.ts";
import {
  AS_ORDINARY,
  giveFolder,
  isRoot,
  startPostgres,
  WITH_US,
  type Postgres,
} from "./postgres.ts";

const START_MS_MAX = 120_000;
const PROGRAM = join(N8N_PACKAGES, "n8n", "bin", "n8n");

export interface Asked {
  readonly method?: string;
  /** With the API key, which webhooks do without. */
  readonly key?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly cookie: string;
}

/** What a workflow is made of, as far as tests say it. */
export interface Draft {
  readonly name: string;
  readonly nodes: readonly object[];
  readonly connections: object;
  readonly settings: object;
}

export interface N8n {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly port: number;
  readonly apiKey: string;
  readonly database: Postgres;
  /** What others were asked: requests that came to `outside`, or that wanted to leave the machine. */
  readonly outside: { readonly origin: string; readonly asked: readonly string[] };
  /** Sends a request as it stands. */
  ask(target: string, asked?: Asked): Promise<Answer>;
  /** Asks its public API, and gives what it answers. @throws where it refuses */
  api<T = { readonly id: string }>(method: string, path: string, json?: unknown): Promise<T>;
  /** Makes a key of the owner's with these scopes alone, where this edition lets it. */
  keyOf(scopes: readonly string[]): Promise<string>;
  /** Executions there are, of all workflows or one. */
  executions(workflow?: string): number;
  close(): Promise<void>;
}

/** Starts it, and installs it first where needed; some twenty seconds. */
export async function startN8n(): Promise<N8n> {
  installN8n();
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-n8n-"));
  chmodSync(folder, 0o755);
  const ends: (() => Promise<void> | void)[] = [
    () => rmSync(folder, { recursive: true, force: true }),
  ];
  const close = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    const database = await startPostgres(folder);
    ends.push(() => database.close());
    const asked: string[] = [];
    const outside = await startOutside(asked);
    ends.push(() => void (outside.closeAllConnections(), outside.close()));
    const [port, broker] = [await freePort(), await freePort()];
    const child = startServer(
      folder,
      environment(folder, database.host, port, broker, portOf(outside)),
    );
    ends.push(() => endGroup(child));
    const ask: N8n["ask"] = (target, one = {}) => send(port, target, one, apiKey);
    let apiKey = "";
    const log = () => readFileSync(join(folder, "log"), "utf8");
    await ready(ask, child, log);
    const owner = await makeOwner(ask);
    apiKey = owner.key;
    asked.length = 0;
    return {
      origin: `http://127.0.0.1:${port}`,
      port,
      apiKey,
      database,
      outside: { origin: `http://127.0.0.1:${portOf(outside)}`, asked },
      ask,
      api: async <T>(method: string, path: string, json?: unknown) => {
        const answer = await ask(`/api/v1${path}`, { method, key: true, ...jsonBody(json) });
        if (answer.status >= 300)
          throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
        return (answer.text === "" ? undefined : JSON.parse(answer.text)) as T;
      },
      keyOf: (scopes) => makeKey(ask, owner.cookie, scopes),
      executions: (workflow) => {
        const where = workflow === undefined ? "" : `WHERE "workflowId" = '${workflow}'`;
        return Number(database.query(`SELECT count(*) FROM execution_entity ${where}`));
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A body of JSON with its type; nothing where there is none. */
export function jsonBody(json: unknown): Pick<Asked, "headers" | "body"> {
  if (json === undefined) return {};
  return { headers: { "content-type": "application/json" }, body: JSON.stringify(json) };
}

/** A node as n8n's editor makes it: the type is of nodes-base unless it names another package. */
export function node(
  name: string,
  type: string,
  parameters: object = {},
  more: object = {},
): object {
  const full = type.includes(".") ? type : `n8n-nodes-base.${type}`;
  return {
    id: crypto.randomUUID(),
    name,
    type: full,
    typeVersion: 1,
    position: [0, 0],
    parameters,
    ...more,
  };
}

/** A webhook by `method` at `path`; it answers once the workflow has ended. */
export function webhook(path: string, method = "GET"): object {
  const parameters = { path, httpMethod: method, responseMode: "lastNode" };
  return node("Webhook", "webhook", parameters, { typeVersion: 2, webhookId: crypto.randomUUID() });
}

/** Nodes one behind the other. */
export function chain(name: string, nodes: readonly object[], settings: object = {}): Draft {
  const names = nodes.map((one) => (one as { readonly name: string }).name);
  const links = names
    .slice(1)
    .map((to, at) => [names[at] ?? "", { main: [[{ node: to, type: "main", index: 0 }]] }]);
  return { name, nodes, connections: Object.fromEntries(links) as object, settings };
}

function startServer(folder: string, env: NodeJS.ProcessEnv): ChildProcess {
  giveFolder(join(folder, "home"));
  // Code of a thousand packages need not be root; a checkout below root's own home is closed to others.
  const isOpen =
    isRoot && spawnSync("setpriv", [...AS_ORDINARY.slice(1), "test", "-r", PROGRAM]).status === 0;
  const [command, ...args] = [...(isOpen ? AS_ORDINARY : WITH_US), process.execPath, PROGRAM];
  const log = openSync(join(folder, "log"), "a");
  const cwd = join(folder, "home");
  // A group of its own: what it starts is ended with it.
  const child = spawn(command, [...args, "start"], {
    env,
    cwd,
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  return child;
}

function environment(
  folder: string,
  socket: string,
  port: number,
  broker: number,
  proxy: number,
): NodeJS.ProcessEnv {
  const off = [
    "N8N_DIAGNOSTICS_ENABLED",
    "N8N_VERSION_NOTIFICATIONS_ENABLED",
    "N8N_TEMPLATES_ENABLED",
  ];
  const more = [
    "N8N_LICENSE_AUTO_RENEW_ENABLED",
    "N8N_DYNAMIC_BANNERS_ENABLED",
    "N8N_SECURE_COOKIE",
  ];
  return {
    ...Object.fromEntries([...off, ...more].map((name) => [name, "false"])),
    PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`,
    HOME: join(folder, "home"),
    N8N_USER_FOLDER: join(folder, "home"),
    N8N_LISTEN_ADDRESS: "127.0.0.1",
    N8N_PORT: String(port),
    N8N_RUNNERS_BROKER_PORT: String(broker),
    N8N_PUBLIC_API_SWAGGERUI_DISABLED: "true",
    N8N_ENCRYPTION_KEY: "of a test",
    DB_TYPE: "postgresdb",
    DB_POSTGRESDB_HOST: socket,
    DB_POSTGRESDB_DATABASE: "postgres",
    DB_POSTGRESDB_USER: "n8n",
    HTTP_PROXY: `http://127.0.0.1:${proxy}`,
    HTTPS_PROXY: `http://127.0.0.1:${proxy}`,
    NO_PROXY: "127.0.0.1,localhost",
  };
}

async function ready(ask: N8n["ask"], child: ChildProcess, log: () => string): Promise<void> {
  const end = performance.now() + START_MS_MAX;
  for (;;) {
    const answer = await ask("/healthz/readiness").catch(() => undefined);
    // The editor comes last, with the interface that the owner is made by.
    if (answer?.status === 200 && (await ask("/rest/settings")).status === 200) return;
    if (child.exitCode !== null) throw new Error(`n8n ended with ${child.exitCode}: ${log()}`);
    if (performance.now() > end) throw new Error(`n8n did not start: ${log()}`);
    await pause(100);
  }
}

/** Makes the owner as a person would in the browser, and a key with all that a key may have. */
async function makeOwner(
  ask: N8n["ask"],
): Promise<{ readonly key: string; readonly cookie: string }> {
  const owner = {
    email: "owner@n8n.example",
    firstName: "O",
    lastName: "W",
    password: "Of-a-test-1",
  };
  const made = await ask("/rest/owner/setup", { method: "POST", ...jsonBody(owner) });
  const { cookie } = made;
  const scopes = await ask("/rest/api-keys/scopes", { headers: { cookie } });
  const all = (JSON.parse(scopes.text) as { data: string[] }).data;
  return { key: await makeKey(ask, cookie, all), cookie };
}

async function makeKey(
  ask: N8n["ask"],
  cookie: string,
  scopes: readonly string[],
): Promise<string> {
  const wanted = { label: `test ${crypto.randomUUID()}`, expiresAt: null, scopes };
  const key = await ask("/rest/api-keys", {
    method: "POST",
    headers: { ...jsonBody(wanted).headers, cookie },
    body: JSON.stringify(wanted),
  });
  return (JSON.parse(key.text) as { data: { rawApiKey: string } }).data.rawApiKey;
}

/** By Node's own client: fetch would make a path plain. */
async function send(port: number, target: string, asked: Asked, apiKey: string): Promise<Answer> {
  const { method = "GET", key, headers, body } = asked;
  const request = httpRequest({
    ...{ host: "127.0.0.1", port, path: target, method, agent: false },
    headers: { ...headers, ...(key && { "x-n8n-api-key": apiKey }) },
  });
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) text += String(chunk);
  const cookie = (response.headers["set-cookie"] ?? []).map((one) => one.split(";")[0]).join("; ");
  return { status: response.statusCode ?? 0, text, cookie };
}

/** Answers what is asked of it itself, refuses to lead elsewhere, and notes both. */
async function startOutside(asked: string[]): Promise<Server> {
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.setHeader("content-type", "application/json");
    response.end('{"data":[]}');
  });
  server.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, "SIGKILL"); // Nothing of it is kept.
  await once(child, "exit");
}
