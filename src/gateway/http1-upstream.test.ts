import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { ask, HOST, worldOf } from "./http-test-kit.ts";
import { UpstreamLink } from "./http1-link.ts";
import { GATEWAY_LIMITS } from "./limits.ts";
import { readAll } from "./test-kit.ts";

/** An upstream that gives its n-th answer to its n-th request, over whatever connections they come. */
function scripted(answers: readonly string[]): { server: Server; connections: () => number } {
  let asked = 0;
  let connections = 0;
  const server = createServer((socket: Socket) => {
    connections += 1;
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      if (bytes.includes("HTTP/1.1\r\n")) socket.write(answers[asked++] ?? "", "latin1");
    });
  });
  return { server, connections: () => connections };
}

const FINE = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";
const POISON = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
const EMPTY_CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";

const POISONED: readonly (readonly [why: string, first: string])[] = [
  ["a second answer behind the first", FINE + POISON],
  ["a second answer behind the last chunk", EMPTY_CHUNKED + POISON],
  ["a body behind an answer without one", `HTTP/1.1 204 No Content\r\n\r\n${POISON}`],
  ["a byte too many", `${FINE}!`],
  ["an answer that says close", FINE.replace("OK\r\n", "OK\r\nConnection: close\r\n")],
  ["an answer of HTTP/1.0", FINE.replace("HTTP/1.1", "HTTP/1.0")],
];
for (const [why, first] of POISONED) {
  test(`INV-46: the connection is not asked again after ${why}`, async (t) => {
    const { server, connections } = scripted([first, FINE]);
    const it = await worldOf(t, server);
    const twice = `GET /1 HTTP/1.1\r\n${HOST}\r\nGET /2 HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
    const said = await ask(it, twice);
    assert.equal(said.match(/HTTP\/1.1 20[04]/g)?.length, 2);
    assert.ok(said.endsWith("fine") && !said.includes("evil"), said);
    assert.equal(connections(), 2);
  });
}

test("INV-46: a byte between two questions ends the connection, and the second is asked on another", async (t) => {
  const late = Promise.withResolvers<void>();
  let connections = 0;
  const server = createServer((socket) => {
    const isFirst = ++connections === 1;
    socket.on("error", () => {});
    socket.on("close", () => late.resolve());
    socket.once("data", () => {
      socket.write(FINE);
      if (isFirst) setTimeout(() => socket.write(POISON), 20);
    });
  });
  const it = await worldOf(t, server);
  const socket = await it.dial("a.test", 80);
  const first = readAll(socket, (text) => text.endsWith("fine"));
  socket.write(`GET /1 HTTP/1.1\r\n${HOST}\r\n`);
  await first;
  await late.promise;
  const second = readAll(socket);
  socket.write(`GET /2 HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
  assert.match(await second, /^HTTP\/1.1 200 OK[^]*fine$/);
  assert.equal(connections, 2);
});

test("INV-46, the benign twin: what ends well is asked again", async (t) => {
  const { server, connections } = scripted([EMPTY_CHUNKED, FINE, FINE]);
  const it = await worldOf(t, server);
  const get = (n: number) => `GET /${n} HTTP/1.1\r\n${HOST}\r\n`;
  const said = await ask(it, get(1) + get(2) + get(3), (text) => text.split("fine").length === 3);
  assert.equal(said.match(/200 OK/g)?.length, 3);
  assert.equal(connections(), 1);
});

test("an upload that was answered early leaves a connection that is not asked again", async (t) => {
  const { server, connections } = scripted([FINE, FINE]);
  const it = await worldOf(t, server);
  const socket = await it.dial("a.test", 80);
  const said = readAll(socket);
  socket.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 900000\r\n\r\n${"x".repeat(1000)}`);
  assert.match(await said, /200 OK\r\n[^]*connection: close\r\n[^]*fine$/);
  assert.equal(connections(), 1);
});

test("head and short body leave in one write, both ways", async (t) => {
  const seen: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      seen.push(bytes.toString("latin1"));
      socket.write(FINE);
    });
  });
  const it = await worldOf(t, server);
  const socket = await it.dial("a.test", 80);
  const pieces: string[] = [];
  const whole = new Promise<void>((resolve) => {
    socket.on("data", (bytes: Buffer) => {
      pieces.push(bytes.toString("latin1"));
      if (pieces.join("").endsWith("fine")) resolve();
    });
  });
  socket.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`);
  await whole;
  assert.equal(seen.length, 1);
  assert.match(
    seen[0] ?? "",
    /^POST \/ HTTP\/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello$/,
  );
  assert.equal(pieces.length, 1);
  socket.destroy();
});

test("a connection that was paused, and read to the answer's end since, is read on for the next", async () => {
  const socket = new Duplex({ read() {}, write: (_bytes, _encoding, done) => done() });
  let freed = 0;
  const owner = { freed: () => void (freed += 1), gone() {} };
  const link = new UpstreamLink(socket as Socket, GATEWAY_LIMITS, owner);
  const asked = link.ask({ method: "GET", isUpgrade: false, inform() {} });
  link.sent();
  socket.push("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
  const { body } = await asked;
  body.once("data", () => body.pause());
  body.resume();
  socket.push("1\r\nb\r\n0\r\n\r\n");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([socket.isPaused(), freed], [true, 0], "nobody takes the rest");
  body.resume();
  assert.deepEqual([socket.isPaused(), freed], [false, 1]);
  socket.destroy();
});
