/**
 * A PostgreSQL of its own for a test: a private cluster in a temporary folder, as a user without rights, on a socket
 * and on loopback.
 *
 * @module
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

const NOBODY = { uid: 65_534, gid: 65_534 };
const BIN = globSync("/usr/lib/postgresql/*/bin").sort().at(-1) ?? "/usr/lib/postgresql/bin";

/** A running server; `postgres` is its superuser, without a password on the socket. */
export class Cluster {
  readonly folder: string;
  readonly port: number;
  readonly #as = userInfo().uid === 0 ? NOBODY : {};

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  /** `settings` are lines of postgresql.conf; `tls` is a certificate and its key, in PEM. */
  static async start(
    settings: readonly string[] = [],
    tls?: { readonly certificate: string; readonly key: string },
  ): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), "cofferdam-pg-"));
    const cluster = new Cluster(folder, await freePort());
    if (userInfo().uid === 0) chownSync(folder, NOBODY.uid, NOBODY.gid);
    cluster.#run("initdb", "-D", cluster.#data, "-U", "postgres", "-A", "trust", "--no-sync");
    const lines = [
      `unix_socket_directories = '${folder}'`,
      `port = ${cluster.port}`,
      "listen_addresses = '127.0.0.1'",
      "fsync = off",
      "max_connections = 60",
      ...settings,
    ];
    if (tls !== undefined) {
      lines.push("ssl = on");
      cluster.#write("server.crt", tls.certificate);
      cluster.#write("server.key", tls.key);
    }
    cluster.#write("postgresql.auto.conf", `${lines.join("\n")}\n`);
    cluster.#write(
      "pg_hba.conf",
      [
        "local all all trust",
        "host all md5user 127.0.0.1/32 md5",
        "hostssl all plainuser 127.0.0.1/32 password",
        "host all trusted 127.0.0.1/32 trust",
        "host all all 127.0.0.1/32 scram-sha-256",
      ].join("\n"),
    );
    cluster.#run("pg_ctl", "-D", cluster.#data, "-l", join(folder, "log"), "-w", "start");
    return cluster;
  }

  get #data(): string {
    return join(this.folder, "data");
  }

  #write(name: string, text: string): void {
    const path = join(this.#data, name);
    writeFileSync(path, text);
    chmodSync(path, 0o600);
    if (userInfo().uid === 0) chownSync(path, NOBODY.uid, NOBODY.gid);
  }

  #run(program: string, ...args: readonly string[]): void {
    const options = { ...this.#as, cwd: this.folder, env: { LC_ALL: "C" } };
    const { status, stderr } = spawnSync(join(BIN, program), args, {
      ...options,
      stdio: ["ignore", "ignore", "pipe"],
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${program}: ${stderr}`);
  }

  /** What psql prints for `sql` as the superuser: values, separated by `|`. */
  sql(sql: string, database = "postgres"): string {
    const args = ["-h", this.folder, "-p", String(this.port), "-U", "postgres", "-d", database];
    return execFileSync("psql", [...args, "-X", "-Atq", "-v", "ON_ERROR_STOP=1", "-f", "-"], {
      input: sql,
      encoding: "utf8",
    }).trim();
  }

  stop(): void {
    this.#run("pg_ctl", "-D", this.#data, "-m", "immediate", "-w", "stop");
    rmSync(this.folder, { recursive: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
