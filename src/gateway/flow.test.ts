import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline, Readable } from "node:stream";
import { after, before, test } from "node:test";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { Fault } from "../base/index.ts";
import {
  AGENT,
  authorityNamed,
  destroyAll,
  listening,
  openWorld,
  readAll,
  type World,
} from "./test-kit.ts";
import type { FlowTuple } from "./ports.ts";

const STRATUM = '{"id":1,"method":"mining.subscribe","params":["x",null]}\n';
const XMRIG = `{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"4${"A".repeat(94)}","pass":"x","agent":"XMRig/6"}}\n`;
const SSH = "SSH-2.0-OpenSSH_9.2\r\n";
const GET = "GET /v1/x HTTP/1.1\r\nHost: docs.test\r\n\r\n";

/** What upstreams received, over all tests: nothing of an offence may be in here. */
let received = "";
const servers: Server[] = [];
function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(1 << 16);
}

let tlsPort = 0;
let plainPort = 0;
let grants = "";
let authorities: ReadonlyMap<string, string>;

before(async () => {
  const site = createHttpServer((request, response) => {
    received += `${request.method} ${request.url}\n`;
    request.on("data", (chunk: Buffer) => {
      if (request.url !== "/v1/up") received += chunk.toString("latin1");
    });
    request.on("end", () => {
      if (request.url === "/endless") pipeline(Readable.from(endless()), response, () => {});
      else response.end("the site");
    });
  });
  const upstream = await authorityNamed("upstream");
  const secure = createTlsServer(
    { SNICallback: (name, done) => done(null, upstream.contextFor(name)) },
    (socket: TLSSocket) => site.emit("connection", socket),
  );
  servers.push(site, secure);
  tlsPort = await listening(secure);
  plainPort = await listening(site);
  authorities = new Map([["docs", upstream.certificatePem]]);
  grants = `  - system: http
    name: docs
    hosts: [docs.test]
    ports: [443]
    dial: 127.0.0.1:${tlsPort}
    ca: ./ca.pem
    allow: [{ methods: [GET, POST], paths: ["/v1/**"] }]
  - system: http
    name: plain
    hosts: [plain.test]
    ports: [80]
    dial: 127.0.0.1:${plainPort}
    allow: [{ methods: [GET, POST], paths: ["/**"] }]
`;
});
after(() => destroyAll(servers));

async function world(t: { after(fn: () => Promise<void>): void }, more = {}): Promise<World> {
  const limits = { firstBytesMs: 300, handshakeMs: 500, headMs: 300, lingerMs: 20 };
  const opened = await openWorld({ grants, authorities, limits, ...more });
  t.after(() => opened.close());
  return opened;
}

test("a granted request over TLS passes, and its flow is in the record with bytes both ways", async (t) => {
  const it = await world(t);
  const socket = await it.secure("docs.test", 443);
  assert.equal(socket.alpnProtocol, "http/1.1");
  const answer = readAll(socket, (text) => text.includes("the site"));
  socket.write(GET);
  assert.match(await answer, /^HTTP\/1.1 200 OK/);
  socket.destroy();
  await it.flowsClosed(1);
  assert.deepEqual(
    it.events.map((event) => event.type),
    ["flow.open", "action", "outcome", "flow.close"],
  );
  assert.ok(it.events.every((event) => event.flow === it.events[0]?.flow));
  const [open, action] = it.events;
  assert.deepEqual([open?.target, open?.process], ["docs.test:443", AGENT]);
  assert.deepEqual([action?.system, action?.verdict], ["docs", "allow"]);
  const { bytesOut, bytesIn, upstreamOut, upstreamIn, durationMs } =
    it.event("flow.close")?.data ?? {};
  for (const count of [bytesOut, bytesIn, upstreamOut, upstreamIn, durationMs]) {
    assert.ok(typeof count === "number" && count > 0);
  }
  assert.deepEqual([it.denials, it.findings], [[], []]);
});

