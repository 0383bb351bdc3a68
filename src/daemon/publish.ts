/**
 * Published ports: the host's loopback leads into the run (INV-31).
 *
 * The daemon cannot enter the run's network, so process 1 hands out sockets that were made there; the
 * daemon connects one to the run's own loopback and passes bytes on. Nothing of the run connects to
 * anything by this, and nothing but loopback of this machine gets in: the listeners stand on 127.0.0.1
 * and ::1, and the kernel is asked whose the connecting socket is. docs/decisions/0049.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, Socket, type Server } from "node:net";
import { createId, describeError, Fault, type Clock } from "../base/index.ts";
import { relay, tearSocket, type EventDraft } from "../gateway/index.ts";
import { printPublished, type Published } from "../policy/index.ts";
import { closeDescriptor, findSocket, internetFamily, openSockDiag } from "../sys/index.ts";

const CONNECTIONS_MAX = 256; // Of one run, over all its ports; a browser opens six to a site.
const CONNECT_MS = 5000; // Inside: where nobody accepts and the queue is full.
const IDLE_MS = 30 * 60_000;
const LOOPBACK = ["127.0.0.1", "::1"] as const;
const NO_SUCH_ADDRESS: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT"]);

/** What the ports of one run need. */
export interface PublishPorts {
  readonly clock: Clock;
  /** Users who may connect besides root. */
  readonly uid: number;
  record(event: EventDraft): Promise<number>;
  /** Told of a connection that was refused, without waiting. */
  note(event: EventDraft): void;
  /** Who has this port already, as far as we know. */
  holderOf(port: number): string | undefined;
}

/** The open ports of one run. */
export interface PublishedPorts {
  /** From here on connections lead into the run; before, they are reset. */
  begin(sockets: () => Promise<readonly number[]>): void;
  /** Closes every port that is not among `ports`, and cuts its connections. */
  keep(ports: readonly Published[]): void;
  /** Closes all; resolves when every connection's end is recorded. */
  close(): Promise<void>;
}

/**
 * Listens on every port.
 *
 * @throws {Fault} `daemon.publish` where one is taken; then none is open.
 */
