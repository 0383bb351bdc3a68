import assert from "node:assert/strict";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { createServer } from "node:net";
import { test } from "node:test";
import { ask, HOST, saying, site, worldOf } from "./http-test-kit.ts";
import { readAll } from "./test-kit.ts";

const SHAPES: readonly (readonly [string, string, string, RegExp])[] = [
  [
    "HEAD has a length and no body",
    "HEAD",
    "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n",
    /200 OK\r\nContent-Length: 12\r\n[^]*\r\n\r\n$/,
  ],
  ["204 has no body", "GET", "HTTP/1.1 204 No Content\r\n\r\n", /204 No Content\r\n[^]*\r\n\r\n$/],
  [
    "304 may have a length and no body",
    "GET",
    "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",
    /304 Not Modified\r\nETag: x[^]*\r\n\r\n$/,
  ],
  [
    "a redirect is the client's to follow",
    "GET",
    "HTTP/1.1 302 Found\r\nLocation: http://evil.test/\r\nContent-Length: 0\r\n\r\n",
    /302 Found\r\nLocation: http:\/\/evil.test\/\r\n/,
  ],
  [
    "cookies stay apart",
    "GET",
    "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
    /Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n/,
  ],
  [
    "fields of the upstream's hop end here",
    "GET",
    "HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nProxy-Authenticate: Basic\r\nKeep-Alive: timeout=9\r\nContent-Length: 0\r\n\r\n",
    /^(?![^]*(X-Hop|Proxy-A|timeout=9))[^]*200 OK/,
  ],
  [
    "no date is made up",
    "GET",
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    /^(?![^]*Date:)[^]*200 OK/,
  ],
  [
    "a body until the end of the connection",
    "GET",
    "HTTP/1.1 200 OK\r\n\r\nall of it",
    /200 OK[^]*9\r\nall of it\r\n0\r\n\r\n$/,
  ],
  [
    "an odd status and phrase",
    "GET",
    "HTTP/1.1 999 Go Away\r\nContent-Length: 0\r\n\r\n",
    /^HTTP\/1.1 999 Go Away\r\n/,
  ],
  [
    "trailers are kept",
    "GET",
    "HTTP/1.1 200 OK\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-T: 7\r\n\r\n",
    /2\r\nhi\r\n0\r\nx-t: 7\r\n\r\n$/,
  ],
  [
    "early hints pass",
    "GET",
    "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    /^HTTP\/1.1 103 Early Hints\r\nLink: <\/x>\r\n\r\nHTTP\/1.1 200 OK/,
  ],
];
for (const [why, method, answer, shape] of SHAPES) {
  test(`passed as it came: ${why}`, async (t) => {
    const it = await worldOf(t, saying(answer));
    const said = await ask(it, `${method} / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    assert.match(said, shape);
    assert.deepEqual(it.denials, []);
  });
}

const BROKEN: readonly (readonly [string, string])[] = [
  ["not HTTP", "SSH-2.0-OpenSSH\r\n"],
  ["nothing at all", ""],
  [
    "CL and TE",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"],
  ["a NUL in a field", "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"],
  ["a bare LF", "HTTP/1.1 200 OK\nX: a\n\n"],
  ["HTTP/2 in text", "HTTP/2.0 200 OK\r\n\r\n"],
  ["a head without end", `HTTP/1.1 200 OK\r\n${"X: yyyyyyyyyyyyyyyy\r\n".repeat(9000)}`],
  ["half a head", "HTTP/1.1 200 OK\r\nX: "],
  [
    "an upgrade that nobody asked for",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nSSH-2.0-x\r\n",
  ],
  [
    "hints without end",
    `${"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(40)}HTTP/1.1 200 OK\r\n\r\n`,
  ],
];
for (const [why, answer] of BROKEN) {
  test(`faults gateway.upstream_answer, gateway.upstream_lost: an answer that is ${why} is a 502`, async (t) => {
    const it = await worldOf(t, saying(answer));
    const said = await ask(it, `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    assert.match(
      said,
      /HTTP\/1.1 502 Bad Gateway\r\n[^]*urn:cofferdam:upstream:gateway\.upstream_/,
    );
    assert.match(it.said("code")[0] ?? "", /^"gateway\.upstream_(answer|lost)"$/);
  });
}

const CUT: readonly (readonly [string, string])[] = [
  ["shorter than said", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"],
  ["chunks without end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
  ["chunks that break", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n"],
];
for (const [why, answer] of CUT) {
  test(`an answer that is ${why} looks cut to the client too`, async (t) => {
    const it = await worldOf(t, saying(answer));
    const said = await ask(it, `GET / HTTP/1.1\r\n${HOST}\r\n`);
    assert.match(said, /200 OK[^]*half(?![^]*0\r\n\r\n$)/);
    await it.flowsClosed(1);
    assert.ok(it.event("outcome")?.data?.["code"]);
  });
}

test("100-continue: the upstream says when, and a denied client sends no body", async (t) => {
  const server = createHttpServer((_, response) => response.end());
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    response.writeContinue();
    request.resume().on("end", () => response.end("stored"));
  });
  const it = await worldOf(t, server, { allow: `[{ methods: [PUT], paths: ["/ok"] }]` });
  const socket = await it.dial("a.test", 80);
  const expect = `${HOST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`;
  const go = readAll(socket, (text) => text.includes("100 Continue"));
  socket.write(`PUT /ok HTTP/1.1\r\n${expect}`);
  assert.match(await go, /^HTTP\/1.1 100 Continue\r\n\r\n$/);
  const rest = readAll(socket, (text) => text.includes("stored"));
  socket.write("hello");
  assert.match(await rest, /200 OK/);
  assert.match(
    await ask(it, `PUT /no HTTP/1.1\r\n${expect}`),
    /^HTTP\/1.1 403[^]*connection: close/,
  );
});

test("trailers of a request go on, except those that would change it", async (t) => {
  const got = Promise.withResolvers<string[]>();
  const it = await worldOf(
    t,
    site((request, response) => {
      request.resume().on("end", () => {
        got.resolve(request.rawTrailers);
        response.end();
      });
    }),
  );
  await ask(
    it,
    `POST / HTTP/1.1\r\n${HOST}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\nAuthorization: evil\r\nHost: evil\r\n\r\n`,
  );
  assert.deepEqual(await got.promise, ["x-sum", "7"]);
});

test("nobody reads faster than the other side takes: uploads and downloads", async (t) => {
  const CHUNK = Buffer.alloc(1 << 16);
  let sent = 0;
  const stalled = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (head: Buffer) => {
      if (head.includes("POST")) {
        socket.pause();
        return;
      }
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const push = () => {
        while (socket.write(CHUNK)) sent += CHUNK.length;
        sent += CHUNK.length;
      };
      socket.on("drain", push);
      push();
    });
  });
  const it = await worldOf(t, stalled);
  const down = await it.dial("a.test", 80);
  down.pause();
  down.write(`GET / HTTP/1.1\r\n${HOST}\r\n`);
  const up = await it.dial("a.test", 80);
  up.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 1000000000\r\n\r\n`);
  let uploaded = 0;
  const push = () => {
    while (up.write(CHUNK)) uploaded += CHUNK.length;
    uploaded += CHUNK.length;
  };
  up.on("drain", push);
  push();
  // Moves until every buffer on the way is full; then nothing may move any more.
  for (let before = -1; before !== sent + uploaded;) {
    before = sent + uploaded;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const MIB = 1 << 20; // Kernel buffers on loopback take up to 6 MiB a socket, two sockets each way.
  assert.ok(sent < 24 * MIB && uploaded < 24 * MIB, `${sent} down, ${uploaded} up`);
  for (const socket of [up, down]) socket.destroy();
});

test("a client that leaves takes its question with it", async (t) => {
  const left = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const it = await worldOf(
    t,
    site((_, response) => {
      response.on("close", () => left.resolve());
      asked.resolve();
    }),
  );
  const socket = await it.dial("a.test", 80);
  socket.write(`GET / HTTP/1.1\r\n${HOST}\r\n`);
  await asked.promise;
  socket.destroy();
  await left.promise;
});

test("an early answer to an endless upload is heard, and the connection ends", async (t) => {
  const it = await worldOf(
    t,
    saying("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig", false),
  );
  const socket = await it.dial("a.test", 80);
  const said = readAll(socket);
  socket.write(`POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`);
  const timer = setInterval(() => socket.write(`1000\r\n${"x".repeat(4096)}\r\n`), 5);
  assert.match(await said, /413 Too Large[^]*connection: close[^]*big$/i);
  clearInterval(timer);
});

test("what comes in pieces goes out in pieces", async (t) => {
  const go = Promise.withResolvers<void>();
  const it = await worldOf(
    t,
    site((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: one\n\n");
      void go.promise.then(() => response.end("data: two\n\n"));
    }),
  );
  const socket = await it.dial("a.test", 80);
  const first = readAll(socket, (text) => text.includes("one"));
  socket.write(`GET / HTTP/1.1\r\n${HOST}\r\n`);
  assert.match(await first, /data: one/);
  const second = readAll(socket, (text) => text.includes("two"));
  go.resolve();
  assert.match(await second, /data: two/);
});

test("a client has one upstream connection of its own, shared with nobody", async (t) => {
  const ports: (number | undefined)[] = [];
  const it = await worldOf(
    t,
    site((request, response) => {
      ports.push(request.socket.remotePort);
      response.end("fine");
    }),
  );
  const twice = `GET /1 HTTP/1.1\r\n${HOST}\r\nGET /2 HTTP/1.1\r\n${HOST}\r\n`;
  for (let n = 0; n < 2; n += 1) await ask(it, twice, (text) => text.split("fine").length === 3);
  assert.equal(ports[0], ports[1]);
  assert.equal(ports[2], ports[3]);
  assert.notEqual(ports[0], ports[2]);
});

test("a kept connection that the upstream has closed: a read is asked again, a write is not", async (t) => {
  const seen: string[] = [];
  const server = createServer((socket) => {
    let first = true;
    socket.on("error", () => {});
    socket.on("data", (data: Buffer) => {
      seen.push(data.toString("latin1").split(" ", 2).join(" "));
      if (!first) socket.resetAndDestroy();
      else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      first = false;
    });
  });
  const it = await worldOf(t, server);
  const second = (method: string) =>
    ask(
      it,
      `GET /1 HTTP/1.1\r\n${HOST}\r\n${method} /2 HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    );
  assert.match(await second("GET"), /200 OK[^]*200 OK/);
  assert.match(await second("POST"), /200 OK[^]*502 Bad Gateway/);
  assert.deepEqual(seen, ["GET /1", "GET /2", "GET /2", "GET /1", "POST /2"]);
});

test("an HTTP/1.0 client gets an answer that ends with its connection", async (t) => {
  const it = await worldOf(
    t,
    site((_, response) => {
      response.write("one");
      response.end("two");
    }),
  );
  const said = await ask(it, `GET / HTTP/1.0\r\n${HOST}\r\n`);
  assert.match(said, /^HTTP\/1.1 200 OK\r\n(?![^]*chunked)[^]*onetwo$/);
});

test("the upstream is asked in the granted name, without this hop's fields", async (t) => {
  const got = Promise.withResolvers<string[]>();
  const it = await worldOf(
    t,
    site((request, response) => {
      got.resolve(request.rawHeaders);
      response.end();
    }),
  );
  await ask(
    it,
    `GET http://a.test/ HTTP/1.1\r\nhost: A.TEST\r\nConnection: close, TE\r\nTE: trailers\r\nProxy-Authorization: x\r\nAccept: */*\r\n\r\n`,
  );
  assert.deepEqual(await got.promise, [
    "Host",
    "a.test",
    "Accept",
    "*/*",
    "TE",
    "trailers",
    "Connection",
    "keep-alive, TE",
  ]);
});
