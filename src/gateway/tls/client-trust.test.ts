import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import fc from "fast-check";
import {
  buildBundle,
  clientTrust,
  openAuthority,
  SYSTEM_BUNDLES,
  TRUST_FILE_VARIABLES,
  trustBundle,
} from "./index.ts";

const root = mkdtempSync(join(tmpdir(), "cofferdam-trust-"));
after(() => rmSync(root, { recursive: true }));
const authority = await openAuthority(root);
const bundle = join(root, "bundle.pem");
writeFileSync(bundle, await trustBundle(authority));

const server = createServer(
  { SNICallback: (name, done) => done(null, authority.contextFor(name)) },
  ({ url }, response) =>
    response.end(url?.includes("/info/refs") ? `${"a1".repeat(20)}\trefs/heads/hi\n` : "hi"),
);
server.on("tlsClientError", () => {}); // Clients that refuse the certificate reset the connection.
server.listen(0, "127.0.0.1");
await once(server, "listening");
after(() => server.close());
const { port } = server.address() as AddressInfo;

// `localhost` is a name like any other to a certificate, and resolves without a name server.
const URL = `https://localhost:${port}/`;
const NODE = `require("https").get("${URL}", (r) => r.pipe(process.stdout))`;
const URLLIB = `import urllib.request as u; print(u.urlopen("${URL}").read().decode())`;
const PIP = `import pip._vendor.requests as r; print(r.get("${URL}").text)`;
const S_CLIENT = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet \
  -verify_return_error -servername localhost -connect localhost:${port}`;

const run = promisify(execFile);
// Its copy within pip, which some distributions leave out.
const hasRequests = spawnSync("python3", ["-c", "import pip._vendor.requests"]).status === 0;
/** Each client with the one variable that it is said to obey. */
const CLIENTS: readonly (readonly [string, readonly string[], string])[] = [
  ["NODE_EXTRA_CA_CERTS", [process.execPath, "-e", NODE], "Node"],
  ["SSL_CERT_FILE", ["python3", "-c", URLLIB], "Python"],
  ["REQUESTS_CA_BUNDLE", ["python3", "-c", PIP], "requests"],
  ["CURL_CA_BUNDLE", ["curl", "-sS", URL], "curl"],
  ["SSL_CERT_FILE", ["sh", "-c", S_CLIENT], "openssl"],
  ["GIT_SSL_CAINFO", ["git", "ls-remote", `${URL}a`], "git"],
];
for (const [variable, [program = "", ...args], client] of CLIENTS) {
  const skip = client === "requests" && !hasRequests && "Python has no requests here";
  test(`${client} trusts the bundle by ${variable}, and refuses without it`, { skip }, async () => {
    const { PATH = "", HOME = "" } = process.env;
    const value = clientTrust(bundle)[variable] ?? "";
    const attempt = (env: Record<string, string>) =>
      run(program, args, { env: { PATH, HOME, LC_ALL: "C", ...env } }).then(
        ({ stdout }) => stdout,
        ({ stderr }: { stderr: string }) => stderr,
      );
    assert.match(await attempt({ [variable]: value }), /hi$/m);
    assert.match(await attempt({}), /certificate|CERTIFICATE/);
  });
}

test("all variables together are set, each to the bundle or to its switch", () => {
  const variables = clientTrust("/etc/bundle.pem");
  for (const name of Object.keys(TRUST_FILE_VARIABLES)) {
    assert.equal(variables[name], "/etc/bundle.pem");
  }
  assert.equal(variables["NODE_USE_SYSTEM_CA"], "1");
  assert.equal(variables["SSL_CERT_DIR"], undefined, "the system's folder stays in use beside it");
});

const CERTIFICATES = ["AAAA", "BBBB\nCCCC"].map(
  (body) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`,
);
const BUNDLES: readonly (readonly [string, readonly string[], string])[] = [
  [`${CERTIFICATES.join("\n")}\n`, CERTIFICATES, "an ordinary bundle"],
  [CERTIFICATES.join("\n"), CERTIFICATES, "without a last line's end"],
  [`# Root 1\r\n${CERTIFICATES.join("\r\n")}`, CERTIFICATES, "with comments and CRs"],
  [
    `-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n${CERTIFICATES[0]}`,
    CERTIFICATES.slice(0, 1),
    "with a key by mistake: it must not reach a run",
  ],
  ["-----BEGIN CERTIFICATE-----\nAA", [], "cut off"],
  ["", [], "empty"],
];
for (const [system, expected, why] of BUNDLES) {
  test(`a bundle of ours first, then ${expected.length}: ${why}`, () => {
    const text = buildBundle(authority.certificatePem, system);
    const all = [authority.certificatePem.trim(), ...expected];
    assert.equal(text, `${all.join("\n")}\n`);
  });
}

test("a bundle holds nothing but certificates, whatever the host's file holds", () => {
  const parts = fc.constantFrom(
    ...CERTIFICATES,
    "-----BEGIN ",
    "PRIVATE KEY-----",
    "\n",
    "x",
    "\r",
  );
  const property = fc.property(fc.array(parts, { maxLength: 12 }), (pieces) => {
    const text = buildBundle(authority.certificatePem, pieces.join(""));
    const block = "-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]+\n)+-----END CERTIFICATE-----\n";
    assert.match(text, new RegExp(`^(?:${block})+$`));
  });
  fc.assert(property);
});

test("the host's own roots are in the bundle; a host without any still has the authority", async () => {
  const own = await trustBundle(authority, [join(root, "absent"), join(root, "host.pem")]);
  assert.equal(own, authority.certificatePem);
  writeFileSync(join(root, "host.pem"), `${CERTIFICATES.join("\n")}\n`);
  const both = await trustBundle(authority, [join(root, "absent"), join(root, "host.pem")]);
  assert.equal(both, `${authority.certificatePem}${CERTIFICATES.join("\n")}\n`);
  const [first] = SYSTEM_BUNDLES;
  const roots = readFileSync(first, "utf8").match(/BEGIN CERTIFICATE/g)?.length ?? 0;
  assert.equal(readFileSync(bundle, "utf8").match(/BEGIN CERTIFICATE/g)?.length, roots + 1);
});

test("a host's bundle that is there but cannot be read is told, not left out", async () => {
  await assert.rejects(trustBundle(authority, [root]), { code: "EISDIR" });
});
