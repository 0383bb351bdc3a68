import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { constants } from "node:http2";
import { test } from "node:test";
import { cutStream } from "./http2-fields.ts";
import { askStream, session, worldWith, type Site } from "./http2-test-kit.ts";
import { readAll } from "./test-kit.ts";

/** The same site in both versions, where that says something. */
const BOTH: readonly Site[] = [
  {
    speaks: "http/1.1",
    serve(request, response) {
      const hash = createHash("sha256");
      request.on("data", (chunk: Buffer) => hash.update(chunk));
      request.on("end", () => {
        const { method, url = "", headers, trailers } = request;
        if (url === "/empty") response.writeHead(204).end();
        else if (url === "/not-modified") response.writeHead(304, { etag: "x" }).end();
        else if (url === "/range") {
          response.writeHead(206, { "content-range": "bytes 0-1/9" }).end("ab");
        } else if (url === "/hints") {
          response.writeEarlyHints({ link: "</x>; rel=preload" }, () => response.end("hinted"));
        } else if (url === "/trailers") {
          response.writeHead(200, { trailer: "x-sum" });
          response.write("body");
          response.addTrailers({ "x-sum": "7", "set-cookie": "no" });
          response.end();
        } else {
          const seen = { method, cookie: headers.cookie, te: headers.te, sum: trailers["x-sum"] };
          response.setHeader("set-cookie", ["a=1", "b=2"]);
          response.end(JSON.stringify({ ...seen, hash: hash.digest("hex") }));
        }
      });
    },
  },
  {
    speaks: "h2",
    serve(stream, headers) {
      const hash = createHash("sha256");
      let sum: unknown;
      stream.on("trailers", (fields) => (sum = fields["x-sum"]));
      stream.on("data", (chunk: Buffer) => hash.update(chunk));
      stream.on("end", () => {
        if (stream.destroyed) return;
        const url = headers[":path"];
        const method = headers[":method"];
        if (url === "/empty") stream.respond({ ":status": 204 }, { endStream: true });
        else if (url === "/not-modified") {
          stream.respond({ ":status": 304, etag: "x" }, { endStream: true });
        } else if (url === "/range") {
          stream.respond({ ":status": 206, "content-range": "bytes 0-1/9" });
          stream.end("ab");
        } else if (url === "/hints") {
          stream.additionalHeaders({ ":status": 103, link: "</x>; rel=preload" });
          stream.respond({ ":status": 200 });
          stream.end("hinted");
        } else if (url === "/trailers") {
          stream.respond({ ":status": 200 }, { waitForTrailers: true });
          stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "7" }));
          stream.end("body");
        } else {
          stream.respond({ ":status": 200, "set-cookie": ["a=1", "b=2"] });
          const seen = { method, cookie: headers.cookie, te: headers.te, sum };
          if (method === "HEAD") stream.end();
          else stream.end(JSON.stringify({ ...seen, hash: hash.digest("hex") }));
        }
      });
    },
  },
];

const valueOf = (raw: readonly string[], name: string) =>
  raw.flatMap((text, n) => (n % 2 === 1 && raw[n - 1] === name ? [text] : []));
const sha = (text: string | Buffer) => createHash("sha256").update(text).digest("hex");

