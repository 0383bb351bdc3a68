/**
 * The only place that opens a connection to the outside: a granted name becomes an address once, the
 * address is checked, and exactly that address is dialled.
 *
 * Between check and dial nobody asks the DNS again, so a name cannot be rebound to something inside.
 * `dial:` in a grant names the address instead. Upstream TLS is verified before the socket is handed
 * out: an unverified upstream gets no byte of a request. docs/decisions/0041.
 *
 * @module
 */
import { connect as connectTcp, isIP, isIPv6, type NetConnectOpts, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { assert, describeError, Fault, isFault, type Clock } from "../base/index.ts";
import { printDial, printProxy, type Dial, type DialPath, type Proxy } from "../policy/index.ts";
import type { Endpoint } from "../sys/index.ts";
import { forbiddenAddress } from "./addresses.ts";
import type { GatewayLimits } from "./limits.ts";
import { connectThrough } from "./upstream-proxy.ts";
import type { UpstreamTrust } from "./upstream-trust.ts";

/** Where a granted flow goes on the other side. */
export interface Destination {
  /** Canonical granted name: what the upstream's certificate must say. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** The grant's own address, which replaces resolution. */
  readonly dial?: Dial;
  /** The grant's own HTTP proxy, through which the connection goes; only with `tls`. */
  readonly proxy?: Proxy;
  /** Bytes are passed on as they come, so one end of the connection may be closed before the other. */
  readonly isRelayed?: boolean;
  /** PEM of certificate authorities that may vouch for it besides the system's. */
  readonly ca?: string;
}

/** A connected upstream; `socket` speaks TLS where asked for, `raw` is what is counted. */
export interface Upstream {
  readonly socket: Socket | TLSSocket;
  readonly raw: Socket;
}

export interface DialerPorts {
  readonly clock: Clock;
  resolve(host: string): Promise<readonly string[]>;
  ownAddresses(): readonly Endpoint[];
  readonly trust: UpstreamTrust;
  readonly limits: GatewayLimits;
}

export interface Dialer {
  /**
   * Connects, checked and verified.
   *
   * @throws {Fault} `gateway.resolve` (no address), `gateway.address` (every address is refused),
   *   `gateway.connect` (nobody answered), `gateway.certificate` (the upstream is not who it should
   *   be), `gateway.upstream_tls` (TLS failed otherwise), `gateway.proxy`, `gateway.aborted`.
   */
  dial(to: Destination, signal: AbortSignal): Promise<Upstream>;
}

interface Answer {
  readonly addresses: Promise<readonly string[]>;
  readonly untilMs: number;
}

const NAMES_MAX = 1024; // Resolved names that one run keeps.

/** A dialer for one run: what it has resolved is that run's alone. */
export function createDialer(ports: DialerPorts): Dialer {
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

  return {
    async dial(to, signal) {
      const targets = await targetsOf(to, ports, addressesOf);
      const raw = await connectFirst(targets, to, ports.limits.connectMs, signal);
      if (to.proxy !== undefined) {
        assert(to.tls, "through a proxy goes only what TLS protects");
        const options = { timeoutMs: ports.limits.connectMs, signal };
        await connectThrough(raw, authorityOf(to), options);
      }
      if (!to.tls) return { socket: raw, raw };
      return { socket: await secure(raw, to, ports, signal), raw };
    },
  };
}

/** Whom to connect to: an address, or a Unix socket of this machine. */
type Target = Endpoint | DialPath;

async function targetsOf(
  to: Destination,
  ports: DialerPorts,
  addressesOf: (host: string) => Promise<readonly string[]>,
): Promise<readonly Target[]> {
  const targets = await placesOf(to, addressesOf);
  const own = ports.ownAddresses();
  const open = targets.filter(
    (target) => "path" in target || !own.some((mine) => isSame(mine, target)),
  );
  if (open.length === 0) {
    throw new Fault("gateway.address", `${to.host} is an address of Cofferdam itself`);
  }
  return open;
}

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

/** What a proxy is asked for: the grant's own address, else the granted name, which it resolves. */
function authorityOf({ host, port, dial }: Destination): string {
  return dial === undefined ? printProxy({ host, port }) : printDial(dial);
}

async function resolveChecked(host: string, ports: DialerPorts): Promise<readonly string[]> {
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

function isSame(mine: Endpoint, target: Endpoint): boolean {
  return mine.address === target.address && (mine.port === 0 || mine.port === target.port);
}

async function connectFirst(
  targets: readonly Target[],
  to: Destination,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  const failures: string[] = [];
  for (const target of targets) {
    try {
      return await connectOne(target, { timeoutMs, isHalfOpen: to.isRelayed === true }, signal);
    } catch (error) {
      if (isFault(error, "gateway.aborted")) throw error;
      failures.push(describeError(error));
    }
  }
  const whom = to.proxy === undefined ? to.host : `the proxy of ${to.host}`;
  throw new Fault("gateway.connect", `${whom} does not answer: ${failures.join("; ")}`);
}

function connectOne(
  target: Target,
  { timeoutMs, isHalfOpen }: { readonly timeoutMs: number; readonly isHalfOpen: boolean },
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new Fault("gateway.aborted", "the client left"));
      return;
    }
    const socket = connectTcp({ ...optionsFor(target), allowHalfOpen: isHalfOpen });
    const settle = (error?: Error) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      if (error === undefined) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(error);
    };
    const abort = () => settle(new Fault("gateway.aborted", "the client left"));
    const late = () => settle(new Error(`no answer from ${printDial(target)} in ${timeoutMs} ms`));
    const timer = setTimeout(late, timeoutMs);
    signal.addEventListener("abort", abort, { once: true });
    // Stays on: a later error ends in the close of the socket, which whoever has it sees.
    socket.on("error", settle);
    socket.once("connect", () => settle());
  });
}

