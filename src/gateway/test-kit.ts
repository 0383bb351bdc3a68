/**
 * For the tests of this folder: a gateway whose listeners stand on loopback, a run that remembers what
 * it was told, and upstreams of its own. Policy, catalog, names, certificates and sockets are real.
 *
 * @module
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Server as HttpServer } from "node:http";
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { Action, Process } from "../action/index.ts";
import { UNKNOWN_PROCESS } from "../action/index.ts";
import { catalogSystems, findEntry } from "../catalog/index.ts";
import { createLog, systemClock, type Log } from "../base/index.ts";
import {
  compilePolicy,
  decide,
  initialPolicyState,
  isStanding,
  parseTaskFile,
} from "../policy/index.ts";
import { allocate, checked, native, type Endpoint } from "../sys/index.ts";
import type { Lease } from "../vault/index.ts";
import { createConnector, type ConnectorPorts } from "./connector.ts";
import type { OwnPlaces } from "./own-places.ts";
import type { Denial } from "./denial.ts";
import { createNamePool, type NamePool } from "./dns/index.ts";
import { createGateway, type Gateway } from "./gateway.ts";
import { intentOf } from "./intent.ts";
import { GATEWAY_LIMITS, type GatewayLimits } from "./limits.ts";
import {
  isOperation,
  type EventDraft,
  type FindingSubject,
  type GatewayRun,
  type HeldRequest,
  type Resolution,
  type Way,
} from "./ports.ts";
import { openAuthority, type CertificateAuthority } from "./tls/index.ts";
import { createUpstreamTrust } from "./upstream-trust.ts";

/** The process that every flow of a test belongs to. */
export const AGENT: Process = {
  ...UNKNOWN_PROCESS,
  pid: 4121,
  exe: "/usr/bin/agent",
  argv: ["agent"],
  knownBy: "seccomp",
};

/** What a run was told, in order. */
export interface Told {
  readonly events: (EventDraft & { readonly synced: boolean })[];
  readonly denials: Denial[];
  readonly findings: {
    readonly kind: string;
    readonly detail: string;
    readonly of: FindingSubject;
  }[];
  readonly actions: Action[];
  readonly held: { readonly request: HeldRequest; readonly action: Action }[];
}

export interface World extends Told {
  readonly gateway: Gateway;
  /** Certificates that the run trusts. */
  readonly authority: CertificateAuthority;
  /** Opens a connection that the gateway takes for one to `host:port`, by its pool address. */
  dial(host: string, port: number): Promise<Socket>;
  /** The same to an address. */
  dialAddress(address: string, port: number): Promise<Socket>;
  /** The pool address of `host`. */
  addressOf(host: string, family?: 4 | 6): string;
  /** A loopback port where connections are taken for ones to `host:port`. */
  listenerFor(host: string, port: number): Promise<number>;
  /** The same, with TLS as the agent does it. */
  secure(host: string, port: number, options?: ConnectionOptions): Promise<TLSSocket>;
  /** Takes the named grants back; tells how many flows that cut. */
  revoke(...names: readonly string[]): number;
  /** Looks at every flow again; tells how many were cut. */
  recheck(): number;
  event(type: string): EventDraft | undefined;
  /** A field of every event's data that has it, as JSON, in order. */
  said(field: string): readonly string[];
  /** Resolves when `count` flows have been closed and recorded. */
  flowsClosed(count: number): Promise<void>;
  close(): Promise<void>;
}

export interface WorldOptions {
  /** YAML of the grants, indented by two. */
  readonly grants: string;
  readonly limits?: Partial<GatewayLimits>;
  readonly resolve?: ConnectorPorts["resolve"];
  readonly own?: OwnPlaces;
  readonly authorities?: ReadonlyMap<string, string>;
  readonly record?: GatewayRun["record"];
  readonly attribute?: GatewayRun["attribute"];
  readonly placeholders?: GatewayRun["placeholders"];
  /** Makes the connection that is asked for along with a request, once that is allowed. */
  readonly ahead?: (way: Way) => Promise<Socket>;
  /** The credential of each allowed request. */
  readonly lease?: Lease;
  /** What a person says; nobody is there by default. */
  readonly hold?: (request: HeldRequest, action: Action) => Promise<Resolution>;
}

