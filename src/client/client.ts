/**
 * The client of the control contract: calls and streams over the Unix socket, and starting the daemon when none answers.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync } from "node:fs";
import type { ClientRequest, IncomingMessage } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createInterface } from "node:readline";
import type { Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { Fault, requireOwnFolder } from "../base/index.ts";
import {
  ENDPOINTS,
  faultSchema,
  IDENTITY_HEADER,
  type EndpointName,
  type FileRead,
  type FileWrite,
  type Gives,
  type Home,
  type Takes,
} from "../api/index.ts";

// Taken, not imported: an import reads every export, and one of them loads all of Node's own undici (0371).
const { request } = process.getBuiltinModule("node:http");

/** As long as its process lives, a daemon that starts is waited for: a large record, a slow machine. */
const START_MS_MAX = 10 * 60_000;
const START_POLL_MS = 15;
/** How the command line begins one. */
const REFUSAL = "cofferdam: ";
/** How often another caller's daemon, which won the ledger's lock, is looked after. */
const OTHER_POLL_MS = 1000;

/**
 * A worker's flag, too: under the same flags of V8 its workers can read what Node compiled for the daemon. Nothing in
 * either makes code of strings, and nothing that gets in shall.
 */
export const DAEMON_FLAGS: readonly string[] = ["--disallow-code-generation-from-strings"];

const writtenSchema = z.object({ bytes: z.number() });
/** In a home: its daemon is a service's, and no command starts one of its own. */
export const SERVICE_MARK = "service";
/** A service that was stopped for an update comes back. */
const SERVICE_MS_MAX = 20_000;

/** Speaks to the daemon of one home. */
export interface Client {
  call<Name extends EndpointName>(name: Name, takes: Takes<Name>): Promise<Gives<Name>>;
  /** Ends when the daemon ends it, or `signal` says so. */
  stream<Name extends EndpointName>(
    name: Name,
    takes: Takes<Name>,
    signal?: AbortSignal,
  ): AsyncIterable<Gives<Name>>;
  attach(run: string): Promise<Duplex>;
  /** A file of a live run, as the run itself reads it. Whoever destroys the stream ends that. */
  download(of: FileRead): Promise<Readable>;
  /** Writes a file in a live run, whole or not at all; gives its length in bytes. */
  upload(of: FileWrite, content: AsyncIterable<Uint8Array> | Readable): Promise<number>;
  /** The same, on behalf of a person whom the caller has signed in: `oidc:SUBJECT@HOST`. */
  as(identity: string): Client;
}

/** A client of the daemon at `home`; nothing is started. */
export function createClient(home: Home, identity?: string): Client {
  return {
    as: (other) => createClient(home, other),
    async call(name, takes) {
      const response = await post(home, name, takes, identity);
      return ENDPOINTS[name].gives.parse(JSON.parse(await text(response))) as never;
    },
    async *stream(name, takes, signal) {
      const response = await post(home, name, takes, identity);
      const lines = createInterface({ input: response, crlfDelay: Infinity });
      // A stream that is destroyed says no end to whoever reads its lines.
      const stop = () => lines.close();
      signal?.addEventListener("abort", stop, { once: true });
      if (signal?.aborted === true) stop();
      try {
        for await (const line of lines) {
          yield ENDPOINTS[name].gives.parse(JSON.parse(line)) as never;
        }
      } finally {
        signal?.removeEventListener("abort", stop);
        response.destroy(); // Whoever stops reading wants no more: open, it would keep the process.
      }
    },
    attach: (run) => attach(home, run),
    download: (of) => post(home, "file.read", of, identity),
    upload: (of, content) => upload(home, of, content, identity),
  };
}

/** A client of a daemon that answers: the one that runs, or a new one. */
export async function connectDaemon(home: Home, serviceMs = SERVICE_MS_MAX): Promise<Client> {
  const client = createClient(home);
  if (await answers(client)) return client;
  requireOwnFolder(home.root, { isVisit: false });
  if (existsSync(join(home.root, SERVICE_MARK))) return awaitService(client, serviceMs);
  let started = startDaemon(home);
  const deadline = performance.now() + START_MS_MAX;
  while (performance.now() < deadline) {
    const exited = started.exited(); // Asked first: what has gone by now is not missed below.
    if (await answers(client)) return client;
    if (!exited) await sleep(START_POLL_MS);
    else if (!anotherStarts(home, started.since)) break;
    else {
      // Another caller's daemon won the ledger's lock, and comes; or has died meanwhile, and ours is next.
      await sleep(OTHER_POLL_MS);
      if (await answers(client)) return client;
      started = startDaemon(home);
    }
  }
  throw new Fault("cli.daemon", `the daemon did not start${lastWords(home)}`, {
    hint: `see ${home.log}; \`cofferdam doctor\` lists what is missing`,
  });
}

async function awaitService(client: Client, serviceMs: number): Promise<Client> {
  const deadline = performance.now() + serviceMs;
  do {
    await sleep(START_POLL_MS);
    if (await answers(client)) return client;
  } while (performance.now() < deadline);
  throw new Fault("cli.service", "the daemon of this home is a service, and does not answer", {
    hint: `\`systemctl start cofferdam\` (with --user where it is yours) starts it; \`cofferdam serve\` takes the home back`,
  });
}

