/**
 * The only place that opens a connection to the outside: a granted name becomes an address once, the
 * address is checked, and exactly that address is dialled.
 *
 * Between check and dial nobody asks the DNS again, so a name cannot be rebound to something inside.
 * `dial:` in a grant names the address instead. No byte is read or written here: what the other side
 * says is for whoever the socket is handed to (docs/decisions/0041, 0120).
 *
 * @module
 */
import { connect as connectTcp, isIP, isIPv6, type NetConnectOpts, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { describeError, Fault, isFault, type Clock } from "../base/index.ts";
import { printDial, type DialOwn, type DialPath } from "../policy/index.ts";
import type { Endpoint } from "../sys/index.ts";
import { forbiddenAddress } from "./addresses.ts";
import type { Destination } from "./dialer.ts";
import type { GatewayLimits } from "./limits.ts";
import { isOwnPlace, type OwnPlaces } from "./own-places.ts";

export interface ConnectorPorts {
  readonly clock: Clock;
  /** Real name resolution; asked for granted names only. */
  resolve(host: string): Promise<readonly string[]>;
  /** Where Cofferdam itself listens now: refused, whatever a grant says. */
  own(): OwnPlaces;
  readonly limits: Pick<GatewayLimits, "addresses" | "connectMs" | "resolvedMs">;
  /**
   * Connects the run to Cofferdam itself, or to what Cofferdam runs for it under the name `host`.
   *
   * @throws {Fault} where it has too many such connections, or is over.
   */
  connectOwn?(host: string): Socket | Promise<Socket>;
  /** Leaves what the peer says first in the kernel: the socket's descriptor will be handed on. */
  readonly unread?: boolean;
}

/**
 * Connects, checked; nothing of what the peer sends has been read.
 *
 * @throws {Fault} `gateway.resolve` (no address), `gateway.address` (every address is refused),
 *   `gateway.connect` (nobody answered), `gateway.aborted`.
 */
export type Connector = (
  to: Destination,
  signal: AbortSignal,
  tried?: (attempt: Attempt) => void,
) => Promise<Socket>;

/** One TCP connection as it leaves this host, told when its SYN does. */
export interface Attempt {
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** Wall clock. */
  readonly atMs: number;
  /** Set when it is given up: nobody answered. */
  failed?: true;
}

interface Answer {
  readonly addresses: Promise<readonly string[]>;
  readonly untilMs: number;
}

const NAMES_MAX = 1024; // Resolved names that one run keeps.

/** A connector for one run: what it has resolved is that run's alone. */
export function createConnector(ports: ConnectorPorts): Connector {
  const answers = new Map<string, Answer>();

  function addressesOf(host: string): Promise<readonly string[]> {
    const { monoMs } = ports.clock.now();
    const known = answers.get(host);
    if (known !== undefined && monoMs < known.untilMs) return known.addresses;
    const addresses = resolveChecked(host, ports);
    // A wildcard grant has no end of names; the one longest known makes room.
    for (const oldest of answers.keys()) {
      if (answers.size < NAMES_MAX) break;
      answers.delete(oldest);
    }
    answers.set(host, { addresses, untilMs: monoMs + ports.limits.resolvedMs });
    // A failure is told to all who wait for it, and not kept.
    addresses.catch(() => answers.delete(host));
    return addresses;
  }

  return async (to, signal, tried) =>
    connectFirst(await placesOf(to, addressesOf), to, { ...ports, tried }, signal);
}

/** Whom to connect to: an address, a Unix socket of this machine, or Cofferdam's answer to its runs. */
type Target = Endpoint | DialPath | DialOwn;

/** The grant's proxy, the grant's own address, or what the name resolves to; in this order. */
async function placesOf(
  { host, port, dial, proxy }: Destination,
  addressesOf: (host: string) => Promise<readonly string[]>,
): Promise<readonly Target[]> {
  if (proxy === undefined && dial !== undefined) return [dial];
  const next = proxy ?? { host, port };
  const addresses = isIP(next.host) === 0 ? await addressesOf(next.host) : [next.host];
  return addresses.map((address) => ({ address, port: next.port }));
}

async function resolveChecked(host: string, ports: ConnectorPorts): Promise<readonly string[]> {
  let found: readonly string[];
  try {
    found = await ports.resolve(host);
  } catch (cause) {
    throw new Fault("gateway.resolve", `${host} has no address`, { cause });
  }
  const refused: string[] = [];
  const good = [...new Set(found)].filter((address) => {
    const why = forbiddenAddress(address) ?? (isOfThisHost(address) ? "this host" : undefined);
    if (why !== undefined) refused.push(`${address.slice(0, 64)} (${why})`);
    return why === undefined;
  });
  if (good.length > 0) return good.slice(0, ports.limits.addresses);
  if (refused.length === 0) throw new Fault("gateway.resolve", `${host} has no address`);
  throw new Fault(
    "gateway.address",
    `${host} resolves to nothing public: ${refused.slice(0, ports.limits.addresses).join(", ")}`,
    { hint: "a grant reaches such a place only by `dial:`" },
  );
}

function isOfThisHost(address: string): boolean {
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((one) => one.address === address),
  );
}

