/** Where the gateway goes on the other side: sockets of this machine, private addresses, proxies. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { authorityNamed, destroyAll, listening, openWorld, readAll } from "./test-kit.ts";
import type { World, WorldOptions } from "./test-kit.ts";

const servers: Server[] = [];
after(() => destroyAll(servers));

interface Context {
  after(fn: () => unknown): void;
}
const ALLOW = 'allow: [{ methods: [GET, POST], paths: ["/**"] }]';
const GET = "GET /v1/x HTTP/1.1\r\nHost: a.test\r\nconnection: close\r\n\r\n";

async function worldOf(
  t: Context,
  grants: string,
  more: Partial<WorldOptions> = {},
): Promise<World> {
  const it = await openWorld({ grants, limits: { firstBytesMs: 500, connectMs: 500 }, ...more });
  t.after(() => it.close());
  return it;
}

function folderOf(t: Context): string {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-reach-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function site(): HttpServer {
  const server = createHttpServer((request, response) =>
    response.end(`here ${request.headers.host}`),
  );
  servers.push(server);
  return server;
}

async function ask(it: World, port: number): Promise<string> {
  const socket = port === 443 ? await it.secure("a.test", port) : await it.dial("a.test", port);
  const answer = readAll(socket);
  socket.write(GET);
  return answer;
}

test("a grant may lead to a Unix socket of this machine, plain and over TLS", async (t) => {
  const folder = folderOf(t);
  const plain = site().listen(join(folder, "plain.sock"));
  await once(plain, "listening");
  const authority = await authorityNamed("upstream");
  const secure = createTlsServer(
    { SNICallback: (name, done) => done(null, authority.contextFor(name)) },
    (socket) => plain.emit("connection", socket),
  ).listen(join(folder, "tls.sock"));
  servers.push(secure);
  await once(secure, "listening");
  const it = await worldOf(
    t,
    `  - { system: http, name: a, hosts: [a.test], ports: [80], dial: "unix:${folder}/plain.sock", ${ALLOW} }
  - { system: http, name: b, hosts: [a.test], ports: [443], dial: "unix:${folder}/tls.sock", ca: ./ca.pem, ${ALLOW} }\n`,
    { authorities: new Map([["b", authority.certificatePem]]) },
  );
  assert.match(await ask(it, 80), /200 OK[^]*here a\.test/);
  assert.match(await ask(it, 443), /200 OK[^]*here a\.test/);
});

test("a grant may lead to ::1", async (t) => {
  const server = site().listen(0, "::1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const it = await worldOf(
    t,
    `  - { system: http, name: a, hosts: [a.test], ports: [80], dial: "[::1]:${address.port}", ${ALLOW} }\n`,
  );
  assert.match(await ask(it, 80), /200 OK[^]*here a\.test/);
});

/** A site over TLS whose certificate says `says`, or the name asked for. */
async function secureSite(
  says?: string,
): Promise<{ readonly port: number; readonly asked: string[] }> {
  const authority = await authorityNamed("upstream");
  const asked: string[] = [];
  const inner = createHttpServer((request, response) => {
    asked.push(request.headers.host ?? "");
    response.end("here");
  });
  const server = createTlsServer(
    { SNICallback: (name, done) => done(null, authority.contextFor(says ?? name)) },
    (socket) => inner.emit("connection", socket),
  );
  servers.push(server);
  return { port: await listening(server), asked };
}

async function throughProxy(t: Context, proxyPort: number, dialPort: number): Promise<World> {
  const authority = await authorityNamed("upstream");
  return worldOf(
    t,
    `  - { system: http, name: a, hosts: [a.test], ports: [443], dial: "127.0.0.1:${dialPort}", upstream_proxy: "127.0.0.1:${proxyPort}", ca: ./ca.pem, ${ALLOW} }\n`,
    { authorities: new Map([["a", authority.certificatePem]]) },
  );
}

test("a grant may go through a real proxy, which learns where to and nothing else", async (t) => {
  const folder = folderOf(t);
  const probe = createServer();
  const port = await listening(probe);
  probe.close();
  await once(probe, "close");
  const config = join(folder, "tinyproxy.conf");
  writeFileSync(
    config,
    `Port ${port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 10\nLogFile "${folder}/log"\nLogLevel Connect\nAllow 127.0.0.1\n`,
  );
  const proxy = spawn("tinyproxy", ["-d", "-c", config], { stdio: "ignore" });
  t.after(() => proxy.kill());
  await answering(port);
  const real = await secureSite();
  assert.match(await ask(await throughProxy(t, port, real.port), 443), /200 OK[^]*here/);
  assert.deepEqual(real.asked, ["a.test"]);
  const other = await secureSite("evil.test");
  assert.match(
    await ask(await throughProxy(t, port, other.port), 443),
    /502[^]*gateway\.certificate/,
  );
  assert.deepEqual(
    other.asked,
    [],
    "INV-14: who is there is proved by TLS, whatever the proxy says",
  );
});

