/**
 * From a flow, as the accepting side sees it, to the socket at its other end and its process.
 *
 * The client's socket carries its own source, which the redirect leaves alone, and as its destination
 * the address that it asked for, before the redirect (docs/decisions/0061). With both, the kernel
 * finds it by one look-up; with the source alone by a list, which is fifty times slower.
 *
 * @module
 */
import { readdir, readlink } from "node:fs/promises";
import { findSocket, listSockets, type Endpoint, type SocketRecord } from "../sys/index.ts";

/** A connection as the accepting side sees it. Addresses in text, IPv4 never mapped. */
export interface Flow {
  readonly family: 4 | 6;
  /** The accepting side: after the redirect this is the listener, and tells nothing. */
  readonly localAddress: string;
  readonly localPort: number;
  /** The client. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Where the client was going (SO_ORIGINAL_DST): makes the look-up exact and quick. */
  readonly destination?: Endpoint;
  /** Default tcp. */
  readonly protocol?: "tcp" | "udp";
}

/** Most processes and descriptors looked at in one search through /proc. */
const PROCESSES_MAX = 4096;
const DESCRIPTORS_MAX = 4096;
const CANDIDATES_MAX = 32; // Each costs a list of a millisecond.

/** The client's socket, asked through a diagnosis socket of the run's network namespace. */
export function clientSocket(sockDiagFd: number, flow: Flow): SocketRecord | undefined {
  const protocol = flow.protocol ?? "tcp";
  const local = { address: plain(flow.remoteAddress), port: flow.remotePort };
  const destinations = [
    flow.destination,
    { address: plain(flow.localAddress), port: flow.localPort }, // Where nothing was redirected.
  ];
  for (const remote of destinations) {
    if (remote === undefined) continue;
    const found = findSocket(sockDiagFd, { protocol, local, remote });
    if (found !== undefined) return found;
  }
  if (flow.destination === undefined || protocol === "udp") {
    return clientByPort(sockDiagFd, protocol, local);
  }
  return clientBehindAnotherPort(sockDiagFd, flow.destination);
}

/**
 * The client of a flow whose source port is not its own. Two sockets may share a source where they go
 * to different places; after the redirect they go to one place, and the kernel gives the second flow
 * another port. So it is a socket to this destination that shares its source with another socket.
 */
function clientBehindAnotherPort(sockDiagFd: number, remote: Endpoint): SocketRecord | undefined {
  const list = (localPort: number, remotePort: number) =>
    ([4, 6] as const).flatMap((family) =>
      listSockets(sockDiagFd, { protocol: "tcp", family, localPort, remotePort }),
    );
  const shares = (one: SocketRecord) =>
    list(one.local.port, 0).filter((other) => other.local.address === one.local.address).length > 1;
  const found = list(0, remote.port)
    .filter((one) => one.remote.address === remote.address)
    .slice(0, CANDIDATES_MAX)
    .filter(shares);
  return found.length === 1 ? found[0] : undefined;
}

/** The one socket with this source; two that share it cannot be told apart, and then it is neither. */
function clientByPort(
  sockDiagFd: number,
  protocol: "tcp" | "udp",
  local: Endpoint,
): SocketRecord | undefined {
  // An IPv6 socket may carry an IPv4 connection.
  const lists = ([4, 6] as const).map((family) =>
    listSockets(sockDiagFd, { protocol, family, localPort: local.port, remotePort: 0 }),
  );
  const unbound = protocol === "udp" ? ["0.0.0.0", "::"] : [];
  const found = lists
    .flat()
    .filter((one) => [local.address, ...unbound].includes(one.local.address));
  return found.length === 1 ? found[0] : undefined;
}

const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/, "");

/** The processes of the run (of process 1's pid namespace) that hold socket `inode`. */
export async function holdersOf(initPid: number, inode: number): Promise<readonly number[]> {
  if (inode === 0) return [];
  const namespace = await link(`/proc/${initPid}/ns/pid_for_children`);
  const pids = (await list("/proc")).filter((name) => /^\d+$/.test(name));
  const holders: number[] = [];
  for (const pid of pids.slice(0, PROCESSES_MAX)) {
    if (namespace === undefined || (await link(`/proc/${pid}/ns/pid`)) !== namespace) continue;
    if (await holds(pid, inode)) holders.push(Number(pid));
  }
  return holders;
}

async function holds(pid: string, inode: number): Promise<boolean> {
  for (const descriptor of (await list(`/proc/${pid}/fd`)).slice(0, DESCRIPTORS_MAX)) {
    if ((await link(`/proc/${pid}/fd/${descriptor}`)) === `socket:[${inode}]`) return true;
  }
  return false;
}

// A process may end at any moment, and what it had goes with it.
const link = (path: string) => readlink(path).catch(() => undefined);
const list = (path: string) => readdir(path).catch((): string[] => []);