const authorities = new Map<string, Promise<CertificateAuthority>>();

/** One authority per name for the whole test process: making one costs more than using it. */
export function authorityNamed(name: string): Promise<CertificateAuthority> {
  const known = authorities.get(name);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-gateway-"));
  // Once opened it needs its file no more.
  const made = openAuthority(folder).finally(() => rmSync(folder, { recursive: true }));
  authorities.set(name, made);
  return made;
}

export async function openWorld(options: WorldOptions): Promise<World> {
  const source = `task: test\npurpose: A test.\ngrants:\n${options.grants}`;
  const task = parseTaskFile(source, "task.yaml", Date.now(), catalogSystems());
  let policy = compilePolicy(task);
  const told: Told = { events: [], denials: [], findings: [], actions: [], held: [] };
  let state = initialPolicyState;
  const run: GatewayRun = {
    id: "r-test",
    get policy() {
      return policy;
    },
    ...(options.authorities === undefined ? {} : { authorities: options.authorities }),
    intend(action, flow, way) {
      told.actions.push(action);
      const decision = decide(policy, state, action);
      state = decision.state;
      const { event, sync } = intentOf(action, decision, flow);
      const lease = decision.verdict === "allow" ? options.lease : undefined;
      return run.record(event, { sync }).then(() => ({
        ...decision,
        ...(lease === undefined ? {} : { lease }),
        ...(way === undefined || options.ahead === undefined || decision.verdict !== "allow"
          ? {}
          : { connection: options.ahead(way) }),
      }));
    },
    async hold(request, action) {
      if (isOperation(request)) throw new Error("this kit holds requests");
      told.held.push({ request, action });
      return (
        (await options.hold?.(request, action)) ?? {
          kind: "pending",
          approval: "p-1",
          reason: "nobody is there",
        }
      );
    },
    entryOf: findEntry,
    recording: () => Promise.reject(new Error("this kit has no terminals")),
    placeholders: options.placeholders ?? { given: [], find: () => [] },
    stands: (action, isApproved) => isStanding(policy, state, action, isApproved),
    denied: (denial) => void told.denials.push(denial),
    attribute: options.attribute ?? (() => Promise.resolve(AGENT)),
    async record(event, recordOptions = {}) {
      const seq = (await options.record?.(event, recordOptions)) ?? told.events.length;
      told.events.push({ ...event, synced: recordOptions.sync === true });
      return seq;
    },
    finding: (kind, detail, of) => void told.findings.push({ kind, detail, of }),
  };
  const destinations = new Map<number, Endpoint>();
  const pool = createNamePool();
  const authority = await authorityNamed("run");
  const gateway = createGateway(run, {
    clock: systemClock,
    authority,
    connect: createConnector({
      clock: systemClock,
      limits: { ...GATEWAY_LIMITS, ...options.limits },
      resolve: options.resolve ?? (() => Promise.reject(new Error("no DNS in this test"))),
      own: () => options.own ?? { ports: [], sockets: [] },
    }),
    log: QUIET,
    originalDestination: (socket) => destinations.get(socket.localPort ?? 0) ?? noDestination(),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    trust: createUpstreamTrust(() => []),
    pool,
  });
  const listeners = new Map<string, number>();
  const listenFor = (to: Endpoint): number => {
    const key = `${to.address} ${to.port}`;
    const known = listeners.get(key);
    if (known !== undefined) return known;
    const { descriptor, port } = listenOnLoopback();
    destinations.set(port, to);
    gateway.acceptTcp(descriptor);
    listeners.set(key, port);
    return port;
  };
  const dialAddress = async (address: string, port: number): Promise<Socket> => {
    const socket = connect({
      port: listenFor({ address, port }),
      host: "127.0.0.1",
      noDelay: true,
    });
    socket.on("error", () => {});
    // A refused connection may be reset before this end has seen it open.
    await new Promise<void>((resolve) => {
      for (const event of ["connect", "close"]) socket.once(event, () => resolve());
    });
    return socket;
  };
  const dial = (host: string, port: number) => dialAddress(poolAddress(pool, host), port);
  return {
    ...told,
    gateway,
    authority,
    addressOf: (host, family = 4) => poolAddress(pool, host, family),
    dial,
    dialAddress,
    listenerFor: (host, port) =>
      Promise.resolve(listenFor({ address: poolAddress(pool, host), port })),
    async secure(host, port, tlsOptions = {}) {
      const socket = connectTls({
        socket: await dial(host, port),
        servername: host,
        ca: authority.certificatePem,
        ALPNProtocols: ["http/1.1"],
        ...tlsOptions,
      });
      socket.on("error", () => {});
      await once(socket, "secureConnect");
      return socket;
    },
    revoke(...names) {
      policy = compilePolicy(task, names);
      return gateway.recheck();
    },
    recheck: () => gateway.recheck(),
    event: (type) => told.events.find((event) => event.type === type),
    said: (field) =>
      told.events.flatMap(({ data }) =>
        data?.[field] === undefined ? [] : JSON.stringify(data[field]),
      ),
    async flowsClosed(count) {
      while (told.events.filter((event) => event.type === "flow.close").length < count) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
    close: () => gateway.close(),
  };
}

function noDestination(): never {
  throw new Error("the kernel knows no original destination");
}

function poolAddress(pool: NamePool, host: string, family: 4 | 6 = 4): string {
  const address = pool.addressFor(host, family);
  if (address === undefined) throw new Error("the pool is full");
  return address;
}

const NUMBERS = process.arch === "arm64" ? [198, 200, 201, 204] : [41, 49, 50, 51];
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC_NONBLOCK = 0x80800;

/** A listening socket that no Node object owns, as the launcher hands them out. */
export function listenOnLoopback(): { readonly descriptor: number; readonly port: number } {
  const [socketNumber = 0, bindNumber = 0, listenNumber = 0, nameNumber = 0] = NUMBERS;
  const call = (name: string, number: number, a: number, b: number | bigint, c: number | bigint) =>
    checked(name, native.syscall(number, a, b, c, 0, 0, 0));
  const address = allocate(20);
  address.bytes.writeUInt16LE(AF_INET, 0);
  address.bytes.writeUInt32BE(0x7f000001, 4);
  address.bytes.writeUInt32LE(16, 16); // Of the address, for getsockname.
  const descriptor = call("socket", socketNumber, AF_INET, SOCK_STREAM | SOCK_CLOEXEC_NONBLOCK, 0);
  call("bind", bindNumber, descriptor, address.address, 16);
  call("listen", listenNumber, descriptor, 128, 0);
  call("getsockname", nameNumber, descriptor, address.address, address.address + 16n);
  return { descriptor, port: address.bytes.readUInt16BE(2) };
}

/** Listens on a free loopback port. */
export async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Everything that `socket` says until it ends or breaks, or until `enough`. */
export function readAll(
  socket: Socket,
  enough: (text: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const done = () => resolve(text);
    if (socket.closed || socket.readableEnded) done();
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (enough(text)) done();
    });
    for (const event of ["end", "close", "error"]) socket.once(event, done);
  });
}

export { createServer };

/** Set COFFERDAM_TEST_LOG to see what the gateway logs. */
const QUIET: Log =
  process.env["COFFERDAM_TEST_LOG"] === undefined
    ? { info: () => {}, warn: () => {} }
    : createLog((line) => void process.stderr.write(line));

/** Closes servers and what is connected to them. */
export async function destroyAll(servers: readonly Server[]): Promise<void> {
  for (const server of servers) {
    server.close();
    if (server instanceof HttpServer) server.closeAllConnections();
  }
  await Promise.resolve();
}
