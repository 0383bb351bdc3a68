/**
 * The run's /etc: made once per daemon, the same for every run, and none of the host's secrets.
 *
 * Names and addresses are generated; from the host come only a few files that tools need to run at all
 * and that hold no account, key or site configuration.
 *
 * @module
 */
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from "node:fs";
import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { APP_SETTINGS } from "./app-settings.ts";

/** The account inside: ordinary, and the same in every run. */
export const AGENT = { name: "agent", uid: 1000, gid: 1000, home: "/home/agent" } as const;

/** Where the resolver answers, inside. */
export const RESOLVER_ADDRESS = "10.255.0.53";

const HOST_NAME = "cofferdam";

/** Files and folders that are copied where the host has them; a `*` ends a prefix. */
const FROM_HOST = [
  "alternatives", // Debian's /usr/bin/awk and many more point here.
  "debian_version",
  "fonts",
  "java*", // JDKs of Debian keep conf/ here.
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "localtime",
  "lsb-release",
  "magic",
  "mime.types",
  "os-release",
  "perl",
  "protocols",
  "python3*",
  "redhat-release",
  "rpc",
  "services",
  "shells",
  "ssl/openssl.cnf",
  "terminfo",
  "timezone",
] as const;

/** Places where TLS libraries of the distributions look for roots; all hold the same bundle. */
const BUNDLE_PATHS = [
  "ssl/certs/ca-certificates.crt", // Debian, Arch
  "ssl/cert.pem", // Alpine, OpenSSL's default file
  "ssl/ca-bundle.pem", // SUSE
  "pki/tls/cert.pem", // Fedora, OpenSSL's default file
  "pki/tls/certs/ca-bundle.crt", // Fedora
  "pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
] as const;

/** Where programs find the bundle inside; for SSL_CERT_FILE and its kin. */
export const BUNDLE_INSIDE = "/etc/ssl/certs/ca-certificates.crt";

const GENERATED: Readonly<Record<string, string>> = {
  passwd:
    `root:x:0:0:root:/:/usr/sbin/nologin\n` +
    `${AGENT.name}:x:${AGENT.uid}:${AGENT.gid}:Agent:${AGENT.home}:/bin/bash\n` +
    `nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n`,
  group: `root:x:0:\n${AGENT.name}:x:${AGENT.gid}:\ntty:x:5:\nnogroup:x:65534:\n`,
  hosts: `127.0.0.1 localhost ${HOST_NAME}\n::1 localhost ip6-localhost ip6-loopback ${HOST_NAME}\n`,
  hostname: `${HOST_NAME}\n`,
  // One try: an answer never takes longer, and a second question would be counted as another.
  "resolv.conf": `nameserver ${RESOLVER_ADDRESS}\noptions attempts:1 timeout:5\n`,
  "nsswitch.conf":
    "passwd: files\ngroup: files\nhosts: files dns\nnetworks: files\nservices: files\nprotocols: files\n",
  "host.conf": "multi on\n",
  // Every server is the gateway there, by the run's own key; no client need be asked.
  "ssh/ssh_config":
    "Host *\n  GlobalKnownHostsFile /run/cofferdam/known_hosts\n  StrictHostKeyChecking yes\n" +
    "  UpdateHostKeys no\n  IgnoreUnknown WarnWeakCrypto\n  WarnWeakCrypto no\n",
  // Fixed, so that it tells nothing about the host (machine-id(5)).
  "machine-id": "c0ffeda0000000000000000000000000\n",
};

/**
 * Writes the run's /etc to `directory`, replacing what stood there, with `bundlePem` as the only roots
 * that programs trust; `stores` are further files by which they do, by their paths below /etc.
 */
export async function writeEtc(
  directory: string,
  bundlePem: string,
  stores: Readonly<Record<string, string | Buffer>> = {},
): Promise<void> {
  const fresh = `${directory}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true, mode: 0o755 });
  const names = await readdir("/etc");
  for (const entry of FROM_HOST) {
    const wanted = entry.endsWith("*")
      ? names.filter((name) => name.startsWith(entry.slice(0, -1)))
      : [entry];
    for (const name of wanted) {
      await mkdir(dirname(join(fresh, name)), { recursive: true });
      copyFromHost(join("/etc", name), join(fresh, name));
    }
  }
  for (const path of BUNDLE_PATHS) {
    await mkdir(dirname(join(fresh, path)), { recursive: true });
    await writeFile(join(fresh, path), bundlePem);
  }
  for (const [name, text] of Object.entries({ ...GENERATED, ...APP_SETTINGS, ...stores })) {
    await mkdir(dirname(join(fresh, name)), { recursive: true });
    await writeFile(join(fresh, name), text);
  }
  await symlink("/proc/self/mounts", join(fresh, "mtab"));
  await rm(directory, { recursive: true, force: true });
  await rename(fresh, directory);
}

/**
 * Copies one file, link or folder, synchronously: a few hundred small files, once per daemon, for which
 * the asynchronous calls take a second. What is absent, or closed to this user, is not there for the run.
 */
function copyFromHost(from: string, to: string): void {
  try {
    const about = lstatSync(from);
    if (about.isSymbolicLink() && basename(from) !== "localtime") {
      symlinkSync(readlinkSync(from), to); // One into /usr means the same inside.
    } else if (about.isDirectory()) {
      mkdirSync(to, { mode: 0o755 });
      for (const name of readdirSync(from)) copyFromHost(join(from, name), join(to, name));
    } else {
      copyFileSync(from, to); // Follows a link: /etc/localtime is read as a file.
      chmodSync(to, 0o644);
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ENOENT" && code !== "EACCES") throw error;
  }
}
