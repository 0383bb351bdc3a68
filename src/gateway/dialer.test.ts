import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { after, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { systemClock } from "../base/index.ts";
import { createConnector } from "./connector.ts";
import { createDialer, type Destination } from "./dialer.ts";
import { GATEWAY_LIMITS } from "./limits.ts";
import { authorityNamed, destroyAll, listening, openWorld, readAll } from "./test-kit.ts";
import { createUpstreamTrust } from "./upstream-trust.ts";

const servers: Server[] = [];
after(() => destroyAll(servers));
const never = new AbortController().signal;

/** A dialer whose DNS gives `addresses`, and what it was asked. */
function dialerOf(addresses: readonly string[] | Error, own: readonly number[] = []) {
  const asked: string[] = [];
  let monoMs = 0;
  const limits = { ...GATEWAY_LIMITS, connectMs: 200, upstreamHandshakeMs: 200 };
  const connect = createConnector({
    clock: { now: () => ({ ...systemClock.now(), monoMs }) },
    limits,
    own: () => ({ ports: own, sockets: [] }),
    resolve(host) {
      asked.push(host);
      return addresses instanceof Error ? Promise.reject(addresses) : Promise.resolve(addresses);
    },
  });
  const dialer = createDialer({ connect, limits, trust: createUpstreamTrust(() => []) });
  return { dialer, asked, later: (ms: number) => void (monoMs += ms) };
}

const NAME: Destination = { host: "a.test", port: 9, tls: false };

const REFUSED: readonly (readonly [string, readonly string[] | Error, string])[] = [
  ["no such name", new Error("ENOTFOUND"), "gateway.resolve"],
  ["a name without addresses", [], "gateway.resolve"],
  ["a name that was rebound to loopback", ["127.0.0.1"], "gateway.address"],
  ["a name that was rebound to metadata", ["169.254.169.254"], "gateway.address"],
  [
    "a name that was rebound to the internal network",
    ["10.0.0.5", "192.168.1.1"],
    "gateway.address",
  ],
  ["loopback in IPv6 dress", ["::ffff:127.0.0.1", "64:ff9b::7f00:1"], "gateway.address"],
  ["what is no address", ["localhost", "0x7f.1", "fe80::1%lo"], "gateway.address"],
];
for (const [why, addresses, code] of REFUSED) {
  test(`INV-7, fault ${code}: ${why} is not dialled`, async () => {
    const { dialer } = dialerOf(addresses);
    await assert.rejects(dialer.dial(NAME, never), { code });
  });
}

test("INV-7: a name is asked for once, so that it cannot be rebound between check and dial", async () => {
  const left = AbortSignal.abort(); // The client is gone before a packet leaves: only names are asked.
  const { dialer, asked, later } = dialerOf(["8.8.8.8", "10.0.0.5"]);
  const dial = () => assert.rejects(dialer.dial(NAME, left), { code: "gateway.aborted" });
  await Promise.all([dial(), dial()]);
  await dial();
  assert.deepEqual(asked, ["a.test"]);
  later(GATEWAY_LIMITS.resolvedMs);
  await dial();
  assert.deepEqual(asked, ["a.test", "a.test"], "for a bounded time");
});

test("INV-7: a `dial:` goes where it says and asks nobody", async (t) => {
  const server = createServer((socket) => socket.on("error", () => {}).end("here"));
  servers.push(server);
  const port = await listening(server);
  const { dialer, asked } = dialerOf(["8.8.8.8"]);
  const to = { ...NAME, dial: { address: "127.0.0.1", port } };
  const { socket, raw } = await dialer.dial(to, never);
  t.after(() => raw.destroy());
  assert.equal(await readAll(socket), "here");
  assert.deepEqual(asked, []);
  const other = dialerOf([], [port + 1]);
  (await other.dialer.dial(to, never)).raw.destroy();
});

test("faults gateway.connect, gateway.aborted: nobody there, or nobody left to ask", async () => {
  const closed = createServer();
  const port = await listening(closed);
  closed.close();
  const to = { ...NAME, dial: { address: "127.0.0.1", port } };
  const { dialer } = dialerOf([]);
  await assert.rejects(dialer.dial(to, never), { code: "gateway.connect" });
  await assert.rejects(dialer.dial(to, AbortSignal.abort()), { code: "gateway.aborted" });
});

test("fault gateway.ca: what is no certificate is no authority", () => {
  const trust = createUpstreamTrust(() => []);
  const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  for (const pem of [broken, broken.slice(0, 40), ""]) {
    assert.throws(() => trust.contextFor(pem), { code: "gateway.ca" });
  }
});

test("INV-14: an upstream that does not prove its name gets no byte of a request", async (t) => {
  const good = await authorityNamed("upstream");
  const evil = await authorityNamed("evil");
  let received = "";
  const site = createHttpServer((request, response) => {
    received += request.url;
    response.end("the site");
  });
  const tlsFor = async (contextHost: string | undefined, from = good) => {
    const server = createTlsServer(
      { SNICallback: (name, done) => done(null, from.contextFor(contextHost ?? name)) },
      (socket) => site.emit("connection", socket),
    );
    servers.push(server);
    return listening(server);
  };
  const plain = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data: Buffer) => {
      received += data.includes("GET") ? "plain" : "";
      socket.end("HTTP/1.1 200 OK\r\n\r\n");
    });
  });
  servers.push(plain);
  const mute = createServer((socket) => void socket.on("error", () => {}).resume());
  servers.push(mute);
  const cases: readonly (readonly [string, number, number, string])[] = [
    ["the right one", await tlsFor(undefined), 200, "the site"],
    ["another name's certificate", await tlsFor("other.test"), 502, "gateway.certificate"],
    ["another authority's certificate", await tlsFor(undefined, evil), 502, "gateway.certificate"],
    ["no TLS", await listening(plain), 502, "gateway.upstream_tls"],
    ["no answer to the hello", await listening(mute), 502, "gateway.upstream_tls"],
  ];
  for (const [why, port, status, said] of cases) {
    received = "";
    const it = await openWorld({
      grants: `  - { system: http, name: a, hosts: [a.test], ports: [443], dial: "127.0.0.1:${port}", ca: ca.pem, allow: [{ methods: [GET], paths: ["/**"] }] }\n`,
      authorities: new Map([["a", good.certificatePem]]),
      limits: { upstreamHandshakeMs: 100 },
    });
    t.after(() => it.close());
    const socket = await it.secure("a.test", 443);
    socket.write("GET /secret HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    const answer = await readAll(socket);
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} [^]*${said}`), why);
    assert.equal(received, status === 200 ? "/secret" : "", why);
  }
});

test("what a grant's authority vouches for, the system's need not; without it nothing is trusted", async (t) => {
  const good = await authorityNamed("upstream");
  const server = createTlsServer({
    SNICallback: (name, done) => done(null, good.contextFor(name)),
  });
  server.on("tlsClientError", () => {});
  servers.push(server);
  const port = await listening(server);
  const to = { host: "a.test", port: 443, tls: true, dial: { address: "127.0.0.1", port } };
  const { dialer } = dialerOf([]);
  await assert.rejects(dialer.dial(to, never), { code: "gateway.certificate" });
  const { raw, socket } = await dialer.dial({ ...to, ca: good.certificatePem }, never);
  t.after(() => raw.destroy());
  assert.ok("authorized" in socket && socket.authorized);
});
