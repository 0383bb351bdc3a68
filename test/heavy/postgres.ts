/**
 * A PostgreSQL for a test: Debian's programs (`scripts/setup --test --heavy`), a data folder of its own, an
 * ordinary user, and a socket in a folder that only that user and root may enter.
 *
 * @module
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, globSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const START_MS_MAX = 30_000;
const PORT = "5432"; // It names the socket only.
const ORDINARY = 65_534; // PostgreSQL refuses to be root.
export const isRoot = process.getuid?.() === 0;

/** What is started so ends with the test, however that ends. */
export const WITH_US = ["setpriv", "--pdeathsig=KILL"];
export const AS_ORDINARY = [
  ...WITH_US,
  ...(isRoot ? [`--reuid=${ORDINARY}`, `--regid=${ORDINARY}`, "--clear-groups"] : []),
];

export type Row = Readonly<Record<string, unknown>>;
/** Rows by the table's name. */
export type Tables = Readonly<Record<string, readonly Row[]>>;

export interface Postgres {
  /** The folder of its socket. */
  readonly host: string;
  /** Runs SQL and gives what it prints, one line a row. */
  query(sql: string): string;
  /** All tables with all rows. */
  tables(): Tables;
  close(): Promise<void>;
}

/** Starts one below `folder`. */
export async function startPostgres(folder: string): Promise<Postgres> {
  const bin = globSync("/usr/lib/postgresql/*/bin").toSorted().at(-1);
  if (bin === undefined) throw new Error("PostgreSQL is missing: scripts/setup --test --heavy");
  const [host, data] = [join(folder, "socket"), join(folder, "database")];
  for (const path of [host, data]) giveFolder(path);
  const env = { PATH: process.env["PATH"], LC_ALL: "C.UTF-8" };
  const run = (program: string, ...args: readonly string[]): string => {
    const [command = "", ...rest] = [...AS_ORDINARY, join(bin, program), ...args];
    const done = spawnSync(command, rest, {
      cwd: folder,
      env,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    });
    if (done.status !== 0) throw new Error(`${program}: ${done.stderr}`);
    return done.stdout.trimEnd();
  };
  run("initdb", "--auth=trust", "--username=n8n", "--encoding=UTF8", "--no-sync", data);
  const server = serve(join(bin, "postgres"), folder, env);
  await until(() => existsSync(join(host, `.s.PGSQL.${PORT}`)), server);
  const query = (sql: string) =>
    run(
      "psql",
      "-XAtq",
      "-v",
      "ON_ERROR_STOP=1",
      "-h",
      host,
      "-p",
      PORT,
      "-U",
      "n8n",
      "-c",
      sql,
      "postgres",
    );
  return {
    host,
    query,
    tables: () => readTables(query),
    close: async () => {
      if (server.exitCode === null && server.signalCode === null) {
        server.kill("SIGQUIT"); // At once, its children with it; nothing of it is kept.
        await once(server, "exit");
      }
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** A folder for the ordinary user. */
export function giveFolder(path: string): void {
  mkdirSync(path, { mode: 0o700 });
  if (isRoot) chownSync(path, ORDINARY, ORDINARY);
}

function serve(program: string, folder: string, env: NodeJS.ProcessEnv): ChildProcess {
  const settings = {
    listen_addresses: "",
    unix_socket_directories: join(folder, "socket"),
    fsync: "off",
    full_page_writes: "off",
    max_connections: "50",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const [command, ...args] = [...AS_ORDINARY, program, "-D", join(folder, "database")];
  return spawn(command, [...args, "-p", PORT, ...options], { cwd: folder, env, stdio: "ignore" });
}

async function until(isSo: () => boolean, child: ChildProcess): Promise<void> {
  const end = performance.now() + START_MS_MAX;
  while (!isSo()) {
    if (child.exitCode !== null) throw new Error(`PostgreSQL ended with ${child.exitCode}`);
    if (performance.now() > end) throw new Error("PostgreSQL did not start");
    await pause(20);
  }
}

function readTables(query: Postgres["query"]): Tables {
  const names = query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1");
  const selects = names
    .split("\n")
    .map(
      (name) => `SELECT json_build_object('${name}', coalesce(json_agg(t), '[]')) FROM "${name}" t`,
    );
  const lines = query(
    selects.join(" UNION ALL ").replaceAll("json_build_object", "jsonb_build_object"),
  );
  return Object.assign(
    {},
    ...lines.split("\n").map((line) => JSON.parse(line) as Tables),
  ) as Tables;
}
