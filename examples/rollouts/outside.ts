/**
 * The world outside of the training host: servers on loopback addresses, and the firewall before them, which knows
 * nothing of Cofferdam and writes a line where a connection comes that is on its list of alarms.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { createServer as createHttp } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";

/** A pool, the documentation beside it at the same address, three nodes inside, a host for logins outside. */
const SHARED = "127.71.0.21";
const NODES = ["127.71.0.11", "127.71.0.12", "127.71.0.13"] as const;
const JUMP = "127.71.0.31";
const WORD = "cofferdam\n";

const portsSchema = z.object({ ports: z.array(z.number()) });
const saidSchema = z.union([
  z.object({ line: z.string() }),
  z.object({ alarm: z.string(), bytes: z.number() }),
]);

export interface Outside {
  /** The task file's grants: what the training job is let reach, which is more than it needs. */
  readonly grants: string;
  /** Lines of the firewall's log so far, in the form of the kernel's LOG target. */
  readonly lines: readonly string[];
  /** Where a login of the host's own, of no run, may be tried. */
  readonly jump: { readonly address: string; readonly port: number };
  /** Bytes that came to a place of an alarm: what got through. */
  readonly received: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

export async function openOutside(): Promise<Outside> {
  const lines: string[] = [];
  const received = new Map<string, number>();
  const servers: Server[] = [];
  const listen = async (server: Server, address: string) => {
    servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, address, resolve);
    });
    return (server.address() as AddressInfo).port;
  };
  const docs = await listen(
    createHttp((_, response) => void response.end(WORD)),
    SHARED,
  );
  const shards = await listen(
    createHttp((_, response) => void response.end(Buffer.alloc(20_000, 7))),
    NODES[0],
  );
  const places = [
    ["MINING-POOL", SHARED, ""],
    ...NODES.map((node) => ["KUBELET-PROBE", node, ""]),
    ["SSH-OUTBOUND", JUMP, "SSH-2.0-OpenSSH_9.6\r\n"],
  ];
  const firewall = spawn(
    "python3",
    [join(import.meta.dirname, "firewall.py"), JSON.stringify(places)],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const told = createInterface({ input: firewall.stdout });
  const first = await new Promise<string>((resolve, reject) => {
    told.once("line", resolve);
    firewall.once("error", reject);
    firewall.once("exit", () => reject(new Error("the firewall did not start")));
  });
  const [pool = 0, ...rest] = portsSchema.parse(JSON.parse(first)).ports;
  const [kubelets, jump = 0] = [rest.slice(0, NODES.length), rest.at(-1)];
  told.on("line", (text) => {
    const said = saidSchema.parse(JSON.parse(text));
    if ("line" in said) lines.push(said.line);
    else received.set(said.alarm, (received.get(said.alarm) ?? 0) + said.bytes);
  });
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
      firewall.stdin.end();
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
