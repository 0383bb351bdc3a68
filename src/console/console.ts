/**
 * Puts the console together and opens it: on both loopback addresses, as `http://localhost:PORT`.
 *
 * @module
 */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Home, Role } from "../api/index.ts";
import { Fault, type Log } from "../base/index.ts";
import type { Client } from "../client/index.ts";
import { readAssets } from "./assets.ts";
import type { ConsoleDesk } from "./desk.ts";
import { consoleHandlers } from "./handlers/index.ts";
import { openLive } from "./live/index.ts";
import { openRecord } from "./record/index.ts";
import { createConsoleServer } from "./server.ts";
import { Sessions } from "./session/index.ts";
import { readTeam } from "./team/index.ts";

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

/** @throws {Fault} `console.port` where somebody listens there already; `console.assets`. */
export async function openConsole(options: ConsoleOptions): Promise<Console> {
  const { home, client, packageRoot, log } = options;
  const assets = readAssets(options.assets);
  const team = readTeam(home.root, () => Date.now());
  const closing = new AbortController();
  const now = () => Date.now();
  const sessions = new Sessions(now);
  const record = openRecord({ root: home.root });
  const live = openLive({ client, record, now, log, closing: closing.signal });
  const desk: ConsoleDesk = {
    ...{ home, packageRoot, client, sessions, team, record, live, now },
    closing: closing.signal,
  };
  let origin = new URL("http://localhost");
  const parts = { desk, handlers: consoleHandlers(desk), assets, log, origin: () => origin };
  const servers = [createConsoleServer(parts), createConsoleServer(parts)] as const;
  const port = await listen(servers[0], "127.0.0.1", options.port || (team?.settings.port ?? 0));
  // A browser tries both; whoever held the other could show a page under our name.
  await listen(servers[1], "::1", port);
  origin = new URL(team?.settings.origin ?? `http://localhost:${port}`);
  return {
    origin,
    port,
    link: (roles) => {
      if (team?.settings.links === false) return undefined;
      const uid = process.getuid?.() ?? -1;
      const token = sessions.link({ person: `user ${uid}`, identity: `cli:${uid}`, roles });
      return new URL(`/#link=${token}`, origin);
    },
    close: async () => {
      closing.abort();
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
      await record.close();
    },
  };
}

async function listen(server: Server, address: string, port: number): Promise<number> {
  server.listen(port, address);
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new Fault("console.port", `cannot listen on port ${port} of ${address}`, {
      hint: "another console may be open; --port takes another port",
      cause,
    });
  }
  return (server.address() as AddressInfo).port;
}