async function answers(client: Client): Promise<boolean> {
  try {
    await client.call("daemon.status", {});
    return true;
  } catch (error) {
    if (error instanceof Fault && error.code === "cli.unreachable") return false;
    throw error;
  }
}

interface Started {
  /** Length of the log before it: what comes behind may be its words. */
  readonly since: number;
  exited(): boolean;
}

function startDaemon(home: Home): Started {
  mkdirSync(home.root, { recursive: true, mode: 0o700 });
  const log = openSync(home.log, "a", 0o600);
  const since = fstatSync(log).size;
  const main = process.argv[1] ?? "";
  const child = spawn(process.execPath, [...DAEMON_FLAGS, main, "serve"], {
    detached: true,
    cwd: "/",
    stdio: ["ignore", log, log],
    env: { ...process.env, COFFERDAM_HOME: home.root },
  });
  closeSync(log);
  child.unref();
  return { since, exited: () => child.exitCode !== null || child.signalCode !== null };
}

function anotherStarts(home: Home, since: number): boolean {
  return readFileSync(home.log).subarray(since).includes("one daemon at a time");
}

function lastWords(home: Home): string {
  if (!existsSync(home.log)) return "";
  const lines = readFileSync(home.log, "utf8").trimEnd().split("\n");
  // A refusal stands on a line of its own, and its fix behind it.
  const said = lines.findLastIndex((line) => line.startsWith(REFUSAL));
  const words = said < lines.length - 2 ? (lines.at(-1) ?? "") : lines.slice(said).join(";");
  return words === "" ? "" : `: ${words.replace(REFUSAL, "")}`;
}

async function upload(
  home: Home,
  of: FileWrite,
  content: AsyncIterable<Uint8Array> | Readable,
  identity: string | undefined,
): Promise<number> {
  const sent = request({
    socketPath: home.socket,
    method: "POST",
    agent: false,
    path: `/v1/file.write?request=${encodeURIComponent(JSON.stringify(of))}`,
    headers: {
      "content-type": "application/octet-stream",
      ...(identity === undefined ? {} : { [IDENTITY_HEADER]: identity }),
    },
  });
  const answered = respond(sent);
  // A refusal may come, and the connection end, while there is more to send: the refusal says why.
  const [answer, piped] = await Promise.allSettled([answered, pipeline(content, sent)]);
  if (answer.status === "rejected")
    throw piped.status === "rejected" ? piped.reason : answer.reason;
  const said = await text(answer.value);
  if (answer.value.statusCode !== 200) throw refusal(said);
  return writtenSchema.parse(JSON.parse(said)).bytes;
}

async function post(
  home: Home,
  name: EndpointName | "file.read",
  takes: unknown,
  identity: string | undefined,
): Promise<IncomingMessage> {
  const body = JSON.stringify(takes);
  const response = await respond(
    request({
      socketPath: home.socket,
      method: "POST",
      agent: false, // One that is kept may have ended meanwhile, unseen by a process that was busy.
      path: `/v1/${name}`,
      headers: {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        ...(identity === undefined ? {} : { [IDENTITY_HEADER]: identity }),
      },
    }).end(body),
  );
  if (response.statusCode !== 200) throw refusal(await text(response));
  return response;
}

async function respond(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.on("response", resolve);
    sent.on("error", (cause: NodeJS.ErrnoException) => {
      const code = cause.code === "ENOENT" || cause.code === "ECONNREFUSED";
      reject(
        new Fault(code ? "cli.unreachable" : "cli.control", `no daemon answers: ${cause.message}`, {
          cause,
          hint: "it starts with `cofferdam run` or `cofferdam serve`",
        }),
      );
    });
  });
}

async function attach(home: Home, run: string): Promise<Duplex> {
  const sent = request({
    socketPath: home.socket,
    path: `/v1/attach?run=${encodeURIComponent(run)}`,
    headers: { connection: "upgrade", upgrade: "cofferdam" },
  });
  return new Promise((resolve, reject) => {
    sent.on("upgrade", (_response, stream: Duplex, head: Buffer) => {
      if (head.length > 0) stream.unshift(head);
      resolve(stream);
    });
    sent.on("response", (response) => {
      text(response).then((body) => reject(refusal(body)), reject);
    });
    sent.on("error", (cause) =>
      reject(new Fault("cli.unreachable", `no daemon answers: ${cause.message}`, { cause })),
    );
    sent.end();
  });
}

function refusal(body: string): Fault {
  const parsed = faultSchema.safeParse(parseJson(body));
  if (!parsed.success) {
    return new Fault("cli.control", `the daemon answered: ${JSON.stringify(body.slice(0, 200))}`, {
      hint: "is it of another version? `cofferdam stop`, then try again",
    });
  }
  const { code, message, hint } = parsed.data;
  return new Fault(code, message, hint === undefined ? {} : { hint });
}

async function text(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined; // The schema then refuses it by name.
  }
}
