import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, isIP, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect, TLSSocket, type SecureContext } from "node:tls";
import { promisify } from "node:util";
import fc from "fast-check";
import { canonicalHost } from "../../policy/index.ts";
import { AUTHORITY_FILE, openAuthority } from "./index.ts";
import { authorityName, createAuthorityCertificate, createKey, createLeaf } from "./certificate.ts";

const DAY_MS = 86_400_000;
const root = mkdtempSync(join(tmpdir(), "cofferdam-tls-"));
after(() => rmSync(root, { recursive: true }));
const folder = () => mkdtempSync(join(root, "keys-"));

const dir = folder();
const authority = await openAuthority(dir);
const caFile = join(root, "ca.pem");
writeFileSync(caFile, authority.certificatePem);

const key = createKey();
const issuer = { key, name: authorityName(key), untilMs: Date.now() + 3650 * DAY_MS };
const ownCa = join(root, "own-ca.pem");
writeFileSync(ownCa, createAuthorityCertificate(key, Date.now()));

test("the authority is one of hosts only, named for its key, and kept from others", () => {
  const certificate = new X509Certificate(authority.certificatePem);
  assert.match(certificate.subject, /^CN=Cofferdam CA [0-9a-f]{8}$/);
  assert.ok(certificate.ca && certificate.verify(certificate.publicKey));
  const years = (certificate.validToDate.getTime() - Date.now()) / (365 * DAY_MS);
  assert.ok(years > 9.9 && years < 10.1);
  const shown = execFileSync("openssl", ["x509", "-noout", "-text", "-in", caFile]).toString();
  assert.match(shown, /Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
  assert.match(shown, /Key Usage: critical\s+Certificate Sign\n/);
  assert.equal(statSync(join(dir, AUTHORITY_FILE)).mode & 0o7777, 0o600);
  assert.deepEqual(readdirSync(dir), [AUTHORITY_FILE], "nothing else is left behind");
});

test("opened again it is the same, and two that open at once agree", async () => {
  assert.equal((await openAuthority(dir)).certificatePem, authority.certificatePem);
  const fresh = folder();
  const opened = await Promise.allSettled([openAuthority(fresh), openAuthority(fresh)]);
  const pems = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  assert.ok(pems.length > 0, "at least one of them makes it");
  const kept = (await openAuthority(fresh)).certificatePem;
  assert.ok(pems.every(({ certificatePem }) => certificatePem === kept));
});

const HOSTS: readonly (readonly [string, string, string])[] = [
  ["a.example.com", "DNS:a.example.com", "a name"],
  ["intranet", "DNS:intranet", "a name of one label"],
  ["_x.a-b.example", "DNS:_x.a-b.example", "an underscore, as names in use have"],
  ["xn--bcher-kva.example", "DNS:xn--bcher-kva.example", "an A-label"],
  [
    `${`${"a".repeat(61)}.`.repeat(4)}abcde`,
    `DNS:${`${"a".repeat(61)}.`.repeat(4)}abcde`,
    "253 characters, more than a common name may have",
  ],
  ["203.0.113.7", "IP Address:203.0.113.7", "IPv4"],
  ["::1", "IP Address:0:0:0:0:0:0:0:1", "IPv6"],
  ["2001:db8::7:0:1", "IP Address:2001:DB8:0:0:0:7:0:1", "IPv6 with zeros within"],
  ["::ffff:203.0.113.7", "IP Address:0:0:0:0:0:FFFF:CB00:7107", "IPv6 with a dotted end"],
];
for (const [host, alternative, why] of HOSTS) {
  test(`openssl verify -x509_strict accepts the certificate of ${host.slice(0, 30)}: ${why}`, () => {
    const leaf = createLeaf(issuer, host, Date.now());
    const certificate = new X509Certificate(leaf.certificatePem);
    assert.equal(certificate.subjectAltName, alternative, "exactly one name");
    assert.equal(certificate.subject, undefined, "and no other place for one");
    assert.equal(certificate.serialNumber.length, 32);
    const days = (certificate.validToDate.getTime() - Date.now()) / DAY_MS;
    assert.ok(days > 6.9 && days <= 7 && certificate.validFromDate.getTime() < Date.now());
    const file = join(root, "leaf.pem");
    writeFileSync(file, leaf.certificatePem);
    const named = host.includes(":") || /^[\d.]+$/.test(host) ? "-verify_ip" : "-verify_hostname";
    const verify = (...args: readonly string[]) =>
      execFileSync(
        "openssl",
        ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", ownCa, ...args, file],
        { stdio: "pipe" },
      ).toString();
    assert.match(verify(named, host), /: OK\n$/);
    assert.throws(() => verify("-verify_hostname", "b.example.com"), /mismatch/i);
    assert.throws(() => verify("-purpose", "sslclient"), /purpose/i);
  });
}

const NO_HOSTS: readonly (readonly [string, string])[] = [
  ["", "nothing"],
  ["*.example.com", "a wildcard covers what nobody asked for"],
  ["A.example.com", "a second spelling"],
  ["a.example.com.", "a trailing dot"],
  ["a..example.com", "an empty label"],
  [`${"a".repeat(64)}.com`, "a label over 63"],
  [`${"a.".repeat(126)}aa`, "a name over 253"],
  ["a.example.com\0.b.example", "NUL"],
  ["b\u00fccher.example", "a name that is not yet ASCII"],
  ["a b.example", "a space"],
  ["a,DNS:b", "what a textual SAN would read as two names"],
  ["0x7f.1", "an address in disguise"],
  ["010.1.2.3", "an address that two readers read differently"],
  ["[::1]", "brackets"],
  ["::0:1", "IPv6 in a second spelling"],
  ["2001:DB8::1", "upper case"],
  ["fe80::1%lo", "a zone"],
];
for (const [host, why] of NO_HOSTS) {
  test(`fault tls.host for ${JSON.stringify(host.slice(0, 30))}: ${why}`, () => {
    assert.throws(() => authority.contextFor(host), { code: "tls.host" });
  });
}

test("any text has a certificate of exactly that name, or none", () => {
  const text = fc.oneof(fc.string(), fc.domain(), fc.ipV4(), fc.ipV6(), fc.webUrl());
  const property = fc.property(text, (host) => {
    try {
      const { certificatePem } = createLeaf(issuer, host, Date.now());
      const certificate = new X509Certificate(certificatePem);
      const { subjectAltName = "" } = certificate;
      if (isIP(host) === 0) assert.equal(subjectAltName, `DNS:${host}`);
      else assert.equal(certificate.checkIP(host), host);
      assert.ok(!subjectAltName.includes(","), "one name");
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, "tls.host");
      assert.notEqual(canonicalHost(host), host);
    }
  });
  fc.assert(property, { numRuns: 150 });
});

