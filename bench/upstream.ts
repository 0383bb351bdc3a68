/**
 * The server that all clients ask: nginx on loopback, with a small file and a large one, plain and TLS.
 *
 * @module
 */
import { truncateSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { connect } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestCertificate } from "../drills/world/index.ts";
import { Fault } from "../src/base/index.ts";
import { systemTool, type Scratch } from "./place.ts";
import { startCompanion, type Companion } from "./program.ts";

/** What a run calls it; a peer's client, which has no such names, says `localhost`. */
export const NAME = "upstream.example";
/** The same server under another name, where it answers nobody but who brings this. */
export const PRIVATE = {
  host: "private.example",
  credential: "bench-0123456789abcdefGHIJKL",
} as const;
export const BIG_BYTES = 512 << 20;
const START_MS_MAX = 5000;

export interface Upstream extends AsyncDisposable {
  readonly port: number;
  readonly tlsPort: number;
  /** PEM of the authority that vouches for it as `NAME` and as `localhost`. */
  readonly ca: string;
  /** The path of that file. */
  readonly caFile: string;
  /** A task file's text that grants it as `NAME` on 80 and 443. */
  readonly task: string;
}

/** Starts it with its files below `scratch`: `/1k` and `/big`. */
export async function startUpstream(scratch: Scratch): Promise<Upstream> {
  const folder = scratch.folder("upstream");
  const { ca, certificate, key } = createTestCertificate([NAME, "localhost"]);
  const [port, tlsPort] = [await freePort(), await freePort()];
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, ca);
  writeFileSync(join(folder, "certificate.pem"), certificate);
  writeFileSync(join(folder, "key.pem"), key, { mode: 0o600 });
  scratch.folder(join("upstream", "www"));
  writeFileSync(join(folder, "www", "1k"), "x".repeat(1024));
  writeFileSync(join(folder, "www", "big"), "");
  truncateSync(join(folder, "www", "big"), BIG_BYTES); // Zeros that no disk has to hold.
  const file = join(folder, "nginx.conf");
  writeFileSync(file, configuration(folder, port, tlsPort));
  const nginx = systemTool("nginx", "nginx-light");
  const companion = startCompanion([nginx, "-p", folder, "-e", join(folder, "log"), "-c", file]);
  try {
    await untilAnswers(tlsPort, companion);
  } catch (error) {
    await companion[Symbol.asyncDispose]();
    throw error;
  }
  return {
    port,
    tlsPort,
    ca,
    caFile,
    task: taskOf(port, tlsPort, caFile),
    [Symbol.asyncDispose]: () => companion[Symbol.asyncDispose](),
  };
}

/** One process, no log of requests, connections kept for as long as a client likes. */
function configuration(folder: string, port: number, tlsPort: number): string {
  const scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/log;
events { worker_connections 4096; }
http {
  ${scratch.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 60s;
  default_type application/octet-stream; root ${folder}/www;
  server { listen 127.0.0.1:${port} backlog=4096; }
  server {
    listen 127.0.0.1:${port}; server_name ${PRIVATE.host};
    if ($http_authorization != "Bearer ${PRIVATE.credential}") { return 401; }
  }
  server {
    listen 127.0.0.1:${tlsPort} ssl backlog=4096;
    ssl_certificate ${folder}/certificate.pem; ssl_certificate_key ${folder}/key.pem;
  }
}
`;
}

function taskOf(port: number, tlsPort: number, caFile: string): string {
  const allow = `allow: [{ methods: [GET], paths: ["/**"] }]`;
  return `task: bench
purpose: Measure the way to a granted system.
grants:
  - { system: http, name: plain, hosts: [${NAME}], ports: [80], tls: false, dial: "127.0.0.1:${port}", ${allow} }
  - { system: http, name: tls, hosts: [${NAME}], ports: [443], dial: "127.0.0.1:${tlsPort}", ca: ${caFile}, ${allow} }
`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function untilAnswers(port: number, nginx: Companion): Promise<void> {
  for (const deadline = Date.now() + START_MS_MAX; Date.now() < deadline; await sleep(20)) {
    const socket = connect(port, "127.0.0.1");
    const answers = await once(socket, "connect").then(
      () => true,
      () => false, // Not yet.
    );
    socket.destroy();
    if (answers) return;
  }
  throw new Fault("bench.upstream", `nginx does not answer: ${nginx.said()}`);
}