function optionsFor(target: Target): NetConnectOpts {
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

/** Speaks TLS with `raw` and resolves only when the peer has proved to be `to.host`. */
function secure(
  raw: Socket,
  to: Destination,
  ports: DialerPorts,
  signal: AbortSignal,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      socket: raw,
      servername: to.host,
      secureContext: ports.trust.contextFor(to.ca),
      ALPNProtocols: ["http/1.1"],
      rejectUnauthorized: true, // INV-14; the certificate is for `servername`, whatever was dialled.
    });
    const settle = (error?: Error) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      socket.removeListener("close", ended);
      if (error === undefined && socket.authorized) {
        resolve(socket);
        return;
      }
      socket.destroy();
      raw.destroy();
      reject(isFault(error) ? error : tlsFault(to.host, error));
    };
    const abort = () => settle(new Fault("gateway.aborted", "the client left"));
    const ended = () => settle(new Error("the connection ended during the handshake"));
    const late = () => settle(new Error("no TLS handshake in time"));
    const timer = setTimeout(late, ports.limits.upstreamHandshakeMs);
    signal.addEventListener("abort", abort, { once: true });
    socket.on("error", settle);
    socket.once("close", ended);
    socket.once("secureConnect", () => settle());
  });
}

// Codes of OpenSSL's verification (X509_V_ERR_*) and of Node's host name check.
const CERTIFICATE_CODE = /CERT|ISSUER|SELF_SIGNED|SIGNATURE|CRL|HOSTNAME|INVALID_CA|ALTNAME|CHAIN/;

function tlsFault(host: string, error: Error | undefined): Fault {
  const code = error !== undefined && "code" in error ? String(error.code) : "";
  const text = error?.message ?? "not verified";
  if (CERTIFICATE_CODE.test(code)) {
    const hint = "if it is a private authority's, name that authority by `ca:` in the grant";
    return new Fault("gateway.certificate", `${host} is not proved: ${text} (${code})`, { hint });
  }
  return new Fault("gateway.upstream_tls", `TLS with ${host} failed: ${text}`);
}
