/**
 * A real sshd on loopback, of the user who tests: its own host key, whoever's keys are put in, no PAM.
 *
 * @module
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

export interface SshdOptions {
  /** Lines of sshd_config that come first, so that they count. */
  readonly config?: string;
}

export class Sshd {
  readonly root = mkdtempSync(join(tmpdir(), "cofferdam-sshd-"));
  readonly user = userInfo().username;
  port = 0;
  #child: ChildProcess | undefined;

  /** The line of its public host key, without comment. */
  get hostKey(): string {
    return readFileSync(join(this.root, "host_key.pub"), "utf8").split(" ").slice(0, 2).join(" ");
  }

  /** A private key that it lets in, in OpenSSH's form. */
  get userKey(): string {
    return readFileSync(join(this.root, "user_key"), "utf8");
  }

  /** What it said so far. */
  get log(): string {
    return readFileSync(join(this.root, "sshd.log"), "utf8");
  }

  async start({ config = "" }: SshdOptions = {}): Promise<this> {
    const at = (name: string) => join(this.root, name);
    for (const name of ["host_key", "user_key"]) {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at(name), "-C", name]);
    }
    writeFileSync(at("authorized_keys"), readFileSync(at("user_key.pub")), { mode: 0o600 });
    writeFileSync(at("sshd.log"), "");
    if (process.geteuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
    this.port = await freePort();
    writeFileSync(
      at("sshd_config"),
      `${config}
ListenAddress 127.0.0.1:${this.port}
HostKey ${at("host_key")}
AuthorizedKeysFile ${at("authorized_keys")}
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PrintMotd no
AcceptEnv LANG LC_* GIT_PROTOCOL
Subsystem sftp internal-sftp
LogLevel VERBOSE
`,
    );
    const args = ["-D", "-f", at("sshd_config"), "-E", at("sshd.log")];
    this.#child = spawn("/usr/sbin/sshd", args, { stdio: "ignore" });
    await answers(this.port);
    return this;
  }

  /** Lets in whoever has `line`'s key. */
  authorize(line: string): void {
    appendFileSync(join(this.root, "authorized_keys"), `${line}\n`);
  }

  async close(): Promise<void> {
    if (this.#child !== undefined && this.#child.exitCode === null) {
      const gone = once(this.#child, "exit");
      this.#child.kill();
      await gone;
    }
    rmSync(this.root, { recursive: true, force: true });
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

async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("error", () => resolve(false));
      socket.once("data", () => {
        socket.destroy();
        resolve(true);
      });
    });
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`sshd does not answer at ${port}`);
}
