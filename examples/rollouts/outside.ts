/**
 * The world outside of the training host: servers on loopback addresses, and the firewall before them, which knows
 * nothing of Cofferdam and writes a line where a connection comes that is on its list of alarms.
 *
 * @module
 */
import { createServer as createHttp } from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A pool, the documentation beside it at the same address, three nodes inside, a host for logins outside. */
const SHARED = "127.71.0.21";
const NODES = ["127.71.0.11", "127.71.0.12", "127.71.0.13"] as const;
const JUMP = "127.71.0.31";
const WORD = "cofferdam\n";

/** What the firewall cries at: by address and port, as firewalls do. */
export const ALARMS = ["MINING-POOL", "KUBELET-PROBE", "SSH-OUTBOUND"] as const;
export type Alarm = (typeof ALARMS)[number];

export interface Outside {
  /** The task file's grants: what the training job is let reach, which is more than it needs. */
  readonly grants: string;
  /** Lines of the firewall's log so far, in the form of the kernel's LOG target. */
  readonly lines: readonly string[];
  /** Where a login of the host's own, of no run, may be tried. */
  readonly jump: { readonly address: string; readonly port: number };
  /** Bytes that came to a place of an alarm: what got through. */
  readonly received: ReadonlyMap<Alarm, number>;
  close(): Promise<void>;
}

export async function openOutside(): Promise<Outside> {
  const lines: string[] = [];
  const received = new Map<Alarm, number>();
  const servers: Server[] = [];
  const listen = async (server: Server, address: string) => {
    servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, address, resolve);
    });
    return (server.address() as AddressInfo).port;
  };
  const alarmed = async (alarm: Alarm, address: string, greeting?: string) => {
    const server = createServer((socket: Socket) => {
      lines.push(lineOf(alarm, socket));
      socket.on("error", () => {});
      socket.on("data", (data) => {
        received.set(alarm, (received.get(alarm) ?? 0) + data.length);
        if (greeting === undefined)
          socket.end("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n");
      });
      if (greeting !== undefined) socket.write(greeting);
    });
    return listen(server, address);
  };
  const docs = await listen(
    createHttp((_, response) => void response.end(WORD)),
    SHARED,
  );
  const shards = await listen(
    createHttp((_, response) => void response.end(Buffer.alloc(20_000, 7))),
    NODES[0],
  );
  const pool = await alarmed("MINING-POOL", SHARED, "");
  const kubelets = await Promise.all(NODES.map(async (node) => alarmed("KUBELET-PROBE", node)));
  const jump = await alarmed("SSH-OUTBOUND", JUMP, "SSH-2.0-OpenSSH_9.6\r\n");
  const opaque = (name: string, host: string, port: number, dial: string) =>
    `  - { system: tcp, name: ${name}, hosts: [${host}], ports: [${port}], dial: "${dial}", opaque: true }`;
  return {
    lines,
    received,
    jump: { address: JUMP, port: jump },
    grants: [
      "grants:",
      `  - { system: http, name: docs, hosts: [docs.train.example], ports: [80], tls: false, dial: "${SHARED}:${docs}", allow: [{ methods: [GET], paths: ["/**"] }] }`,
      `  - { system: http, name: shards, hosts: [node11.train.example], ports: [9000], tls: false, dial: "${NODES[0]}:${shards}", allow: [{ methods: [GET], paths: ["/shard"] }] }`,
      opaque("pool", "pool.train.example", 3333, `${SHARED}:${pool}`),
      ...NODES.map((node, at) =>
        opaque(`node${11 + at}`, `node${11 + at}.train.example`, 10250, `${node}:${kubelets[at]}`),
      ),
      opaque("jump", "jump.train.example", 2222, `${JUMP}:${jump}`),
      "",
    ].join("\n"),
    async close() {
      await Promise.all(
        servers.map(
          async (server) =>
            new Promise<void>((resolve) => {
              server.close(() => resolve());
              if ("closeAllConnections" in server) (server.closeAllConnections as () => void)();
            }),
        ),
      );
    },
  };
}

/** As nftables and iptables log it, behind a time of RFC 3339. */
function lineOf(
  alarm: Alarm,
  { remoteAddress, remotePort, localAddress, localPort }: Socket,
): string {
  const at = new Date().toISOString();
  return `${at} gateway kernel: ${alarm} IN=lan0 OUT=wan0 SRC=${remoteAddress} DST=${localAddress} LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=0 DF PROTO=TCP SPT=${remotePort} DPT=${localPort} WINDOW=65495 RES=0x00 SYN URGP=0`;
}
