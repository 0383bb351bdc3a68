/**
 * A real PostgreSQL in the test world: a cluster of its own in a folder, whoever comes may log in.
 *
 * @module
 */
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, chownSync, existsSync, globSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";

const run = promisify(execFile);
/** It refuses to be root. */
const NOBODY = { uid: 65_534, gid: 65_534 };
const READY_TRIES = 600;
const READY_EVERY_MS = 50;

/** A running server. */
export interface Postgres {
  /** Every statement that a client sent, as its log has it. */
  statements(): string;
  /** What psql prints for `sql` as its superuser: values, separated by `|`. */
  sql(sql: string, database?: string): Promise<string>;
  stop(): Promise<void>;
}

/** Where Debian keeps the server's programs; undefined where it is not installed. */
export function postgresFolder(): string | undefined {
  return globSync("/usr/lib/postgresql/*/bin").sort().at(-1);
}

/** Starts a server that listens on port 5432 of `address`. */
export async function startPostgres(folder: string, address: string): Promise<Postgres> {
  const bin = postgresFolder();
  if (bin === undefined) throw new Error("PostgreSQL is not installed");
  const as = process.getuid?.() === 0 ? NOBODY : {};
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (process.getuid?.() === 0) chownSync(folder, NOBODY.uid, NOBODY.gid);
  const data = join(folder, "data");
  const options = { ...as, cwd: folder, env: { LC_ALL: "C" } };
  const words = ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions"];
  execFileSync(join(bin, "initdb"), words, { ...options, stdio: "ignore" });
  appendFileSync(
    join(data, "postgresql.conf"),
    [
      `unix_socket_directories = '${folder}'`,
      `listen_addresses = '${address}'`,
      "fsync = off",
      "log_statement = all",
      "log_line_prefix = '[%p] '",
      "shared_buffers = 16MB",
      "",
    ].join("\n"),
  );
  appendFileSync(join(data, "pg_hba.conf"), "host all all 0.0.0.0/0 trust\n");
  const log = join(folder, "log");
  const shell = ["-c", 'exec "$0" -D "$1" >>"$2" 2>&1', join(bin, "postgres"), data, log];
  const server = spawn("/bin/sh", shell, { ...options, stdio: "ignore" });
  const sql = async (text: string, database = "postgres") => {
    const line = ["-h", folder, "-U", "postgres", "-d", database, "-X", "-Atq", "-v"];
    const { stdout } = await run("psql", [...line, "ON_ERROR_STOP=1", "-c", text]);
    return stdout.trim();
  };
  for (let tries = 1; ; tries += 1) {
    try {
      await sql("select 1");
      break;
    } catch (error) {
      if (tries === READY_TRIES || server.exitCode !== null) throw error;
      await sleep(READY_EVERY_MS);
    }
  }
  return {
    statements: () => (existsSync(log) ? readFileSync(log, "utf8") : ""),
    sql,
    async stop() {
      server.kill("SIGQUIT");
      if (server.exitCode === null) await once(server, "exit");
    },
  };
}
