/**
 * Servers of MCP that runs bring along: each in a cofferdam of its own, with its own small task, its own grants
 * and only its own credential. It starts with the run that grants it, and ends with it (INV-124).
 *
 * @module
 */
import type { Socket } from "node:net";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunStart } from "../api/index.ts";
import { describeError, Fault, readTextFile } from "../base/index.ts";
import type { TaskGrant } from "../policy/index.ts";
import { mcp } from "../protocols/index.ts";
import type { Bind } from "../sandbox/index.ts";
import { connectInside } from "./publish.ts";
import type { Run } from "./run.ts";

/** Where the bridge listens on the server's own loopback; nothing else is in that network. */
const PORT = 8931;
const CONNECT_MS = 20_000;
const AGAIN_MS = 50;

const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));
/** What speaks HTTP for a server that speaks over its standard input and output. */
const BRIDGE = fileURLToPath(new URL(`./mcp-bridge${extension}`, import.meta.url));

/** How a run is started that serves another. */
export interface Service {
  /** The run that it is for. */
  readonly owner: string;
  /** Programs that it needs beside the first of its command. */
  readonly commands: readonly string[];
  /** Files of ours that it needs. */
  readonly binds: readonly Bind[];
}

interface Served {
  readonly grant: string;
  readonly host: string;
  readonly run: Run;
}

export class McpServers {
  /** By the run that grants them. */
  readonly #served = new Map<string, readonly Served[]>();
  /** Sockets made inside each living run that serves. */
  readonly #inside = new Map<string, () => Promise<readonly number[]>>();

  /**
   * Starts the servers that `owner` grants; they end with it.
   *
   * @throws {Fault} `daemon.mcp_server` where one cannot be; then none is left.
   */
  async start(
    owner: Run,
    request: RunStart,
    start: (request: RunStart, service: Service) => Promise<Run>,
  ): Promise<void> {
    const orders = owner.task.grants.flatMap((grant) => {
      const server =
        grant.system === "mcp" ? mcp.optionsSchema.parse(grant.with ?? {}).server : undefined;
      return server === undefined ? [] : [{ grant, server }];
    });
    if (orders.length === 0) return;
    const served: Served[] = [];
    this.#served.set(owner.id, served);
    void owner.ended.then(() => {
      this.#served.delete(owner.id);
      for (const { run } of served) run.stop("owner", `${owner.id}, which it served, has ended`);
    });
    for (const { grant, server } of orders) {
      const run = await startOne(grant, server, owner, request, start);
      served.push(...grant.hosts.map((host) => ({ grant: grant.name, host, run })));
      void run.ended.then(() => this.#inside.delete(run.id));
      // Its owner may have ended while it came up.
      if (!owner.alive) run.stop("owner", `${owner.id}, which it served, has ended`);
    }
  }

  /** Ends the servers of grants that `owner` does not have any more. */
  keep({ id, policy }: Run): void {
    const granted = new Set(policy.grants.flatMap(({ name, revoked }) => (revoked ? [] : [name])));
    for (const { grant, run } of this.#served.get(id) ?? []) {
      if (!granted.has(grant)) run.stop("owner", `${id} has no grant ${grant} any more`);
    }
  }

  /** A run lives, and sockets can be had that were made inside it. */
  raised(run: Run, sockets: () => Promise<readonly number[]>): void {
    this.#inside.set(run.id, sockets);
    void run.ended.then(() => this.#inside.delete(run.id));
  }

  /**
   * Connects `owner` to its server at `host`.
   *
   * @throws {Fault} `daemon.mcp_server` where it has none there, or it does not answer.
   */
  async connect(owner: string, host: string): Promise<Socket> {
    const found = this.#served.get(owner)?.find((one) => one.host === host);
    if (found === undefined)
      throw new Fault("daemon.mcp_server", `${owner} has no server at ${host}`);
    const { run } = found;
    const until = Date.now() + CONNECT_MS;
    for (;;) {
      const sockets = this.#inside.get(run.id);
      if (!run.alive)
        throw new Fault("daemon.mcp_server", `the server at ${host} (${run.id}) has ended`);
      const socket = sockets === undefined ? undefined : await connectInside(await sockets(), PORT);
      if (socket !== undefined) return socket;
      if (Date.now() > until) {
        throw new Fault("daemon.mcp_server", `the server at ${host} (${run.id}) does not answer`);
      }
      await new Promise((again) => setTimeout(again, AGAIN_MS));
    }
  }
}

async function startOne(
  grant: TaskGrant,
  server: mcp.ServerOptions,
  owner: Run,
  request: RunStart,
  start: (request: RunStart, service: Service) => Promise<Run>,
): Promise<Run> {
  const folder = dirname(request.task.fileName);
  const { command } = server;
  const bridge: Bind = { source: BRIDGE, target: BRIDGE, kind: "file", write: false };
  const { terminal: _, ...rest } = request;
  return start(
    {
      ...rest,
      task: taskOf(grant, server, folder),
      // Not by the agent's profile: it must not get the HOME that its owner logged in from.
      profile: `mcp ${grant.name}`,
      command: [process.execPath, BRIDGE, String(PORT), ...command],
      cwd: server.folder === undefined ? request.cwd : resolve(folder, server.folder),
      detach: true,
    },
    { owner: owner.id, commands: command.slice(0, 1), binds: [bridge] },
  );
}

function taskOf(grant: TaskGrant, { task }: mcp.ServerOptions, folder: string): RunStart["task"] {
  if (task === undefined) {
    const source = `task: ${grant.name}-server\npurpose: Serve MCP at ${grant.hosts[0] ?? grant.name}.\nworkspace: read-only\nhome: fresh\n`;
    return { source, fileName: resolve(folder, `${grant.name}-server.yaml`) };
  }
  const fileName = resolve(folder, task);
  try {
    return { source: readTextFile(fileName, { mayWait: false }), fileName };
  } catch (cause) {
    const why = `cannot read the task of the server ${grant.name}, ${fileName}: ${describeError(cause)}`;
    throw new Fault("daemon.mcp_server", why, {
      cause,
      hint: "`with: {server: {task: FILE}}` names it, relative to the task file",
    });
  }
}