const OFFENCES: readonly (readonly [
  string,
  "docs.test" | "plain.test",
  "tcp" | "tls",
  string,
  string,
  string,
])[] = [
  ["SSH on a port granted for TLS", "docs.test", "tcp", SSH, "tunnel", "protocol.ssh"],
  ["SSH on a port granted for HTTP", "plain.test", "tcp", SSH, "tunnel", "protocol.ssh"],
  ["SSH inside granted TLS", "docs.test", "tls", SSH, "tunnel", "protocol.ssh"],
  ["Stratum on a port granted for TLS", "docs.test", "tcp", STRATUM, "mining", "protocol.stratum"],
  ["Stratum on a port granted for HTTP", "plain.test", "tcp", XMRIG, "mining", "protocol.stratum"],
  ["Stratum inside granted TLS", "docs.test", "tls", XMRIG, "mining", "protocol.stratum"],
  ["SOCKS", "plain.test", "tcp", "\x05\x01\x00", "tunnel", "protocol.socks"],
  ["plain HTTP where TLS is granted", "docs.test", "tcp", GET, "protocol", "protocol.http"],
  [
    "the HTTP/2 preface inside TLS",
    "docs.test",
    "tls",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "protocol",
    "protocol.http2-preface",
  ],
  [
    "unknown bytes",
    "docs.test",
    "tcp",
    "\x00\x01\x02\x03".repeat(2000),
    "protocol",
    "protocol.unknown",
  ],
  [
    "unknown bytes inside TLS",
    "docs.test",
    "tls",
    "\x00\x01\x02\x03".repeat(2000),
    "protocol",
    "protocol.unknown",
  ],
  ["a few bytes and silence", "plain.test", "tcp", "GE", "protocol", "protocol.unknown"],
  [
    "Stratum in an HTTP body",
    "plain.test",
    "tcp",
    `POST / HTTP/1.1\r\nHost: plain.test\r\nContent-Length: ${STRATUM.length}\r\n\r\n${STRATUM}`,
    "mining",
    "protocol.stratum",
  ],
  [
    "Stratum in a chunked HTTP body",
    "plain.test",
    "tcp",
    `POST / HTTP/1.1\r\nHost: plain.test\r\nTransfer-Encoding: chunked\r\n\r\n${STRATUM.length.toString(16)}\r\n${STRATUM}\r\n`,
    "mining",
    "protocol.stratum",
  ],
  [
    "SSH behind an HTTP upgrade",
    "plain.test",
    "tcp",
    `GET / HTTP/1.1\r\nHost: plain.test\r\nConnection: upgrade\r\nUpgrade: chisel\r\n\r\n${SSH}`,
    "tunnel",
    "protocol.ssh",
  ],
  [
    "SSH behind CONNECT",
    "plain.test",
    "tcp",
    `CONNECT x:22 HTTP/1.1\r\nHost: x:22\r\n\r\n${SSH}`,
    "tunnel",
    "protocol.ssh",
  ],
  [
    "SSH behind a first request",
    "plain.test",
    "tcp",
    `GET /one HTTP/1.1\r\nHost: plain.test\r\n\r\n${SSH}`,
    "tunnel",
    "protocol.ssh",
  ],
];
for (const [why, host, how, bytes, kind, rule] of OFFENCES) {
  test(`INV-6: ${why} is closed and named: ${kind}`, async (t) => {
    const it = await world(t);
    const port = host === "docs.test" ? 443 : 80;
    const socket = how === "tls" ? await it.secure(host, port) : await it.dial(host, port);
    const answer = readAll(socket);
    socket.write(Buffer.from(bytes, "latin1"));
    await answer;
    await it.flowsClosed(1);
    assert.deepEqual(
      it.findings.map((finding) => finding.kind),
      [kind],
    );
    assert.deepEqual(it.findings[0]?.of.process, AGENT);
    assert.deepEqual(
      it.denials.map((denial) => denial.rule),
      [rule],
    );
    const data = it.event("flow.close")?.data ?? {};
    assert.match(it.said("reason").at(-1) ?? "", /"not the granted protocol/);
    assert.ok(typeof data["stoppedMs"] === "number" && typeof data["noticedMs"] === "number");
    assert.doesNotMatch(received, /SSH-|mining|login|PRI/);
  });
}

test("INV-6: SSH that comes byte by byte behind a first request is named as well", async (t) => {
  const it = await world(t);
  const socket = await it.dial("plain.test", 80);
  const first = readAll(socket, (text) => text.includes("the site"));
  socket.write("GET /one HTTP/1.1\r\nHost: plain.test\r\n\r\n");
  await first;
  for (const byte of SSH) {
    socket.write(byte);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await it.flowsClosed(1);
  assert.deepEqual(
    it.denials.map((denial) => denial.rule),
    ["protocol.ssh"],
  );
});

test("INV-6: a real `ssh -R` to a granted name and port is refused, plain and inside TLS", async (t) => {
  const it = await world(t);
  const port = await it.listenerFor("docs.test", 443);
  const options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
  const tunnel = ["-F", "none", ...options, "-o", "BatchMode=yes", "-N", "-R", "8080:localhost:22"];
  const through = `openssl s_client -quiet -servername docs.test -connect 127.0.0.1:${port}`;
  const codes = await Promise.all(
    [
      ["-p", String(port)],
      ["-o", `ProxyCommand=${through}`],
    ].map(
      (way) =>
        new Promise((resolve) => {
          execFile("ssh", [...tunnel, ...way, "user@127.0.0.1"], (error) => resolve(error?.code));
        }),
    ),
  );
  assert.deepEqual(codes, [255, 255]);
  await it.flowsClosed(2);
  assert.deepEqual(
    it.findings.map((finding) => finding.kind),
    ["tunnel", "tunnel"],
  );
  assert.match(it.findings.map((finding) => finding.detail).join(), /inside TLS/);
});

test("curl speaks HTTPS through it unmodified: reads, uploads, and hears what is not granted", async (t) => {
  const it = await world(t);
  const port = await it.listenerFor("docs.test", 443);
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-curl-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const ca = join(folder, "ca.pem");
  writeFileSync(ca, it.authority.certificatePem);
  const curl = (...args: string[]) =>
    new Promise<string>((resolve) => {
      const fixed = ["-sS", "--cacert", ca, "--connect-to", `docs.test:443:127.0.0.1:${port}`];
      execFile("curl", [...fixed, ...args], (_error, stdout, stderr) => resolve(stdout + stderr));
    });
  const said = await Promise.all([
    curl("https://docs.test/v1/x", "https://docs.test/v1/y"),
    curl(
      "-F",
      `file=@/usr/bin/ssh;type=x/y`,
      "-H",
      "Expect: 100-continue",
      "https://docs.test/v1/up",
    ),
    curl("--http2", "-X", "DELETE", "https://docs.test/v1/x"),
  ]);
  assert.equal(said[0], "the sitethe site");
  assert.equal(said[1], "the site");
  assert.match(said[2] ?? "", /"status":403.*grants no DELETE on \/v1\/x/);
  assert.deepEqual(it.findings, []);
});

const NAMES = [
  ["no name", { servername: "" }, "no name"],
  ["another name", { servername: "other.test" }, "other.test"],
] as const;
for (const [why, options, said] of NAMES) {
  test(`INV-8: a ClientHello with ${why} is refused by an alert`, async (t) => {
    const it = await world(t);
    const refused = it.secure("docs.test", 443, { rejectUnauthorized: false, ...options });
    await assert.rejects(refused, /unrecognized name/i);
    await it.flowsClosed(1);
    assert.deepEqual(
      it.denials.map((denial) => denial.rule),
      ["tls.server_name"],
    );
    assert.ok(it.denials[0]?.reason.includes(said));
  });
}

test("a client that insists on another protocol is told by an alert, and nothing is asked upstream", async (t) => {
  const it = await world(t);
  await assert.rejects(it.secure("docs.test", 443, { ALPNProtocols: ["spdy/3"] }), /alert/);
  await it.flowsClosed(1);
});

test("fault gateway.handshake: a client that does not trust the authority shows in the reason", async (t) => {
  const it = await world(t);
  const other = await authorityNamed("upstream");
  await assert.rejects(it.secure("docs.test", 443, { ca: other.certificatePem }));
  await it.flowsClosed(1);
  assert.match(it.said("reason").at(-1) ?? "", /handshake|does not trust/);
});

test("an ungranted name hears why, plain and inside TLS, and is closed", async (t) => {
  const it = await world(t);
  const plain = await it.dial("tracker.test", 80);
  plain.write("POST /collect HTTP/1.1\r\nHost: tracker.test\r\nContent-Length: 2\r\n\r\nhi");
  const secure = await it.secure("tracker.test", 443);
  secure.write("GET / HTTP/1.1\r\nHost: tracker.test\r\n\r\n");
  for (const answer of [await readAll(plain), await readAll(secure)]) {
    assert.match(answer, /^HTTP\/1.1 403 Forbidden\r\n/);
    assert.match(answer, /content-type: application\/problem\+json\r\n/);
    const problem = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n"))) as Record<string, unknown>;
    const { type, title, status, rule, system, instance, allowed, detail } = problem;
    assert.deepEqual(
      [type, status, rule, system],
      ["urn:cofferdam:denial:no-grant", 403, "no-grant", "none"],
    );
    assert.match(String(detail), /tracker\.test/);
    assert.ok(typeof title === "string" && typeof instance === "string");
    assert.ok(
      Array.isArray(allowed) &&
        String(allowed[0]).includes("GET, POST https://docs.test:443 /v1/**"),
    );
  }
  await it.flowsClosed(2);
  assert.deepEqual(
    it.denials.map((denial) => denial.target),
    ["tracker.test", "tracker.test"],
  );
  assert.deepEqual(it.findings, [], "telemetry is no misbehaviour");
});

test("INV-6: SSH and Stratum to an ungranted name on 443 are named all the same", async (t) => {
  const it = await world(t);
  const plain = await it.dial("evil.test", 443);
  plain.write(SSH);
  const secure = await it.secure("evil.test", 443);
  secure.write(XMRIG);
  await Promise.all([readAll(plain), readAll(secure)]);
  await it.flowsClosed(2);
  assert.deepEqual(it.findings.map((finding) => finding.kind).sort(), ["mining", "tunnel"]);
});

const REFUSED: readonly (readonly [string, string, number, readonly string[]])[] = [
  ["a raw address on 443", "93.184.216.34", 443, []],
  ["a raw address on 80", "93.184.216.34", 80, []],
  ["the internal network", "10.0.0.5", 22, []],
  ["IPv6", "2606:4700::1111", 443, []],
  ["a pool address that was never given out", "198.18.9.9", 443, []],
  ["cloud metadata", "169.254.169.254", 80, ["metadata"]],
  ["cloud metadata over IPv6", "fd00:ec2::254", 80, ["metadata"]],
  ["another resolver over TCP", "8.8.8.8", 53, ["resolver"]],
];
for (const [why, address, port, findings] of REFUSED) {
  test(`INV-1: a connection that arrives for ${why} is reset and recorded`, async (t) => {
    const it = await world(t);
    const socket = await it.dialAddress(address, port);
    socket.write(GET);
    assert.equal(await readAll(socket), "");
    await it.flowsClosed(1);
    assert.equal(it.denials.length, 1);
    assert.equal(it.denials[0]?.target, address);
    assert.deepEqual(
      it.findings.map((finding) => finding.kind),
      findings,
    );
    assert.match(it.said("reason").at(-1) ?? "", /"refused: /);
  });
}

test("a metadata name is a finding, and hears why", async (t) => {
  const it = await world(t);
  const socket = await it.dial("metadata.google.internal", 80);
  socket.write("GET /computeMetadata/v1/ HTTP/1.1\r\nHost: metadata.google.internal\r\n\r\n");
  assert.match(await readAll(socket), /403 Forbidden/);
  assert.deepEqual(
    it.findings.map((finding) => finding.kind),
    ["metadata"],
  );
});

test("a client that says nothing is closed, without a finding", async (t) => {
  const it = await world(t, { limits: { firstBytesMs: 40 } });
  assert.equal(await readAll(await it.dial("docs.test", 443)), "");
  await it.flowsClosed(1);
  assert.match(it.said("reason").at(-1) ?? "", /said nothing/);
  assert.deepEqual(it.findings, []);
});

test("INV-6: bytes that say nothing are closed and named well before the time for first bytes is over", async (t) => {
  const it = await world(t, { limits: { firstBytesMs: 60_000, undecidedMs: 40 } });
  const socket = await it.dial("plain.test", 80);
  socket.write("hel");
  assert.equal(await readAll(socket), "");
  assert.deepEqual(
    it.findings.map((finding) => finding.kind),
    ["protocol"],
  );
});

test("connections above the limit are torn, and counted; those below live", async (t) => {
  const it = await world(t, { limits: { flows: 2, firstBytesMs: 5000, headMs: 5000 } });
  const first = [await it.dial("plain.test", 80), await it.dial("plain.test", 80)];
  const third = await it.dial("plain.test", 80);
  assert.equal(await readAll(third), "");
  assert.equal(it.gateway.stats().torn, 1);
  const answer = readAll(first[0] ?? third, (text) => text.includes("the site"));
  first[0]?.write("GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n");
  assert.match(await answer, /200 OK/);
});

test("INV-9: where the record cannot be written, nothing is sent and the flow is cut", async (t) => {
  for (const type of ["flow.open", "action"]) {
    received = "";
    const it = await world(t, {
      record: (event: { type: string }) =>
        event.type === type
          ? Promise.reject(new Fault("ledger.full", "no space"))
          : Promise.resolve(1),
    });
    const socket = await it.dial("plain.test", 80);
    socket.write("GET /unrecorded HTTP/1.1\r\nHost: plain.test\r\n\r\n");
    assert.equal(await readAll(socket), "");
    assert.equal(received, "", type);
  }
});

test("INV-9: an intent is written before the upstream hears of it", async (t) => {
  received = "";
  const gate = Promise.withResolvers<number>();
  const it = await world(t, {
    record: (event: { type: string }) =>
      event.type === "action" ? gate.promise : Promise.resolve(1),
  });
  const socket = await it.dial("plain.test", 80);
  const answer = readAll(socket, (text) => text.includes("the site"));
  socket.write("GET /gated HTTP/1.1\r\nHost: plain.test\r\n\r\n");
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(received, "");
  gate.resolve(1);
  await answer;
  assert.match(received, /GET \/gated/);
});

test("INV-20: what cannot be attributed in time is unknown, and the flow goes on", async (t) => {
  for (const attribute of [
    () => new Promise<never>(() => {}),
    () => Promise.reject(new Error("no such socket")),
  ]) {
    const it = await world(t, { attribute, limits: { attributeMs: 20, headMs: 300 } });
    const socket = await it.dial("plain.test", 80);
    const answer = readAll(socket, (text) => text.includes("the site"));
    socket.write("GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n");
    assert.match(await answer, /200 OK/);
    assert.equal(it.event("flow.open")?.process?.knownBy, "unknown");
  }
});

test("INV-20: what a connection says is not acted on before it is known whose it is", async (t) => {
  const known = Promise.withResolvers<typeof AGENT>();
  const it = await world(t, { attribute: () => known.promise });
  const socket = await it.dial("plain.test", 80);
  let isCut = false;
  socket.on("error", () => {}).on("close", () => (isCut = true));
  socket.write("SSH-2.0-OpenSSH_9.9\r\n");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(!isCut && it.event("flow.open") === undefined);
  known.resolve(AGENT);
  await it.flowsClosed(1);
  assert.deepEqual(it.event("flow.open")?.process, AGENT);
  assert.deepEqual(it.event("flow.close")?.process, AGENT);
});

test("INV-20: a client that is gone before it is known is on record, with its end behind its opening", async (t) => {
  const known = Promise.withResolvers<typeof AGENT>();
  const it = await world(t, { attribute: () => known.promise });
  const socket = await it.dial("plain.test", 80);
  socket.resetAndDestroy();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(it.event("flow.close"), undefined);
  known.resolve(AGENT);
  await it.flowsClosed(1);
  assert.deepEqual(it.event("flow.open")?.process, AGENT);
  assert.deepEqual(it.event("flow.close")?.process, AGENT);
});

test("the flow that is attributed is the agent's own socket", async (t) => {
  const asked = Promise.withResolvers<FlowTuple>();
  const it = await world(t, {
    attribute: (flow: FlowTuple) => {
      asked.resolve(flow);
      return Promise.resolve(AGENT);
    },
  });
  const socket = await it.dial("plain.test", 80);
  assert.deepEqual(await asked.promise, {
    family: 4,
    localAddress: "127.0.0.1",
    localPort: socket.localPort,
    remoteAddress: "198.18.0.1",
    remotePort: 80,
  });
});

test("fault gateway.ca: a grant whose authority was not read serves nothing", async (t) => {
  const it = await world(t, { authorities: new Map() });
  await assert.rejects(it.secure("docs.test", 443));
  await it.flowsClosed(1);
  assert.equal(it.event("flow.close")?.data?.["reason"], "failed: gateway.ca");
});

test("names are resolved over TCP by the run's own resolver", async (t) => {
  const it = await world(t);
  const socket = await it.dialAddress("10.255.0.53", 53);
  const query = Buffer.from(
    "00070100000100000000000004646f6373047465737400000100 01".replace(" ", ""),
    "hex",
  );
  socket.write(Buffer.concat([Buffer.from([0, query.length]), query]));
  const [reply] = (await once(socket, "data")) as [Buffer];
  assert.deepEqual([...reply.subarray(-4, -2)], [198, 18]);
  assert.equal(it.event("dns")?.target, "docs.test");
});

test("closing the gateway cuts every flow and records it", async (t) => {
  const it = await world(t, { limits: { firstBytesMs: 5000 } });
  const socket = await it.dial("docs.test", 443);
  const answer = readAll(socket);
  await it.gateway.close();
  assert.equal(await answer, "");
  assert.equal(it.event("flow.close")?.data?.["reason"], "the run ended");
});

test("a flow is cut also where its client does not read", async (t) => {
  const it = await world(t);
  const socket = await it.dial("plain.test", 80);
  socket.pause();
  socket.write("GET /endless HTTP/1.1\r\nHost: plain.test\r\n\r\n");
  while (it.gateway.stats().open === 0 || !received.includes("/endless")) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  socket.end();
  await it.gateway.close();
  assert.equal(it.event("flow.close")?.data?.["reason"], "the run ended");
});
