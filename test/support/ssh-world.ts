/**
 * A machine of a test's own: a real sshd, sudo and cron's folders in namespaces, with accounts, /etc, /home and a network that
 * nobody else sees. Needs root. Whoever connects to its port on loopback gets an sshd within.
 *
 * @module
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Everything that belongs to the machine that tests is out of sight. */
const HIDE = `set -e
mount --make-rprivate /
for d in /root /home /srv /opt /var/www /var/backups /var/mail /var/spool /var/lib /usr/local/etc /usr/local/bin /usr/local/sbin /run /mnt /media /work; do
  if [ -d $d ]; then mount -t tmpfs -o mode=755 world $d; fi
done
cp -a /etc/. /mnt/
mount --move /mnt /etc 2>/dev/null || mount --bind /mnt /etc
mount -t tmpfs -o mode=1777 world /tmp
chmod 700 /root
hostname NAME
echo '127.0.0.1 localhost NAME' >/etc/hosts
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
ip link set lo up
ip addr add ADDRESS/32 dev lo
rm -rf /etc/cron.d/* /etc/cron.daily/* /etc/sudoers.d/*
grep -E '^(root|daemon|bin|sys|man|www-data|nobody|sshd|redis|_apt):' /etc/passwd >/etc/passwd.new; mv /etc/passwd.new /etc/passwd
mkdir -p /run/sshd /run/sudo /run/keys /var/lib/sudo/lectured
chmod 755 /run/keys
cat >/etc/sudoers <<'S'
Defaults env_reset
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root ALL=(ALL) ALL
S
account() { useradd -m -s /bin/sh -p '*' "$@"; }
account deploy; account plain; account other
chmod 755 /home/other; chmod 700 /home/deploy /home/plain
`;

const CONFIG = `HostKey /run/world/host_key
AuthorizedKeysFile /run/keys/%u .ssh/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
`;

export interface WorldOptions {
  /** sh, as root within, before anybody connects: what is planted. */
  readonly plant?: string;
  /** Of the machine; `web1` and 10.9.0.5 otherwise. */
  readonly name?: string;
  readonly address?: string;
}

export class SshWorld {
  readonly root = mkdtempSync(join(tmpdir(), "cofferdam-world-"));
  #holder: ChildProcess | undefined;
  #pid = 0;
  #server: Server | undefined;
  readonly #servers: Server[] = [];
  readonly #sessions = new Set<ChildProcess>();

  get port(): number {
    return portOf(this.#server);
  }

  get hostKey(): string {
    return readFileSync(join(this.root, "host_key.pub"), "utf8").split(" ").slice(0, 2).join(" ");
  }

  /** A private key that lets \`deploy\` and \`plain\` in. */
  get userKey(): string {
    return readFileSync(join(this.root, "user_key"), "utf8");
  }

  async start({
    plant = "",
    name: host = "web1",
    address = "10.9.0.5",
  }: WorldOptions = {}): Promise<this> {
    const at = (name: string) => join(this.root, name);
    for (const name of ["host_key", "user_key"]) {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at(name), "-C", name]);
    }
    const files = ["host_key", "user_key.pub"].map(
      (name) => `cat >/run/world/${name} <<'F'\n${readFileSync(at(name), "utf8")}F\n`,
    );
    const script = `${HIDE.replaceAll("NAME", host).replaceAll("ADDRESS", address)}
mkdir -m 755 /run/world
${files.join("")}chmod 600 /run/world/host_key
for u in deploy plain; do cp /run/world/user_key.pub /run/keys/$u; done
rm -f /etc/ssh/sshd_config.d/*
cat >/etc/ssh/sshd_config <<'F'
${CONFIG}F
${plant}
echo ready
exec sleep 100000
`;
    const flags = ["-m", "-u", "-p", "-n", "-i", "--fork", "--kill-child", "--mount-proc"];
    const holder = spawn("unshare", [...flags, "sh", "-c", script], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#holder = holder;
    let errors = "";
    holder.stderr.on("data", (data: Buffer) => (errors += data.toString()));
    await new Promise<void>((resolve, reject) => {
      holder.stdout.on("data", (data: Buffer) => {
        if (data.toString().includes("ready\n")) resolve();
      });
      holder.once("exit", () => reject(new Error(`the world did not come up: ${errors}`)));
    });
    const children = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, "utf8");
    this.#pid = Number(children.trim().split(" ")[0]);
    this.#server = await this.#door(["/usr/sbin/sshd", "-i", "-f", "/etc/ssh/sshd_config"]);
    return this;
  }

  /** A port on loopback that leads to `place` within, `10.9.0.5:80`. */
  async portTo(place: string): Promise<number> {
    return portOf(await this.#door(["socat", "-", `TCP:${place}`]));
  }

  /** Whoever connects speaks to `command` within. */
  async #door(command: readonly string[]): Promise<Server> {
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      const session = spawn("nsenter", [...this.#enter, ...command], {
        stdio: [socket, socket, "ignore"],
      });
      this.#sessions.add(session);
      session.once("exit", () => this.#sessions.delete(session));
      socket.destroy();
    });
    this.#servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  }

  /** A cable between two machines: each reaches the other's address, and nothing else. */
  connectTo(other: SshWorld, [own, theirs]: readonly [string, string]): void {
    // The number of a process is the test's own: only the network is entered.
    const link = ["link", "add", "cable", "type", "veth", "peer", "name", "cable"];
    execFileSync("nsenter", [
      "-t",
      String(this.#pid),
      "-n",
      "ip",
      ...link,
      "netns",
      String(other.#pid),
    ]);
    this.run(`ip link set cable up; ip route add ${theirs} dev cable src ${own}`);
    other.run(`ip link set cable up; ip route add ${own} dev cable src ${theirs}`);
  }

  get #enter(): readonly string[] {
    return ["-t", String(this.#pid), "-m", "-u", "-p", "-n", "-i", "--"];
  }

  /** Runs \`sh -c SCRIPT\` within, as root or as an account there; its output. */
  run(script: string, user = "root"): string {
    const who = user === "root" ? [] : ["runuser", "-u", user, "--"];
    return execFileSync("nsenter", [...this.#enter, ...who, "sh", "-c", script], {
      encoding: "utf8",
      env: {
        PATH: "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        HOME: user === "root" ? "/root" : `/home/${user}`,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const session of this.#sessions) session.kill("SIGKILL");
    if (this.#holder !== undefined && this.#holder.exitCode === null) {
      const gone = once(this.#holder, "exit");
      this.#holder.kill("SIGKILL");
      await gone;
    }
    rmSync(this.root, { recursive: true, force: true });
  }
}

function portOf(server: Server | undefined): number {
  const address = server?.address() as AddressInfo | null | undefined;
  return address?.port ?? 0;
}
