/**
 * Puts the adapter together and opens it, on a loopback address.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import type { Home } from "../api/index.ts";
import { Fault, type Log } from "../base/index.ts";
import { announce, type Client } from "../client/index.ts";
import { ApiKeys } from "./keys.ts";
import { Sandboxes } from "./sandboxes.ts";
import { createAdapterServer } from "./server.ts";
import { readTemplates } from "./templates.ts";

const ADDRESS = "127.0.0.1";

export interface AdapterOptions {
  readonly home: Home;
  readonly client: Client;
  readonly log: Log;
  /** 0: any that is free. */
  readonly port: number;
  /** `NAME=TASKFILE,WORKSPACE`, each; paths from `cwd`. */
  readonly templates: readonly string[];
  readonly cwd: string;
  /** How long a command goes on that nobody listens to. */
  readonly lingerMs: number;
  /** Sandboxes of one key at once. */
  readonly sandboxesMax: number;
}

export interface Adapter {
  readonly origin: URL;
  /** Ends all sandboxes, and then the server. */
  close(): Promise<void>;
}

/**
 * Opens the adapter of `home`: first the daemon keeps runs from its port, then it listens.
 *
 * @throws {Fault} `daemon.adapter` where another is open, `e2b.port` where somebody listens there already, `e2b.template`.
 */
export async function openAdapter(options: AdapterOptions): Promise<Adapter> {
  const { home, client, log, lingerMs, sandboxesMax } = options;
  const templates = readTemplates(options.templates, { cwd: options.cwd, catalog: home.catalog });
  const keys = new ApiKeys(home.root);
  keys.list(); // Read once now: a file that is not one's own is told here.
  const port = options.port === 0 ? await freePort() : options.port;
  const closing = new AbortController();
  const sandboxes = new Sandboxes({ client, log, lingerMs, sandboxesMax });
  try {
    const announced = await announce(
      client,
      "adapter.announce",
      { kind: "e2b", port },
      closing.signal,
    );
    await sandboxes.sweep();
    const host = `${ADDRESS}:${port}`;
    const parts = { client, log, keys, sandboxes, templates, host };
    const server = createAdapterServer({ ...parts, isAnnounced: () => announced.isHeard() });
    await listen(server, port);
    const close = async () => {
      server.close();
      await sandboxes.close();
      server.closeAllConnections();
      closing.abort();
    };
    return { origin: new URL(`http://${host}`), close };
  } catch (error) {
    closing.abort();
    throw error;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, 0);
  server.close();
  await once(server, "close");
  return port;
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen({ port, host: ADDRESS, exclusive: true });
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new Fault("e2b.port", `cannot listen on port ${port} of ${ADDRESS}`, {
      hint: "somebody else does; --listen takes another",
      cause,
    });
  }
  const { port: got } = server.address() as AddressInfo;
  return got;
}