/** Asked right before each connection: a console may have opened since the last. */
function requireForeign(target: Target, { host }: Destination, ports: ConnectorPorts): void {
  if ("own" in target || !isOwnPlace(target, ports.own())) return;
  throw new Fault("gateway.address", `${host} is an address of Cofferdam itself`, {
    hint: "no run reaches its console or its control socket",
  });
}

async function connectFirst(
  targets: readonly Target[],
  to: Destination,
  ports: ConnectorPorts & Telling,
  signal: AbortSignal,
): Promise<Socket> {
  const failures: string[] = [];
  // A proxy on this machine would connect to it on the run's behalf.
  if (to.proxy !== undefined && to.dial !== undefined) requireForeign(to.dial, to, ports);
  for (const target of targets) {
    try {
      requireForeign(target, to, ports);
      return await connectOne(
        target,
        { ...ports, host: to.host, isHalfOpen: to.isRelayed === true },
        signal,
      );
    } catch (error) {
      if (isFault(error, "gateway.aborted") || isFault(error, "gateway.address")) throw error;
      failures.push(describeError(error));
    }
  }
  const whom = to.proxy === undefined ? to.host : `the proxy of ${to.host}`;
  throw new Fault("gateway.connect", `${whom} does not answer: ${failures.join("; ")}`);
}

interface Telling {
  readonly tried: ((attempt: Attempt) => void) | undefined;
}

/** Node connects in the next tick; from then on the kernel says which port it took. */
function tell(socket: Socket, to: Endpoint, { clock, tried }: ConnectorPorts & Telling) {
  const told: { attempt?: Attempt } = {};
  if (tried === undefined) return told;
  process.nextTick(() => {
    const { localAddress: address, localPort: port } = socket;
    if (address === undefined || port === undefined) return; // No route: nothing left.
    told.attempt = { from: { address, port }, to, atMs: clock.now().wallMs };
    tried(told.attempt);
  });
  return told;
}

function connectOne(
  target: Target,
  ports: ConnectorPorts & Telling & { readonly host: string; readonly isHalfOpen: boolean },
  signal: AbortSignal,
): Promise<Socket> {
  const { limits, unread = false, isHalfOpen } = ports;
  if ("own" in target) return connectWithin(ports);
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new Fault("gateway.aborted", "the client left"));
      return;
    }
    const socket = connectTcp({ ...optionsFor(target), allowHalfOpen: isHalfOpen });
    if (unread) socket.pause();
    const told = "address" in target ? tell(socket, target, ports) : {};
    const settle = (error?: Error) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      if (error === undefined) {
        resolve(socket);
        return;
      }
      if (told.attempt !== undefined) told.attempt.failed = true;
      socket.destroy();
      reject(error);
    };
    const abort = () => settle(new Fault("gateway.aborted", "the client left"));
    const late = () =>
      settle(new Error(`no answer from ${printDial(target)} in ${limits.connectMs} ms`));
    const timer = setTimeout(late, limits.connectMs);
    signal.addEventListener("abort", abort, { once: true });
    // Stays on: a later error ends in the close of the socket, which whoever has it sees.
    socket.on("error", settle);
    socket.once("connect", () => settle());
  });
}

async function connectWithin({
  connectOwn: own,
  host,
}: Pick<ConnectorPorts, "connectOwn"> & { readonly host: string }): Promise<Socket> {
  if (own === undefined) throw new Fault("gateway.connect", "nobody of Cofferdam answers here");
  return own(host);
}

function optionsFor(target: Exclude<Target, DialOwn>): NetConnectOpts {
  if ("path" in target) return { path: target.path };
  return {
    host: target.address,
    port: target.port,
    family: isIPv6(target.address) ? 6 : 4,
    noDelay: true,
    autoSelectFamily: false,
    // Belt and braces: text that is an address is never looked up, and this holds it.
    lookup: (_host, _options, done) => done(new Error("no look-ups here"), ""),
  };
}
