/**
 * A real OpenSSH server for the outside host: its own keys and configuration, key login for the user
 * that runs it, remote forwards on any address, and nothing else.
 *
 * @module
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../src/base/index.ts";

export interface SshServerOptions {
  readonly sshd: string;
  readonly keygen: string;
  /** A folder of the server's user. */
  readonly folder: string;
  readonly port: number;
  /** The public key that may log in. */
  readonly authorizedKey: string;
}

/** How long the server may take to say that it listens, in milliseconds. */
const START_MS = 5000;

/**
 * Starts the server on loopback and resolves when it listens.
 *
 * @throws {Fault} `drill.sshd` with the server's own words where it does not.
 */
export async function startSshServer(options: SshServerOptions): Promise<void> {
  const { folder } = options;
  const hostKey = join(folder, "host_key");
  execFileSync(options.keygen, ["-q", "-t", "ed25519", "-N", "", "-f", hostKey]);
  const authorized = join(folder, "authorized_keys");
  writeFileSync(authorized, options.authorizedKey);
  const configuration = join(folder, "sshd_config");
  // No shell, no terminal, no outgoing forwards: the one thing it offers is what the drill is about.
  writeFileSync(
    configuration,
    `ListenAddress 127.0.0.1
Port ${options.port}
HostKey ${hostKey}
PidFile none
UsePAM no
StrictModes no
AuthorizedKeysFile ${authorized}
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding remote
GatewayPorts clientspecified
AllowAgentForwarding no
X11Forwarding no
PermitTTY no
ForceCommand /bin/false
MaxStartups 100
`,
  );
  const server = spawn(options.sshd, ["-D", "-e", "-f", configuration], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  const listening = new Promise<void>((resolve) => {
    server.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (said.length < 4000) said += text;
      if (said.includes("Server listening on")) resolve();
    });
  });
  const failed = (why: string) =>
    new Fault("drill.sshd", `the OpenSSH server ${why}: ${said.trim()}`, {
      hint: "install openssh-server; the drill runs it with its own configuration, not the host's",
    });
  const ended = once(server, "exit").then(() => {
    throw failed("did not start");
  });
  ended.catch(() => {}); // After the start its end shows as attempts that do not cross bare.
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(failed("is not listening")), START_MS);
  });
  await Promise.race([listening, ended, late]);
  clearTimeout(timer);
}