export async function openPublished(
  published: readonly Published[],
  ports: PublishPorts,
): Promise<PublishedPorts> {
  const doors: Door[] = [];
  const sockDiag = published.length === 0 ? -1 : openSockDiag();
  const shared: Shared = { ports, sockDiag, open: 0, sockets: undefined };
  let closing: Promise<unknown> | undefined;
  const close = async () => {
    closing ??= Promise.all(doors.map((door) => door.close())).then(() => {
      if (sockDiag >= 0) closeDescriptor(sockDiag);
    });
    await closing;
  };
  try {
    for (const port of published) {
      const door = new Door(port, shared);
      doors.push(door);
      await door.open();
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    begin: (sockets) => void (shared.sockets = sockets),
    keep(kept) {
      const names = new Set(kept.map(printPublished));
      for (const door of doors) if (!names.has(door.name)) void door.close();
    },
    close,
  };
}

/** What all ports of a run share. */
interface Shared {
  readonly ports: PublishPorts;
  /** NETLINK_SOCK_DIAG of the host's network. */
  readonly sockDiag: number;
  open: number;
  sockets: (() => Promise<readonly number[]>) | undefined;
}

class Door {
  readonly name: string;
  readonly #published: Published;
  readonly #shared: Shared;
  readonly #servers: Server[] = [];
  readonly #live = new Map<Socket, Promise<void>>();
  #isClosed = false;

  constructor(published: Published, shared: Shared) {
    this.name = printPublished(published);
    this.#published = published;
    this.#shared = shared;
  }

  async open(): Promise<void> {
    for (const host of LOOPBACK) {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
        this.#take(socket),
      );
      server.listen({ host, port: this.#published.host, ipv6Only: true, exclusive: true });
      try {
        await once(server, "listening");
        this.#servers.push(server);
      } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : "";
        // A machine without IPv6 has no ::1 to take; 127.0.0.1 is everywhere.
        if (!(host === "::1" && NO_SUCH_ADDRESS.has(code))) throw this.#taken(host, error);
      }
    }
  }

  #taken(host: string, cause: unknown): Fault {
    const port = this.#published.host;
    const holder = this.#shared.ports.holderOf(port);
    const who = holder === undefined ? describeError(cause) : `${holder} has it`;
    return new Fault("daemon.publish", `port ${port} of ${host} cannot be published: ${who}`, {
      cause,
      hint: `choose another in the task file: publish: ["${port + 1}:${this.#published.run}"]`,
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const server of this.#servers) server.close();
    for (const socket of this.#live.keys()) tearSocket(socket);
    await Promise.all(this.#live.values());
  }

  #take(socket: Socket): void {
    socket.on("error", () => {}); // Its close follows.
    const { ports, sockDiag, sockets } = this.#shared;
    if (sockets === undefined || this.#isClosed || this.#shared.open >= CONNECTIONS_MAX) {
      tearSocket(socket);
      return;
    }
    const uid = ownerOf(socket, sockDiag);
    if (uid !== 0 && uid !== ports.uid) {
      tearSocket(socket);
      ports.note({
        type: "denial",
        verdict: "deny",
        rule: "publish.user",
        target: this.#target,
        data: {
          title: "A published port is for the user who started the run",
          reason: uid === undefined ? "nobody holds the connection" : `user ${uid} connected`,
          direction: "in",
        },
      });
      return;
    }
    this.#shared.open += 1;
    const lived = this.#serve(socket, uid, sockets).finally(() => {
      this.#shared.open -= 1;
      this.#live.delete(socket);
    });
    this.#live.set(socket, lived);
  }

  get #target(): string {
    return `publish:${this.name}`;
  }

  /** One connection from its record to its end. Does not throw: a failed record has ended the run. */
  async #serve(
    socket: Socket,
    uid: number,
    sockets: () => Promise<readonly number[]>,
  ): Promise<void> {
    const { ports } = this.#shared;
    const start = ports.clock.now();
    const common = { target: this.#target, flow: createId("f", start.wallMs) };
    const { host, run } = this.#published;
    const opened = {
      direction: "in",
      address: socket.localAddress ?? "",
      port: host,
      runPort: run,
      uid,
      protocol: "tcp",
    };
    let reason = "closed";
    try {
      await ports.record({ type: "flow.open", ...common, data: opened });
      const inner = await connectInside(await sockets(), run);
      if (inner === undefined) {
        reason = `nothing listens on port ${run} inside`;
        tearSocket(socket);
      } else {
        if (socket.destroyed) inner.destroy();
        await relay(socket, inner, { idleMs: IDLE_MS, cut: (why) => (reason = why) });
      }
      const durationMs = Math.round(ports.clock.now().monoMs - start.monoMs);
      const { bytesRead: bytesIn, bytesWritten: bytesOut } = socket;
      const data = { direction: "in", bytesIn, bytesOut, durationMs, reason };
      await ports.record({ type: "flow.close", ...common, data });
    } catch {
      tearSocket(socket); // The recorder has told the run, which ends.
    }
  }
}

/** The user who holds the other end; `undefined` where nobody does any more, whoever it was. */
function ownerOf(socket: Socket, sockDiag: number): number | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || localAddress === undefined) return undefined;
  const found = findSocket(sockDiag, {
    protocol: "tcp",
    local: { address: remoteAddress, port: remotePort ?? 0 },
    remote: { address: localAddress, port: localPort ?? 0 },
  });
  return found === undefined || found.inode === 0 ? undefined : found.uid;
}

/** Connects the first of `descriptors` that finds somebody on the run's own loopback; nothing of it is read. */
export async function connectInside(
  descriptors: readonly number[],
  port: number,
): Promise<Socket | undefined> {
  const left = [...descriptors];
  for (let fd = left.shift(); fd !== undefined; fd = left.shift()) {
    const socket = await connectOne(fd, port);
    if (socket === undefined) continue;
    left.forEach(closeDescriptor);
    return socket;
  }
  return undefined;
}

function connectOne(fd: number, port: number): Promise<Socket | undefined> {
  const family = internetFamily(fd);
  // `pauseOnCreate` is how Node's own cluster hands sockets over: nothing is read before the connect.
  const options = { fd, allowHalfOpen: true, pauseOnCreate: true };
  const socket = new Socket(options);
  return new Promise((resolve) => {
    const timer = setTimeout(() => fail(), CONNECT_MS);
    const fail = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(undefined);
    };
    socket.on("error", fail);
    socket.connect({ port, host: family === 6 ? "::1" : "127.0.0.1" }, () => {
      clearTimeout(timer);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}
