/**
 * SSH certificates, as `ssh-keygen` reads them; test/ssh/certificate.test.ts logs in with them.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createSshKey, mintSshCertificate, sshAuthorityLine } from "./ssh-certificate.ts";

const root = mkdtempSync(join(tmpdir(), "cofferdam-ca-"));
after(() => rmSync(root, { recursive: true, force: true }));
const keygen = (...args: readonly string[]) =>
  execFileSync("ssh-keygen", args, { encoding: "utf8", cwd: root });
keygen("-q", "-t", "ed25519", "-N", "", "-f", "ca");
const caPrivateKey = readFileSync(join(root, "ca"), "utf8");

const base = {
  caPrivateKey,
  publicKey: createSshKey().publicKey,
  keyId: "task web of run r-1",
  principals: ["deploy"],
  validAfter: 1_800_000_000,
  validBefore: 1_800_000_300,
};

test("ssh-keygen reads every field of a certificate, and its authority", () => {
  const line = mintSshCertificate({
    ...base,
    principals: ["deploy", "www"],
    serial: 42n,
    criticalOptions: { "source-address": "10.0.0.0/8", "force-command": "/bin/true" },
    extensions: ["permit-pty"],
  });
  writeFileSync(join(root, "cert.pub"), `${line}\n`);
  const shown = keygen("-L", "-f", "cert.pub");
  const fingerprint = keygen("-l", "-f", "ca.pub").split(" ")[1] ?? "none";
  for (const part of [
    "user certificate",
    `Signing CA: ED25519 ${fingerprint}`,
    'Key ID: "task web of run r-1"',
    "Serial: 42",
    "deploy",
    "www",
    "force-command /bin/true",
    "source-address 10.0.0.0/8",
    "permit-pty",
  ]) {
    assert.ok(shown.includes(part), `${part} is in ${shown}`);
  }
  assert.ok(!/forwarding/.test(shown), "nothing is forwarded");
});

test("without options there are none: no terminal, no forwarding, no rc file", () => {
  writeFileSync(join(root, "plain.pub"), `${mintSshCertificate(base)}\n`);
  const shown = keygen("-L", "-f", "plain.pub");
  assert.match(shown, /Critical Options: \(none\)\s+Extensions: \(none\)/);
});

test("an authority's line is the one of ssh-keygen, in either form of its key", () => {
  const wanted = readFileSync(join(root, "ca.pub"), "utf8").split(" ").slice(0, 2).join(" ");
  assert.equal(sshAuthorityLine(caPrivateKey), wanted);
  const { privateKey, publicKey } = createSshKey();
  assert.equal(sshAuthorityLine(privateKey), publicKey);
});

const REFUSED: readonly (readonly [string, Partial<typeof base>])[] = [
  ["for nobody, which would be for all", { principals: [] }],
  ["for an empty name", { principals: [""] }],
  ["over before it begins", { validBefore: base.validAfter }],
  ["for more than a day", { validBefore: base.validAfter + 86_401 }],
  ["by a key that is none", { caPrivateKey: "no key" }],
  ["for a key of another kind", { publicKey: "ssh-rsa AAAAB3NzaC1yc2EAAAA=" }],
];
for (const [why, change] of REFUSED) {
  test(`no certificate is minted ${why}`, () => {
    assert.throws(() => mintSshCertificate({ ...base, ...change }), {
      code: "vault.ssh_certificate",
    });
  });
}
