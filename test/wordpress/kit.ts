/**
 * A real WordPress for tests: its own MariaDB and PHP server on loopback, by an ordinary user, in a folder that goes
 * away with it. The packages are Debian's (`scripts/setup --test`).
 *
 * @module
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { request as httpRequest } from "node:http";

const CORE = "/usr/share/wordpress";
const START_MS_MAX = 30_000;
const ORDINARY = 65_534; // MariaDB refuses to be root.
const isRoot = process.getuid?.() === 0;
/** What it starts ends with the test, however that ends. */
const AS_ORDINARY = [
  ...["setpriv", "--pdeathsig=KILL"],
  ...(isRoot ? [`--reuid=${ORDINARY}`, `--regid=${ORDINARY}`, "--clear-groups"] : []),
];

export interface User {
  readonly user: string;
  readonly id: number;
  readonly applicationPassword: string;
}

export interface Asked {
  readonly method?: string;
  readonly as?: User;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Rows of the site's tables, by the table's name without its prefix. */
export type Tables = Readonly<Record<string, readonly Readonly<Record<string, string | null>>[]>>;

export interface WordPress {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly port: number;
  readonly admin: User;
  readonly editor: User;
  /** Sends a request as it stands: nothing of its target or headers is made plain. */
  ask(target: string, asked?: Asked): Promise<Answer>;
  /** What everybody gets at `path`. */
  anonymousGet(path: string): Promise<Answer>;
  tables(): Promise<Tables>;
  /** Runs SQL, several statements if need be. */
  query(sql: string): Promise<void>;
  /** Keeps the tables as they are now, for `restore`. */
  keep(): Promise<void>;
  restore(): Promise<void>;
  /** Every mail that it sent until now, as text. */
  mail(): string;
  close(): Promise<void>;
}

/** Starts and installs it; takes some seconds. */
export async function startWordPress(): Promise<WordPress> {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-wordpress-"));
  const children: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    for (const child of children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL"); // Nothing of it is kept.
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return await start(folder, children, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  folder: string,
  children: ChildProcess[],
  close: WordPress["close"],
): Promise<WordPress> {
  const site = join(folder, "site");
  const mails = join(folder, "mail");
  const socket = join(folder, "socket");
  makeSite(site);
  mkdirSync(join(folder, "database"));
  writeFileSync(mails, "");
  if (isRoot) own(folder, site, mails, join(folder, "database"), join(site, "wp-content"));
  const env = { PATH: `${process.env["PATH"]}:/usr/sbin`, SITE_SOCKET: socket };
  const run = (args: readonly string[]): ChildProcess => {
    const [command = "", ...rest] = [...AS_ORDINARY, ...args];
    const child = spawn(command, rest, { env, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    children.push(child);
    return child;
  };
  const database = run(databaseCommand(folder, socket));
  database.stderr?.resume();
  await until(() => existsSync(socket), database);
  const php = [
    ...["php", "-d", "opcache.enable_cli=1", "-d", "opcache.validate_timestamps=0"],
    ...["-d", `sendmail_path=/bin/sh -c 'cat >> ${mails}'`],
  ];
  const users = install([...AS_ORDINARY, ...php, join(site, "install.php")], env);
  const server = run([...php, "-S", "127.0.0.1:0", "-t", site, join(site, "router.php")]);
  return siteAt(await portOf(server), users, () => readFileSync(mails, "utf8"), close);
}

/** WordPress's own files as links, with our settings beside them: its wp-load.php looks beside itself. */
function makeSite(site: string): void {
  cpSync(join(import.meta.dirname, "site"), site, { recursive: true });
  for (const file of globSync("*.php", { cwd: CORE })) {
    if (file !== "wp-config.php") cpSync(join(CORE, file), join(site, file));
  }
  for (const name of ["wp-admin", "wp-includes"]) symlinkSync(join(CORE, name), join(site, name));
}

function own(...paths: readonly string[]): void {
  for (const path of paths) chownSync(path, ORDINARY, ORDINARY);
}

/** An empty folder is a database to it as long as nobody asks who is who: its socket is in a folder of ours. */
function databaseCommand(folder: string, socket: string): readonly string[] {
  return [
    ...["mariadbd", "--no-defaults", "--skip-networking", "--skip-grant-tables"],
    ...[`--datadir=${join(folder, "database")}`, `--socket=${socket}`, "--pid-file=pid"],
    ...["--innodb-log-file-size=8M", "--innodb-buffer-pool-size=32M"],
    ...["--innodb-flush-log-at-trx-commit=0", "--default-storage-engine=Aria"],
  ];
}

type Users = Readonly<Record<string, { readonly id: number; readonly password: string }>>;

function install([command = "", ...args]: readonly string[], env: NodeJS.ProcessEnv): Users {
  const { stdout, stderr } = spawnSync(command, args, { env, encoding: "utf8" });
  try {
    return JSON.parse(stdout) as Users;
  } catch (cause) {
    throw new Error(`WordPress was not installed: ${stdout}${stderr}`, { cause });
  }
}

/** PHP says on which port it listens. */
async function portOf(server: ChildProcess): Promise<number> {
  if (server.stderr === null) throw new Error("PHP's messages are piped");
  const lines = createInterface(server.stderr);
  for await (const line of lines) {
    const port = /\(http:\/\/127\.0\.0\.1:(\d+)\) started/.exec(line)?.[1];
    if (port === undefined) continue;
    server.stderr.resume(); // A full pipe would stop it.
    return Number(port);
  }
  throw new Error("PHP's server ended before it listened");
}

async function until(isSo: () => boolean, child: ChildProcess): Promise<void> {
  const end = performance.now() + START_MS_MAX;
  while (!isSo()) {
    if (child.exitCode !== null) throw new Error(`MariaDB ended with ${child.exitCode}`);
    if (performance.now() > end) throw new Error("MariaDB did not start");
    await pause(20);
  }
}

function siteAt(
  port: number,
  users: Users,
  mail: WordPress["mail"],
  close: WordPress["close"],
): WordPress {
  const userOf = (user: string): User => {
    const { id = 0, password = "" } = users[user] ?? {};
    return { user, id, applicationPassword: password };
  };
  const ask: WordPress["ask"] = (target, asked = {}) => send(port, target, asked);
  const tell = async (what: string, body?: string): Promise<string> => {
    const asked = body === undefined ? {} : { method: "POST", body };
    const { status, text } = await ask(`/tables.php?do=${what}`, asked);
    if (status !== 200) throw new Error(`the site's tables: ${text}`);
    return text;
  };
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    admin: userOf("admin"),
    editor: userOf("editor"),
    ask,
    anonymousGet: (path) => ask(path),
    tables: async () => JSON.parse(await tell("read")) as Tables,
    query: async (sql) => void (await tell("query", sql)),
    keep: async () => void (await tell("keep")),
    restore: async () => void (await tell("restore")),
    mail,
    close,
  };
}

/** By Node's own client: fetch would make a path plain and drop headers. */
async function send(port: number, target: string, asked: Asked): Promise<Answer> {
  const { as, body, method = "GET", headers = {} } = asked;
  const request = httpRequest({
    ...{ host: "127.0.0.1", port, path: target, method, agent: false },
    headers: {
      ...headers,
      ...(as && { authorization: `Basic ${btoa(`${as.user}:${as.applicationPassword}`)}` }),
      ...(body !== undefined && { "content-length": String(Buffer.byteLength(body)) }),
    },
  });
  request.end(body);
  const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
}
