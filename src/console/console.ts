/**
 * Puts the console together and opens it: on both loopback addresses, as `http://localhost:PORT`.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import type { Home, Role } from "../api/index.ts";
import { Fault, type Log } from "../base/index.ts";
import { announce, type Client } from "../client/index.ts";
import { readAssets } from "./assets.ts";
import type { ConsoleDesk } from "./desk.ts";
import { consoleHandlers } from "./handlers/index.ts";
import { openLive } from "./live/index.ts";
import { openRecord } from "./record/index.ts";
import { serveOwnSocket } from "./own-socket.ts";
import { createConsoleServer } from "./server.ts";
import { Sessions } from "./session/index.ts";
import { readTeam } from "./team/index.ts";

const LOOPBACK = ["127.0.0.1", "::1"] as const;
const NO_SUCH_ADDRESS = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"]);
/** How often sessions that only listen are looked at. */
const SWEEP_MS = 5000;

export interface ConsoleOptions {
  readonly home: Home;
  readonly client: Client;
  readonly packageRoot: string;
  /** The folder of its built pages. */
  readonly assets: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly log: Log;
}

export interface Console {
  readonly origin: URL;
  /** Where it listens, on both loopback addresses. */
  readonly port: number;
  /** An address that signs in once; `undefined` where links sign nobody in. */
  link(roles: readonly Role[]): URL | undefined;
  close(): Promise<void>;
}

/**
 * Opens the console of `home`: first the daemon keeps runs from its port, then it listens.
 *
 * @throws {Fault} `daemon.console` where another is open, `console.port` where somebody listens there already or a run
 *   did, `console.assets`.
 */
export async function openConsole(options: ConsoleOptions): Promise<Console> {
  const { home, client, packageRoot, log } = options;
  const assets = readAssets(options.assets);
  const team = readTeam(home.root, () => Date.now());
  const wanted = options.port || (team?.settings.port ?? 0);
  const port = wanted === 0 ? await freePort() : wanted;
  await requireFresh(client, port);
  const origin = new URL(team?.settings.origin ?? `http://localhost:${port}`);
  const closing = new AbortController();
  const now = () => Date.now();
  const sessions = new Sessions(now);
  const link = (roles: readonly Role[]) => {
    if (team?.settings.links === false) return undefined;
    const uid = process.getuid?.() ?? -1;
    const token = sessions.link({ person: `user ${uid}`, identity: `cli:${uid}`, roles });
    return new URL(`/#link=${token}`, origin);
  };
  const undo: (() => unknown)[] = [() => closing.abort()];
  const close = async () => {
    for (const step of undo.toReversed()) await step();
  };
  try {
    const proxied = team === undefined ? {} : { origin: origin.origin };
    const announced = await announce(
      client,
      "console.announce",
      { port, ...proxied },
      closing.signal,
    );
    const record = openRecord({ root: home.root });
    undo.push(() => record.close());
    const live = openLive({ client, record, now, log, closing: closing.signal });
    const desk: ConsoleDesk = {
      ...{ home, packageRoot, client, sessions, team, record, live, now },
      closing: closing.signal,
    };
    const parts = {
      ...{ desk, assets, log, isAnnounced: () => announced.isHeard(), origin: () => origin },
      handlers: consoleHandlers(desk),
    };
    for (const address of LOOPBACK) {
      const server = createConsoleServer(parts);
      undo.push(() => server.close().closeAllConnections());
      await listen(server, address, port);
    }
    const own = await serveOwnSocket(home.consoleSocket, link);
    undo.push(() => void own.close());
    const sweeping = setInterval(() => sessions.sweep(), SWEEP_MS);
    undo.push(() => clearInterval(sweeping));
    return { origin, port, link, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A port that is free at every address. */
async function freePort(): Promise<number> {
  const servers: Server[] = [];
  try {
    let port = 0;
    for (const address of LOOPBACK) {
      const server = createServer();
      servers.push(server);
      port = await listen(server, address, port);
    }
    return port;
  } finally {
    for (const server of servers) server.close();
  }
}

/**
 * A browser keeps what a page left at an origin, also a service worker, which would stand before ours: where a run's
 * server was, the console does not come.
 */
async function requireFresh(client: Client, port: number): Promise<void> {
  const runs = await client.call("run.list", { all: true });
  const before = runs.find(({ publish = [] }) =>
    publish.some((one) => Number(one.split(":", 1)[0]) === port),
  );
  if (before === undefined) return;
  throw new Fault("console.port", `run ${before.run} published port ${port}`, {
    hint: "what it served there may live on in a browser; choose another by --port",
  });
}

/**
 * Listens at both addresses, of which a browser tries both: whoever held the other could show a page under our name. A
 * machine without IPv6 has no ::1, and there nobody can hold it.
 */
async function listen(server: Server, address: string, port: number): Promise<number> {
  server.listen({ port, host: address, ipv6Only: true, exclusive: true });
  try {
    await once(server, "listening");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (address === "::1" && NO_SUCH_ADDRESS.has(code)) return port;
    throw new Fault("console.port", `cannot listen on port ${port} of ${address} (${code})`, {
      hint: "somebody else does; --port takes another port",
      cause,
    });
  }
  const { port: got } = server.address() as AddressInfo;
  return got;
}