async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const socket = connect(port, "127.0.0.1");
    const isThere = await new Promise((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (isThere === true) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("the proxy did not start");
}

/** A proxy of the test's own that says `answer`, and what it was told. */
async function proxySaying(answer: string): Promise<{ readonly port: number; heard: string }> {
  const proxy = { port: 0, heard: "" };
  const server = createServer((socket: Socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      proxy.heard += chunk.toString("latin1");
      if (answer !== "" && proxy.heard.endsWith("\r\n\r\n")) socket.write(answer);
    });
  });
  servers.push(server);
  return Object.assign(proxy, { port: await listening(server) });
}

const ANSWERS: readonly (readonly [string, string, RegExp])[] = [
  ["that refuses", "HTTP/1.1 403 Forbidden\r\n\r\n", /status 403/],
  ["that wants an account", "HTTP/1.1 407 Auth\r\nProxy-Authenticate: Basic\r\n\r\n", /status 407/],
  [
    "that speaks for the site",
    "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\nlies",
    /nobody asked for/,
  ],
  ["that speaks no HTTP", "220 hello\r\n\r\n", /Parse Error/],
  [
    "with endless headers",
    `HTTP/1.1 200 OK\r\nx: ${"x".repeat(40_000)}\r\n\r\n`,
    /Header overflow|Parse Error/,
  ],
  ["that says nothing", "", /no answer in 500 ms/],
];
for (const [what, answer, says] of ANSWERS) {
  test(`fault gateway.proxy: a proxy ${what} gets no request, and is named`, async (t) => {
    const proxy = await proxySaying(answer);
    const it = await throughProxy(t, proxy.port, 9);
    const said = await ask(it, 443);
    assert.match(said, /502[^]*gateway\.proxy/);
    assert.match(said, says);
    assert.equal(
      proxy.heard.split("\r\n\r\n")[0],
      "CONNECT 127.0.0.1:9 HTTP/1.1\r\nhost: 127.0.0.1:9\r\nConnection: close",
    );
    assert.ok(!/v1\/x/.test(proxy.heard));
  });
}

test("INV-7: a proxy by name must be public; one that is Cofferdam itself is refused", async (t) => {
  const grants = (proxy: string) =>
    `  - { system: http, name: a, hosts: [a.test], upstream_proxy: "${proxy}", ${ALLOW} }\n`;
  const asked: string[] = [];
  const named = await worldOf(t, grants("proxy.test:3128"), {
    resolve: (host) => {
      asked.push(host);
      return Promise.resolve(["10.0.0.1"]);
    },
  });
  assert.match(await ask(named, 443), /502[^]*gateway\.address/);
  assert.deepEqual(asked, ["proxy.test"], "the granted name is the proxy's to resolve");
  const own = await worldOf(t, grants("127.0.0.1:3128"), {
    own: { ports: [3128], sockets: [] },
  });
  assert.match(await ask(own, 443), /502[^]*gateway\.address/);
});

test("fault gateway.untrusted: a client that rejects the run's certificate is told of splice", async (t) => {
  const it = await worldOf(t, `  - { system: http, name: a, hosts: [a.test], ${ALLOW} }\n`);
  const port = await it.listenerFor("a.test", 443);
  const code = await new Promise((resolve) => {
    const args = ["-s", "--connect-to", `a.test:443:127.0.0.1:${port}`, "https://a.test/"];
    execFile("curl", args, (error) => resolve(error?.code));
  });
  assert.equal(code, 60, "curl could not verify the peer");
  await it.flowsClosed(1);
  const [denial] = it.denials;
  assert.deepEqual([denial?.rule, denial?.system, it.denials.length], ["tls.untrusted", "a", 1]);
  assert.match(denial?.reason ?? "", /UNKNOWN_CA.*splice: true/i);
});

test("INV-32: a request under way is cut when its rule goes, and its twin goes on", async (t) => {
  const server = createHttpServer((_request, response) => {
    response.writeHead(200);
    response.write("first ");
  });
  servers.push(server);
  const dial = `dial: "127.0.0.1:${await listening(server)}"`;
  const it = await worldOf(
    t,
    `  - { system: http, name: a, hosts: [a.test], ports: [80], ${dial}, ${ALLOW} }
  - { system: http, name: b, hosts: [b.test], ports: [80], ${dial}, ${ALLOW} }\n`,
  );
  const [one, twin] = [await it.dial("a.test", 80), await it.dial("b.test", 80)];
  one.write(GET);
  twin.write(GET.replace("a.test", "b.test"));
  await Promise.all([one, twin].map((socket) => readAll(socket, (text) => text.includes("first"))));
  assert.equal(it.revoke("a"), 1);
  assert.equal(await readAll(one), "");
  assert.equal(twin.destroyed, false);
  assert.match(await ask(it, 80), /403[^]*the grant a was revoked/);
  twin.destroy();
});