for (const site of BOTH) {
  test(`answers of every form come through HTTP/2 from ${site.speaks}`, async (t) => {
    const it = await worldWith(t, site);
    const on = await session(it, t);
    const ask = (path: string, method = "GET") => askStream(on, [":path", path, ":method", method]);
    const head = await ask("/x", "HEAD");
    assert.deepEqual([head.status, head.body, head.isWhole], [200, "", true]);
    const empty = await ask("/empty");
    assert.deepEqual([empty.status, empty.body, empty.isWhole], [204, "", true]);
    const same = await ask("/not-modified");
    assert.deepEqual([same.status, valueOf(same.headers, "etag")], [304, ["x"]]);
    const range = await ask("/range");
    assert.deepEqual([range.status, range.body], [206, "ab"]);
    assert.deepEqual(valueOf(range.headers, "content-range"), ["bytes 0-1/9"]);
    const cookies = await ask("/x");
    assert.deepEqual(valueOf(cookies.headers, "set-cookie"), ["a=1", "b=2"]);
    assert.ok(!cookies.headers.includes("connection") && !cookies.headers.includes("keep-alive"));
    const trailers = await ask("/trailers");
    assert.deepEqual([trailers.body, trailers.trailers], ["body", ["x-sum", "7"]]);
    assert.equal((await ask("/hints")).body, "hinted");
    assert.deepEqual([it.denials, it.findings], [[], []]);
  });

  test(`requests of every form go through HTTP/2 to ${site.speaks}, and their bodies are in the record`, async (t) => {
    const it = await worldWith(t, site);
    const on = await session(it, t);
    const crumbs = await askStream(on, ["cookie", "a=1", "cookie", "b=2", "te", "trailers"]);
    const seen = JSON.parse(crumbs.body) as Record<string, unknown>;
    assert.deepEqual([seen["cookie"], seen["te"]], ["a=1; b=2", "trailers"]);
    const post = [":method", "POST"];
    const short = await askStream(on, [...post, "content-length", "5"], "hello");
    assert.equal((JSON.parse(short.body) as { hash: string }).hash, sha("hello"));
    assert.equal(it.actions.at(-1)?.fields["bodySha256"], sha("hello"));
    const big = Buffer.alloc(3_000_000, "abcdefg");
    const streamed = await askStream(on, [...post, "trailer", "x-sum"], big, { "x-sum": "9" });
    const told = JSON.parse(streamed.body) as Record<string, unknown>;
    assert.deepEqual([told["hash"], told["sum"]], [sha(big), "9"]);
    const outcome = it.events.findLast((event) => event.type === "outcome");
    assert.equal(outcome?.data?.["bodySha256"], sha(big));
    assert.equal(outcome?.data?.["bytesOut"], big.length);
  });

  test(`a big answer comes whole through HTTP/2 from ${site.speaks}, also to a slow reader`, async (t) => {
    const bytes = 8_000_000;
    const giving: Site =
      site.speaks === "h2"
        ? {
            speaks: "h2",
            serve: (stream) => (stream.respond(), void stream.end(Buffer.alloc(bytes))),
          }
        : { speaks: "http/1.1", serve: (_, response) => void response.end(Buffer.alloc(bytes)) };
    const it = await worldWith(t, giving);
    const on = await session(it, t);
    const stream = on.request({ ":path": "/" });
    await once(stream, "response");
    await new Promise((resolve) => setTimeout(resolve, 30));
    let got = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      got += chunk.length;
      if (got % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(got, bytes);
  });
}

test("a denial over HTTP/2 is RFC 9457, and the connection goes on", async (t) => {
  const allow = `[{ methods: [GET], paths: ["/v1/**"] }]`;
  const it = await worldWith(t, BOTH[1] as Site, { allow });
  const on = await session(it, t);
  const denied = await askStream(on, [":method", "POST", ":path", "/v1/x"], "x".repeat(100_000));
  assert.equal(denied.status, 403);
  assert.match(denied.body, /grants no POST/);
  assert.deepEqual(valueOf(denied.headers, "content-type"), ["application/problem+json"]);
  assert.equal((await askStream(on, [":path", "/v1/x"])).status, 200);
  assert.equal(it.events.find((event) => event.type === "action")?.verdict, "deny");
});

test("INV-8: a foreign authority on a connection gets 421, and the connection goes on", async (t) => {
  const it = await worldWith(t, BOTH[1] as Site);
  const on = await session(it, t);
  for (const authority of ["b.test", "a.test:8443", "A.test."]) {
    const said = await askStream(on, [":authority", authority]);
    assert.equal(said.status, 421, authority);
    assert.match(said.body, /urn:cofferdam:denial:http\.host/);
  }
  assert.equal((await askStream(on, [":authority", "A.TEST:443"])).status, 200);
});

test("an ungranted name hears why over HTTP/2 as well", async (t) => {
  const it = await worldWith(t, BOTH[1] as Site);
  const socket = await it.secure("tracker.test", 443, { ALPNProtocols: ["h2"] });
  const { connect } = await import("node:http2");
  const on = connect("https://tracker.test", { createConnection: () => socket });
  t.after(() => on.destroy());
  const said = await askStream(on, [":authority", "tracker.test"]);
  assert.deepEqual([said.status, it.denials[0]?.rule], [403, "no-grant"]);
});

test("the action of a request is the same in both versions of HTTP", async (t) => {
  const it = await worldWith(t, BOTH[0] as Site);
  const on = await session(it, t);
  const path = "/v1/x?api_key=hush&b=c";
  const fields = [":method", "POST", ":path", path, "content-type", "text/plain"];
  await askStream(on, [...fields, "cookie", "a=1", "cookie", "b=2", "content-length", "2"], "hi");
  const socket = await it.secure("a.test", 443);
  const answer = readAll(socket);
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: a.test\r\nContent-Type: text/plain\r\nCookie: a=1; b=2\r\n` +
      "Content-Length: 2\r\nConnection: close\r\n\r\nhi",
  );
  assert.match(await answer, /200 OK/);
  const [two, one] = it.actions.map(({ id: _id, at: _at, monoMs: _ms, ...rest }) => rest);
  assert.deepEqual(two, one);
});

test("INV-6: mining in a stream cuts the connection and is named", async (t) => {
  const it = await worldWith(t, BOTH[1] as Site);
  const on = await session(it, t);
  const login = '{"id":1,"method":"mining.subscribe","params":[]}\n';
  await askStream(on, [":method", "POST"], login);
  await it.flowsClosed(1);
  assert.deepEqual(
    it.findings.map((finding) => finding.kind),
    ["mining"],
  );
});

const UNAGREED = [
  ["SSH", "h2", "SSH-2.0-x\r\n", "protocol.ssh"],
  ["HTTP/1.1", "h2", "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", "protocol.http"],
  ["HTTP/2", "http/1.1", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "protocol.http2-preface"],
] as const;
for (const [why, agreed, bytes, rule] of UNAGREED) {
  test(`INV-6: ${why} where ALPN agreed on ${agreed} is closed and named`, async (t) => {
    const it = await worldWith(t, BOTH[1] as Site);
    const socket = await it.secure("a.test", 443, { ALPNProtocols: [agreed] });
    const end = readAll(socket);
    socket.write(bytes);
    await end;
    assert.deepEqual(
      it.denials.map((denial) => denial.rule),
      [rule],
    );
  });
}

test("a client that resets its stream ends that stream upstream, and no other", async (t) => {
  const ended = Promise.withResolvers<number>();
  const it = await worldWith(t, {
    speaks: "h2",
    serve(stream, headers) {
      stream.on("close", () => {
        if (headers[":path"] === "/slow") ended.resolve(stream.rstCode);
      });
      stream.respond();
      if (headers[":path"] === "/slow") stream.write("first");
      else stream.end("fine");
    },
  });
  const on = await session(it, t);
  const slow = on.request({ ":path": "/slow" });
  await once(slow, "data");
  slow.close(constants.NGHTTP2_CANCEL);
  assert.equal(await ended.promise, constants.NGHTTP2_CANCEL);
  assert.equal((await askStream(on, [":path", "/ok"])).body, "fine");
});

test("a request that breaks off arrives nowhere as a whole one", async (t) => {
  const ends: string[] = [];
  const it = await worldWith(t, {
    speaks: "http/1.1",
    serve(request) {
      request.resume().on("end", () => ends.push(`${request.url}`));
      request.on("error", () => {});
    },
  });
  const on = await session(it, t);
  for (const more of [["content-length", "5"], ["content-length", "900000"], []]) {
    const stream = on.request([":method", "POST", ":path", "/cut", ...more]);
    stream.on("error", () => {});
    stream.write("he");
    await new Promise((resolve) => setTimeout(resolve, 30));
    cutStream(stream);
    await new Promise((resolve) => stream.once("close", resolve));
  }
  const late = on.request([":method", "POST", ":path", "/late", "content-length", "5"]);
  late.on("error", () => {});
  late.write("he");
  await once(late, "close");
  assert.notEqual(late.rstCode, constants.NGHTTP2_NO_ERROR);
  assert.deepEqual(ends, []);
  assert.equal(it.gateway.stats().open, 1, "one stream's end is not its connection's");
});

test("an upstream that has left between two requests is asked again, for reads", async (t) => {
  let sessions = 0;
  const it = await worldWith(t, {
    speaks: "h2",
    serve(stream) {
      sessions += 1;
      stream.respond();
      stream.end("fine");
      if (sessions === 1) stream.on("close", () => stream.session?.destroy());
    },
  });
  const on = await session(it, t);
  assert.equal((await askStream(on, [])).body, "fine");
  assert.equal((await askStream(on, [])).body, "fine");
});

test("what an upstream breaks off looks broken off, and what it never says is a 502", async (t) => {
  const it = await worldWith(t, {
    speaks: "h2",
    serve(stream, headers) {
      if (headers[":path"] === "/half") {
        stream.respond();
        stream.write("half", () => cutStream(stream));
      } else stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    },
  });
  const on = await session(it, t);
  assert.equal((await askStream(on, [":path", "/half"])).code, constants.NGHTTP2_CANCEL);
  const none = await askStream(on, [":path", "/none"]);
  assert.equal(none.status, 502);
  assert.match(none.body, /gateway\.upstream_/);
});

test("each client connection has an upstream session of its own", async (t) => {
  const sessions = new Set<unknown>();
  const it = await worldWith(t, {
    speaks: "h2",
    serve(stream) {
      sessions.add(stream.session);
      stream.respond();
      stream.end();
    },
  });
  const [one, two] = [await session(it, t), await session(it, t)];
  await Promise.all([one, one, two, two].map((on) => askStream(on, [])));
  assert.equal(sessions.size, 2);
});

test("INV-9: over HTTP/2 too, an intent is written before the upstream hears of it", async (t) => {
  const gate = Promise.withResolvers<number>();
  let heard = 0;
  const it = await worldWith(
    t,
    { speaks: "h2", serve: (stream) => ((heard += 1), stream.respond(), void stream.end()) },
    { record: (event) => (event.type === "action" ? gate.promise : Promise.resolve(1)) },
  );
  const on = await session(it, t);
  const said = askStream(on, []);
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.equal(heard, 0);
  gate.resolve(1);
  assert.equal((await said).status, 200);
});

test("trailers that HTTP/2 cannot say cut their stream, and nothing else", async (t) => {
  const it = await worldWith(t, {
    speaks: "http/1.1",
    serve(request, response) {
      if (request.url === "/odd") {
        response.writeHead(200, { trailer: "etag" });
        response.write("body");
        response.addTrailers([
          ["etag", "1"],
          ["etag", "2"],
        ]);
      }
      response.end();
    },
  });
  const on = await session(it, t);
  assert.notEqual((await askStream(on, [":path", "/odd"])).code, constants.NGHTTP2_NO_ERROR);
  assert.equal((await askStream(on, [":path", "/even"])).status, 200);
});

test("an upstream that says GOAWAY is left, and reached anew", async (t) => {
  const sessions = new Set<unknown>();
  const it = await worldWith(t, {
    speaks: "h2",
    serve(stream) {
      sessions.add(stream.session);
      stream.respond();
      stream.end("fine");
      stream.session?.goaway();
    },
  });
  const on = await session(it, t);
  for (let n = 0; n < 5; n += 1) {
    assert.equal((await askStream(on, [":method", n < 4 ? "GET" : "POST"])).body, "fine");
  }
  assert.equal(sessions.size, 5);
});

test("100-continue over HTTP/2: the upstream says when, and a denied client sends nothing", async (t) => {
  const allow = `[{ methods: [PUT], paths: ["/yes"] }]`;
  const it = await worldWith(
    t,
    {
      speaks: "http/1.1",
      serve: (request, response) => void request.resume().on("end", () => response.end("fine")),
    },
    { allow },
  );
  const on = await session(it, t);
  const put = [":method", "PUT", "content-length", "2", "expect", "100-continue"];
  const stream = on.request([":authority", "a.test", ":scheme", "https", ...put, ":path", "/yes"]);
  await once(stream, "continue");
  stream.end("hi");
  const [head] = (await once(stream, "response")) as [Record<string, unknown>];
  assert.equal(head[":status"], 200);
  stream.resume();
  const denied = on.request([":authority", "a.test", ":scheme", "https", ...put, ":path", "/no"]);
  denied.on("continue", () => assert.fail("told to go on"));
  const [no] = (await once(denied, "response")) as [Record<string, unknown>];
  assert.equal(no[":status"], 403);
  denied.close();
});

test("events come one by one over HTTP/2, each before the next is made", async (t) => {
  let more: () => void = () => {};
  const it = await worldWith(t, {
    speaks: "http/1.1",
    serve(_, response) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      let n = 0;
      more = () => void response.write(`data: ${(n += 1)}\n\n`);
    },
  });
  const on = await session(it, t);
  const stream = on.request({ ":path": "/events" });
  await once(stream, "response");
  for (const n of [1, 2, 3]) {
    more();
    const [event] = (await once(stream, "data")) as [Buffer];
    assert.equal(event.toString(), `data: ${n}\n\n`);
  }
  stream.close();
  assert.equal(it.event("action")?.data?.["verb"], "GET");
});

test("many slow answers at once over HTTP/2 do not wait for each other, also from HTTP/1.1", async (t) => {
  const waiting: (() => void)[] = [];
  const it = await worldWith(t, {
    speaks: "http/1.1",
    serve(_, response) {
      waiting.push(() => void response.end("fine"));
      if (waiting.length === 20) waiting.forEach((answer) => answer());
    },
  });
  const on = await session(it, t);
  const said = await Promise.all(Array.from({ length: 20 }, () => askStream(on, [])));
  assert.ok(said.every(({ body }) => body === "fine"));
  assert.equal(it.events.find((event) => event.type === "outcome")?.data?.["http"], "2");
});
