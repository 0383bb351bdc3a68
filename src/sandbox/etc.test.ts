import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AGENT, BUNDLE_INSIDE, RESOLVER_ADDRESS, writeEtc } from "./etc.ts";

const top = mkdtempSync(join(tmpdir(), "cofferdam-etc-test-"));
after(() => rmSync(top, { recursive: true }));
const etc = join(top, "etc");
await writeEtc(etc, "the only roots\n");
const read = (name: string) => readFileSync(join(etc, name), "utf8");

test("INV-4: the host's accounts, keys and site configuration are not in it", () => {
  const names = new Set(readdirSync(etc));
  const absent = [
    "shadow",
    "gshadow",
    "sudoers",
    "machine-id.host",
    "fstab",
    "crontab",
    "environment",
    "profile",
    "gitconfig",
    "npmrc",
    "pip.conf",
    "apt",
    "ld.so.preload",
    "krb5.keytab",
    "docker",
    "wireguard",
    "NetworkManager",
  ];
  for (const name of absent) assert.ok(!names.has(name), name);
  assert.deepEqual(readdirSync(join(etc, "ssh")), ["ssh_config"], "ours, and no key");
  assert.ok(!names.has("ssl") || !readdirSync(join(etc, "ssl")).includes("private"));
});

test("accounts are root, the agent and nobody, whoever the host has", () => {
  assert.deepEqual(
    read("passwd")
      .trim()
      .split("\n")
      .map((line) => line.split(":", 1)[0]),
    ["root", AGENT.name, "nobody"],
  );
});

test("names go to the gateway's resolver only", () => {
  assert.match(
    read("resolv.conf"),
    new RegExp(`^nameserver ${RESOLVER_ADDRESS.replaceAll(".", "\\.")}$`, "m"),
  );
  assert.match(read("nsswitch.conf"), /^hosts: files dns$/m);
});

test("wherever a distribution looks for roots, it finds the one bundle", () => {
  for (const name of [
    "ssl/certs/ca-certificates.crt",
    "ssl/cert.pem",
    "ssl/ca-bundle.pem",
    "pki/tls/cert.pem",
    "pki/tls/certs/ca-bundle.crt",
  ]) {
    assert.equal(read(name), "the only roots\n");
  }
  assert.ok(BUNDLE_INSIDE.startsWith("/etc/"));
});

test("the machine's id tells nothing of the host's", () => {
  assert.match(read("machine-id"), /^[0-9a-f]{32}\n$/);
  assert.notEqual(read("machine-id"), hostFile("/etc/machine-id"));
});

test("files that programs need to run are those of the host, and readable by the run's user", () => {
  const cache = hostFile("/etc/ld.so.cache");
  if (cache !== undefined) assert.equal(read("ld.so.cache"), cache);
  assert.equal(statSync(join(etc, "passwd")).mode & 0o777, 0o644);
  assert.equal(statSync(etc).mode & 0o777, 0o755);
});

test("writing it again replaces it whole", async () => {
  await writeEtc(etc, "other roots\n");
  assert.equal(read("ssl/cert.pem"), "other roots\n");
  assert.deepEqual(readdirSync(realpathSync(top)), ["etc"]);
});

function hostFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