/** Serves TLS on loopback as whatever name the client says, `fallback` where it says none. */
async function serve(fallback: SecureContext): Promise<{ port: number; close(): void }> {
  const server = createServer((raw) => {
    const socket = new TLSSocket(raw, {
      isServer: true,
      secureContext: fallback,
      SNICallback: (name, done) => done(null, authority.contextFor(name)),
    });
    socket.on("error", () => {}); // Clients that refuse the certificate reset the connection.
    socket.once("data", () =>
      socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { port, close: () => server.close() };
}

const server = await serve(authority.contextFor("127.0.0.1"));
after(() => server.close());

const run = promisify(execFile);
const PYTHON = `import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1] or None)
context.verify_flags |= ssl.VERIFY_X509_STRICT
raw = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
with context.wrap_socket(raw, server_hostname=sys.argv[3]) as tls:
    tls.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    print(tls.recv(100).decode())`;
const NODE = `const [ca, port, host] = process.argv.slice(1);
require("https").get({ port, host: "127.0.0.1", servername: host, headers: { host },
  ...(ca && { ca: require("fs").readFileSync(ca) }) }, (r) => r.pipe(process.stdout))`;

/** Real clients, strictest first: what each does with the given roots (none: its own) for a host. */
const CLIENTS: Readonly<
  Record<string, (ca: string, host: string) => readonly [string, ...string[]]>
> = {
  "Python, VERIFY_X509_STRICT": (ca, host) => [
    "python3",
    "-c",
    PYTHON,
    ca,
    String(server.port),
    host,
  ],
  curl: (ca, host) => [
    "curl",
    "-sS",
    ...(ca === "" ? [] : ["--cacert", ca]),
    "--connect-to",
    `::127.0.0.1:${server.port}`,
    `https://${host}/`,
  ],
  Node: (ca, host) => [process.execPath, "-e", NODE, ca, String(server.port), host],
  "openssl s_client": (ca, host) => [
    "sh",
    "-c",
    `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -verify_return_error -x509_strict \
      ${ca === "" ? "" : `-CAfile ${ca}`} -verify_hostname ${host} -servername ${host} \
      -connect 127.0.0.1:${server.port}`,
  ],
};
for (const [client, argv] of Object.entries(CLIENTS)) {
  test(`${client} trusts a host under the authority, and nobody without it`, async () => {
    const [program, ...rest] = argv(caFile, "real.example.com");
    const { stdout } = await run(program, rest);
    assert.match(stdout, /hi$/m);
    const [, ...bare] = argv("", "real.example.com");
    await assert.rejects(run(program, bare), "its own roots do not hold the authority");
  });
}

test("curl trusts an address by its own certificate", async () => {
  const url = `https://127.0.0.1:${server.port}/`;
  assert.equal((await run("curl", ["-sS", "--cacert", caFile, url])).stdout, "hi");
});

test("a client gets the certificate of the name it said, and no other fits", async () => {
  const socket = connect({
    port: server.port,
    host: "127.0.0.1",
    servername: "a.example.com",
    ca: authority.certificatePem,
    checkServerIdentity: () => undefined,
  });
  await once(socket, "secureConnect");
  const certificate = socket.getPeerX509Certificate();
  assert.equal(certificate?.checkHost("a.example.com"), "a.example.com");
  assert.equal(certificate?.checkHost("b.example.com"), undefined);
  assert.equal(certificate?.checkHost("x.a.example.com"), undefined);
  assert.equal(socket.getProtocol(), "TLSv1.3");
  socket.destroy();
});

test("TLS 1.1 is refused, 1.2 is served", async () => {
  const dial = (version: "TLSv1.1" | "TLSv1.2") =>
    connect({
      port: server.port,
      host: "127.0.0.1",
      servername: "a.example.com",
      ca: authority.certificatePem,
      minVersion: version,
      maxVersion: version,
      ciphers: "DEFAULT@SECLEVEL=0",
    });
  const [error] = (await once(dial("TLSv1.1"), "error")) as [Error];
  assert.match(error.message, /protocol version/);
  const socket = dial("TLSv1.2");
  await once(socket, "secureConnect");
  socket.destroy();
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`${version}: a session ends with its connection, so none is taken up under another name`, async () => {
    const dial = async (session?: Buffer) => {
      const socket = connect({
        port: server.port,
        host: "127.0.0.1",
        servername: "a.example.com",
        ca: authority.certificatePem,
        minVersion: version,
        maxVersion: version,
        ...(session === undefined ? {} : { session }),
      });
      socket.write("GET / HTTP/1.0\r\n\r\n");
      await once(socket, "data"); // A server sends its tickets before its first data.
      const result = { session: socket.getSession(), reused: socket.isSessionReused() };
      socket.destroy();
      return result;
    };
    const { session } = await dial();
    assert.equal((await dial(session)).reused, false);
  });
}

test("a host's certificate signs nothing: the authority's path ends there", () => {
  const leaf = createLeaf(issuer, "a.example.com", Date.now());
  const below = createLeaf({ ...issuer, key: leaf.key }, "b.example.com", Date.now());
  const files = ["middle.pem", "below.pem"].map((name) => join(root, name));
  writeFileSync(files[0] ?? "", leaf.certificatePem);
  writeFileSync(files[1] ?? "", below.certificatePem);
  const args = ["verify", "-CAfile", ownCa, "-untrusted", ...files];
  assert.throws(() => execFileSync("openssl", args, { stdio: "pipe" }));
});

test("a context is kept, dropped when it is the one longest unused, and renewed in time", async () => {
  let wallMs = Date.now();
  const clock = { now: () => ({ wallMs, monoMs: 0 }) };
  const small = await openAuthority(dir, { clock, contextsMax: 2 });
  const first = small.contextFor("a.example");
  const second = small.contextFor("b.example");
  assert.equal(small.contextFor("a.example"), first, "kept, and used again");
  small.contextFor("c.example");
  assert.equal(small.contextFor("a.example"), first);
  assert.notEqual(small.contextFor("b.example"), second, "b was the one longest unused");
  wallMs += 4 * DAY_MS;
  assert.notEqual(small.contextFor("b.example"), second, "half its life is over");
  const late = small.contextFor("b.example");
  wallMs -= 2 * DAY_MS;
  assert.notEqual(small.contextFor("b.example"), late, "the clock went back before its beginning");
});

test("a certificate never outlives its authority", () => {
  const untilMs = Date.now() + DAY_MS;
  assert.equal(createLeaf({ ...issuer, untilMs }, "a.example", Date.now()).untilMs, untilMs);
});

const pemOf = (part: "PRIVATE KEY" | "CERTIFICATE") => {
  const text = readFileSync(join(dir, AUTHORITY_FILE), "utf8");
  return new RegExp(`-----BEGIN ${part}-----[^]+?-----END ${part}-----\n`).exec(text)?.[0] ?? "";
};
const foreign = createAuthorityCertificate(createKey(), Date.now());
const rsa = () =>
  execFileSync("openssl", ["genpkey", "-quiet", "-algorithm", "ed25519"]).toString();

const ownKey = () => createPrivateKey(pemOf("PRIVATE KEY"));
/** A self-signed certificate of `key` under the name of the authority that is open here. */
function namesake(key: KeyObject, constraints: string): string {
  const file = join(root, "namesake.key");
  writeFileSync(file, key.export({ type: "pkcs8", format: "pem" }));
  const name = `/CN=${authorityName(ownKey())}`;
  const args = ["req", "-x509", "-key", file, "-subj", name, "-days", "90"];
  const extension = ["-addext", `basicConstraints=critical,${constraints}`];
  return execFileSync("openssl", [...args, ...extension]).toString();
}

const BROKEN: readonly (readonly [string, (path: string) => void, string])[] = [
  ["tls.authority_access", (path) => chmodSync(path, 0o640), "the group could read the key"],
  ["tls.authority_access", (path) => chmodSync(join(path, ".."), 0o777), "anyone could replace it"],
  [
    "tls.authority_access",
    (path) => {
      rmSync(path);
      symlinkSync(join(dir, AUTHORITY_FILE), path);
    },
    "a link to somewhere else",
  ],
  ["tls.authority_corrupt", (path) => writeFileSync(path, ""), "an empty file"],
  ["tls.authority_corrupt", (path) => writeFileSync(path, pemOf("PRIVATE KEY")), "only a key"],
  ["tls.authority_corrupt", (path) => writeFileSync(path, pemOf("CERTIFICATE")), "only its name"],
  [
    "tls.authority_corrupt",
    (path) => writeFileSync(path, pemOf("PRIVATE KEY") + foreign),
    "another's certificate",
  ],
  [
    "tls.authority_corrupt",
    (path) => writeFileSync(path, rsa() + pemOf("CERTIFICATE")),
    "another kind of key",
  ],
  [
    "tls.authority_corrupt",
    (path) => writeFileSync(path, pemOf("PRIVATE KEY") + pemOf("CERTIFICATE") + foreign),
    "one certificate too many",
  ],
  [
    "tls.authority_corrupt",
    (path) =>
      writeFileSync(
        path,
        pemOf("PRIVATE KEY") + createLeaf(issuer, "a.example", Date.now()).certificatePem,
      ),
    "a host's certificate",
  ],
  [
    "tls.authority_corrupt",
    (path) => writeFileSync(path, pemOf("PRIVATE KEY") + namesake(createKey(), "CA:TRUE")),
    "another key's certificate under the same name",
  ],
  [
    "tls.authority_corrupt",
    (path) => writeFileSync(path, pemOf("PRIVATE KEY") + namesake(ownKey(), "CA:FALSE")),
    "its own key and name, but no authority",
  ],
  [
    "tls.authority_corrupt",
    (path) => writeFileSync(path, readFileSync(path).subarray(0, 300)),
    "cut off",
  ],
  ["tls.authority_corrupt", (path) => writeFileSync(path, Buffer.alloc(20_000, 65)), "too large"],
];
for (const [code, damage, why] of BROKEN) {
  test(`fault ${code}, and the file stays as it is: ${why}`, async () => {
    const own = folder();
    const path = join(own, AUTHORITY_FILE);
    await openAuthority(own);
    damage(path);
    const before = readFileSync(path);
    await assert.rejects(openAuthority(own), (error: unknown) => {
      const { hint, message } = error as { hint?: string; message: string };
      assert.equal((error as { code?: unknown }).code, code);
      assert.ok(hint !== undefined && !message.includes("BEGIN"));
      return true;
    });
    assert.ok(readFileSync(path).equals(before));
    chmodSync(own, 0o700);
  });
}

for (const [years, why] of [
  [11, "it is over"],
  [-1, "it has not begun"],
] as const) {
  test(`fault tls.authority_expired: ${why}`, async () => {
    const clock = { now: () => ({ wallMs: Date.now() + years * 365 * DAY_MS, monoMs: 0 }) };
    await assert.rejects(openAuthority(dir, { clock }), { code: "tls.authority_expired" });
  });
}

test("a directory that is missing is told by its path", async () => {
  await assert.rejects(openAuthority(join(root, "nowhere")), /nowhere/);
});
