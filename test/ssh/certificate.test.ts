/**
 * Logging in: with a key, and with a certificate that was minted for the lease. The server is a real OpenSSH.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  createSshKey,
  mintSshCertificate,
  sshAuthorityLine,
  type Lease,
} from "../../src/vault/index.ts";
import { Sshd } from "../support/sshd.ts";
import { BrokerKit } from "./session-kit.ts";

const authority = createSshKey();
const sshd = new Sshd();
const other = new Sshd();
before(async () => {
  const file = join(sshd.root, "ca.pub");
  writeFileSync(file, `${sshAuthorityLine(authority.privateKey)}\n`);
  await sshd.start({ config: `TrustedUserCAKeys ${file}` });
  await other.start();
});
after(async () => {
  await sshd.close();
  await other.close();
});

interface Minted {
  readonly principals?: readonly string[];
  readonly from?: number;
  readonly until?: number;
  readonly command?: string;
  readonly by?: string;
}

function certificateLease(minted: Minted = {}): Lease {
  const { principals = [sshd.user], from = -60, until = 300, command } = minted;
  const { privateKey, publicKey } = createSshKey();
  const now = Math.floor(Date.now() / 1000);
  const certificate = mintSshCertificate({
    caPrivateKey: minted.by ?? authority.privateKey,
    publicKey,
    keyId: "cofferdam test",
    principals,
    validAfter: now + from,
    validBefore: now + until,
    ...(command === undefined ? {} : { criticalOptions: { "force-command": command } }),
  });
  const attach = { kind: "ssh-certificate", user: sshd.user, privateKey, certificate } as const;
  return { credential: "c", attach, secrets: [privateKey] };
}

async function runWith(lease: Lease, command = "echo in", hostKey = sshd.hostKey) {
  const kit = await new BrokerKit({ port: sshd.port, hostKey, lease }).start();
  try {
    return await kit.run(command);
  } finally {
    await kit.close();
  }
}

test("a certificate that was minted for the lease logs in, and the server's log names whose it is", async () => {
  const { code, stdout, stderr } = await runWith(certificateLease());
  assert.deepEqual([code, stdout], [0, "in\n"], stderr);
  assert.match(
    sshd.log,
    /Accepted publickey for \S+ .*ED25519-CERT .*ID cofferdam test \(serial 0\) CA ED25519/,
  );
});

test("a certificate's command is what runs, whatever was asked for", async () => {
  const { stdout } = await runWith(certificateLease({ command: "echo forced" }));
  assert.equal(stdout, "forced\n");
});

const REFUSED: readonly (readonly [string, Minted])[] = [
  ["for another account", { principals: ["nobody-else"] }],
  ["that is over", { from: -600, until: -300 }],
  ["of another authority", { by: createSshKey().privateKey }],
];
for (const [why, minted] of REFUSED) {
  test(`a certificate ${why} does not log in, and the agent is told`, async () => {
    const { code, stderr } = await runWith(certificateLease(minted));
    assert.equal(code, 255);
    assert.match(stderr, /server\.example refuses the credential of the grant/);
  });
}

test("INV-107: a server with another host key than the grant says gets no byte of a login (ssh.host_key)", async () => {
  const before = sshd.log.length;
  const { code, stderr } = await runWith(certificateLease(), "echo in", other.hostKey);
  assert.equal(code, 255);
  assert.match(stderr, /another host key than the grant says/);
  assert.doesNotMatch(sshd.log.slice(before), /Accepted|Failed|userauth/);
});

test("a stored key logs in, in each form that keys are stored in", async () => {
  const { privateKey, publicKey } = createSshKey(); // PKCS 8
  sshd.authorize(publicKey);
  for (const text of [privateKey, sshd.userKey]) {
    const attach = { kind: "ssh-key", user: sshd.user, privateKey: text } as const;
    const { code, stderr } = await runWith({ credential: "c", attach, secrets: [text] });
    assert.equal(code, 0, stderr);
  }
});

test("a lease that SSH cannot log in with is refused before the server hears of it (ssh.credential)", async () => {
  const attach = { kind: "ssh-key", user: "root", privateKey: "no key" } as const;
  const { code, stderr } = await runWith({ credential: "c", attach, secrets: [] });
  assert.equal(code, 255);
  assert.match(stderr, /the private key cannot be read/);
});
