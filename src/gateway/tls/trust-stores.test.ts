import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openAuthority } from "./authority.ts";
import { certificatesOf, trustBundle } from "./client-trust.ts";
import { javaStore, subjectHash, trustStores } from "./trust-stores.ts";

const folder = mkdtempSync(join(tmpdir(), "cofferdam-stores-"));
after(() => rmSync(folder, { recursive: true }));
const authority = await openAuthority(folder);
const pem = authority.certificatePem;
const bundle = await trustBundle(authority);
const stores = trustStores(pem, bundle);
const path = join(folder, "authority.crt");
writeFileSync(path, pem);

test("OpenSSL names the file in its folder as we do, and finds it there", () => {
  const hash = execFileSync("openssl", ["x509", "-hash", "-noout", "-in", path]).toString().trim();
  assert.equal(subjectHash(pem), hash);
  assert.equal(stores[`ssl/certs/${hash}.0`], pem);
  writeFileSync(join(folder, `${hash}.0`), pem);
  const verify = ["verify", "-no-CAfile", "-no-CAstore"];
  const { status } = spawnSync("openssl", [...verify, "-CApath", folder, path]);
  assert.equal(status, 0);
  assert.notEqual(spawnSync("openssl", [...verify, "-no-CApath", path]).status, 0);
});

const keytool = spawnSync("keytool", ["-help"]).error === undefined;
test(
  "Java's own tool reads the store, and the authority is in it",
  { skip: !keytool && "no Java here" },
  () => {
    const store = join(folder, "cacerts");
    writeFileSync(store, stores["ssl/certs/java/cacerts"] ?? "");
    const args = ["-list", "-v", "-keystore", store, "-storepass", "changeit"];
    const listed = execFileSync("keytool", args, {
      stdio: ["ignore", "pipe", "ignore"],
    }).toString();
    assert.match(listed, new RegExp(`contains ${certificatesOf(bundle).length} entries`));
    assert.ok(listed.includes(new X509Certificate(pem).fingerprint256));
    const bytes = Buffer.from(stores["ssl/certs/java/cacerts"] ?? "");
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(store, bytes);
    assert.notEqual(spawnSync("keytool", args).status, 0, "a changed store is no store");
  },
);

test("a Java store has the published layout", () => {
  const one = javaStore([Buffer.from([0x30, 0x00])]);
  assert.equal(
    one.subarray(0, -20).toString("hex"),
    "feedfeed" +
      "00000002" +
      "00000001" + // magic, version, count
      "00000002" +
      "0006" +
      Buffer.from("root-0").toString("hex") +
      "0000000000000000" +
      "0005" +
      Buffer.from("X.509").toString("hex") +
      "00000002" +
      "3000",
  );
});

test("browsers are told of the authority, and of nothing else", () => {
  const policies = Object.keys(stores).filter((name) => name.includes("/policies/"));
  assert.ok(policies.includes("chromium/policies/managed/cofferdam.json"));
  for (const name of policies.filter((one) => !one.startsWith("firefox"))) {
    const { CACertificates, ...more } = JSON.parse(String(stores[name])) as {
      CACertificates: string[];
    };
    assert.deepEqual(more, {});
    assert.deepEqual(
      CACertificates.map((der) => new X509Certificate(Buffer.from(der, "base64")).fingerprint256),
      [new X509Certificate(pem).fingerprint256],
    );
  }
  assert.match(
    String(stores["firefox/policies/policies.json"]),
    /"\/etc\/ssl\/cofferdam-authority\.pem"/,
  );
  assert.equal(stores["ssl/cofferdam-authority.pem"], pem);
});

test("a root of the host that cannot be read is left out of Java's store", () => {
  const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const store = trustStores(pem, `${pem}${broken}`)["ssl/certs/java/cacerts"];
  assert.deepEqual(store, javaStore([new X509Certificate(pem).raw]));
});

test("no store holds a private key", () => {
  for (const [name, content] of Object.entries(stores)) {
    assert.ok(!content.toString("latin1").includes("PRIVATE"), name);
  }
});
