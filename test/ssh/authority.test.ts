/**
 * A credential of kind ssh-ca: each login of a run is by a certificate of its own, and the authority's key stays.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { SshHome, HOST } from "./kit.ts";

const it = new SshHome();
let ca: string;

before(async () => {
  const file = join(it.home.root, "ca");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file, "-C", "authority"]);
  ca = readFileSync(file, "utf8");
  await it.start({ config: `TrustedUserCAKeys ${file}.pub\nAuthorizedKeysFile none` });
  await add("authority", ["--minutes", "2"]);
});
after(() => it.close());

async function add(name: string, more: readonly string[], input = ca) {
  const how = ["--kind", "ssh-ca", "--user", it.sshd.user, "--scheme", "ssh", "--host", HOST];
  const added = await it.home.call(["credential", "add", name, ...how, ...more, "--stdin"], {
    input,
  });
  return added;
}

function task(credential: string): string {
  const file = it.task(
    `      - verbs: [exec]\n        on: ["uptime **", "id **"]\n        effects: [read]`,
  );
  writeFileSync(file, readFileSync(file, "utf8").replace("server-key", credential));
  return file;
}

test("a run logs in with a certificate for minutes, and the server's log names the run", async () => {
  const { code, stdout, stderr } = await it.run(task("authority"), `ssh ${HOST} id -un`);
  assert.deepEqual([code, stdout.trim()], [0, it.sshd.user], stderr);
  const log = await it.home.log();
  const run = log.find(({ type }) => type === "run.start")?.run ?? "";
  assert.match(it.sshd.log, new RegExp(`ED25519-CERT .*ID cofferdam ${run} \\(serial 0\\)`));
  const text = JSON.stringify(log);
  const lines = ca.split("\n").filter((line) => line.length > 30);
  assert.ok(
    lines.every((line) => !text.includes(line)),
    "the authority's key is in no record",
  );
});

test("a certificate that the credential narrows runs what it says, whatever was asked for", async () => {
  await add("narrow", ["--force-command", "echo only-this"]);
  const { stdout } = await it.run(task("narrow"), `ssh ${HOST} uptime`);
  assert.equal(stdout, "only-this\n");
});

test("a certificate for other principals, or from other addresses, logs nobody in", async () => {
  await add("others", ["--principals", "somebody,else"]);
  await add("elsewhere", ["--source-address", "192.0.2.0/24"]);
  for (const credential of ["others", "elsewhere"]) {
    const { code, stderr } = await it.run(task(credential), `ssh ${HOST} uptime`);
    assert.equal(code, 255);
    assert.match(stderr, /refuses the credential/);
  }
});

test("fault vault.ssh_certificate: what is no authority's key is not taken", async () => {
  const { code, stderr } = await add(
    "broken",
    [],
    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
  );
  assert.notEqual(code, 0);
  assert.match(stderr, /no ed25519 key/);
});
