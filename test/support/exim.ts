/**
 * A real mail server for tests: Exim on loopback, as its own user and with files of the test alone. It takes mail
 * by STARTTLS and a login where it is told to, sends nothing anywhere, and keeps each message as a file.
 *
 * @module
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const EXIM = "/usr/sbin/exim4";

export interface Exim {
  readonly port: number;
  /** Every message that it has taken, in that order; lines end in LF. */
  messages(): readonly Taken[];
  /** Its log, a line each. */
  log(): readonly string[];
  stop(): Promise<void>;
}

export interface Taken {
  readonly from: string;
  readonly recipients: readonly string[];
  /** Without the fields that the server wrote. */
  readonly text: string;
}

export interface EximOptions {
  readonly login?: { readonly user: string; readonly password: string };
  readonly tls?: { readonly certificatePem: string; readonly keyPem: string };
}

export async function startExim({ login, tls }: EximOptions = {}): Promise<Exim> {
  const root = mkdtempSync(join(tmpdir(), "cofferdam-exim-"));
  const id = (flag: string) =>
    Number(execFileSync("id", [flag, "Debian-exim"], { encoding: "utf8" }));
  // It is started as the user whose files it wants its own to be.
  const [uid, gid] = [id("-u"), id("-g")];
  const put = (name: string, text: string) => {
    const path = join(root, name);
    writeFileSync(path, text);
    chownSync(path, uid, gid);
    return path;
  };
  for (const name of ["", "spool", "log", "mail"]) {
    mkdirSync(join(root, name), { recursive: true });
    chownSync(join(root, name), uid, gid);
  }
  chmodSync(root, 0o755);
  const port = await freePort();
  const secure =
    tls === undefined
      ? ["tls_advertise_hosts ="]
      : [
          "tls_advertise_hosts = *",
          `tls_certificate = ${put("cert.pem", tls.certificatePem)}`,
          `tls_privatekey = ${put("key.pem", tls.keyPem)}`,
        ];
  const condition =
    login === undefined ? "accept" : "accept authenticated = *\n  deny message = log in";
  const authenticator =
    login === undefined
      ? ""
      : `begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and {{eq{$auth2}{${login.user}}}{eq{$auth3}{${login.password}}}}}
  server_set_id = $auth2
`;
  const config = `primary_hostname = sink.example
spool_directory = ${root}/spool
log_file_path = ${root}/log/%s.log
pid_file_path = ${root}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
${secure.join("\n")}
host_lookup =
rfc1413_hosts =
acl_smtp_rcpt = rcpt
acl_smtp_data = data
never_users =
keep_environment =
recipients_max = 2000
smtp_accept_max = 50
queue_only = false
begin acl
rcpt:
  deny local_parts = nobody
    message = no such user
  ${condition}
data:
  accept
begin routers
all:
  driver = accept
  transport = file
begin transports
file:
  driver = appendfile
  directory = ${root}/mail
  maildir_format
  batch_max = 2000
  envelope_to_add
  return_path_add
${authenticator}`;
  const file = put("exim.conf", config);
  const child = spawn(EXIM, ["-C", file, "-bdf", "-oX", String(port)], {
    uid,
    gid,
    stdio: "ignore", // At each message it says that with a configuration of one's own it is nobody.
  });
  await answering(port);
  const folder = join(root, "mail", "new");
  const read = (path: string) => readFileSync(path, "latin1");
  return {
    port,
    messages() {
      const names = readFolder(folder).map((name) => [timeOf(name), name] as const);
      names.sort(([one], [other]) => one - other);
      return names.map(([, name]) => name).map((name) => takenFrom(read(join(folder, name))));
    },
    log: () =>
      readFolder(join(root, "log")).flatMap((name) => read(join(root, "log", name)).split("\n")),
    async stop() {
      if (child.exitCode === null) {
        child.kill();
        await once(child, "exit");
      }
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** `1795731178.M758685P21028.sink.example`: in microseconds. */
function timeOf(name: string): number {
  const [, seconds = "0", micro = "0"] = /^(\d+)\.M(\d+)P/.exec(name) ?? [];
  return Number(seconds) * 1e6 + Number(micro);
}

/** What stands in a file of the maildir: the envelope and the time of receipt first. */
function takenFrom(source: string): Taken {
  const head = /^Return-path: <(.*)>\nEnvelope-to: ((?:.|\n\s)*)\n(Received: (?:.|\n\s)*\n)/.exec(
    source,
  );
  const [all = "", from = "", to = ""] = head ?? [];
  return { from, recipients: to.split(/,\s*/), text: source.slice(all.length) };
}

function readFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // Nothing has come yet.
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const socket = connect(port, "127.0.0.1");
    const isThere = await new Promise<boolean>((resolve) => {
      socket.once("data", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("close", () => resolve(false));
    });
    socket.destroy();
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("Exim does not answer");
}
