import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  block,
  converse,
  END_HEADERS,
  END_STREAM,
  frame,
  TYPE,
  USUAL,
  type SeenFrame,
} from "./http2-frames-test-kit.ts";
import { worldWith, type Site } from "./http2-test-kit.ts";
import type { World } from "./test-kit.ts";

type Fields = readonly (readonly [string, string])[];

/** The usual request with these fields instead, or besides. */
function fields(...changed: Fields): Fields {
  const names = new Set(changed.map(([name]) => name));
  const pseudo = changed.filter(([name]) => name.startsWith(":"));
  const plain = changed.filter(([name]) => !name.startsWith(":"));
  return [...USUAL.filter(([name]) => !names.has(name)), ...pseudo, ...plain];
}

function headers(of: Fields, flags: number = END_HEADERS | END_STREAM, stream = 1): Buffer {
  return frame(TYPE.headers, flags, stream, block(of));
}

const POST = (more: Fields) => headers(fields([":method", "POST"], ...more), END_HEADERS);
const data = (text: string, flags: number = END_STREAM) => frame(TYPE.data, flags, 1, text);
const HIDDEN = "GET /no HTTP/1.1\r\nHost: a.test\r\n\r\n";

/** nghttp2 leaves a broken field out (RFC 9113 would refuse the request); what goes on is judged without it. */
const DROPPED: readonly (readonly [string, Buffer])[] = [
  ["CR LF in a value", headers(fields(["x", `a\r\n\r\n${HIDDEN}`]))],
  ["LF in a value", headers(fields(["x", "a\nx-b: c"]))],
  ["CR in a value", headers(fields(["x", "a\rb"]))],
  ["NUL in a value", headers(fields(["x", "a\0b"]))],
  ["a space before a value", headers(fields(["x", " a"]))],
  ["CR LF in a name", headers(fields(["x: a\r\ny", "b"]))],
  ["a colon in a name", headers(fields(["x: a", "b"]))],
  ["a space in a name", headers(fields(["x ", "b"]))],
  ["an empty name", headers(fields(["", "b"]))],
];

/** What may not arrive, and why another reader might have let it. */
const ATTACKS: readonly (readonly [string, Buffer])[] = [
  ["a name in upper case", headers(fields(["X-A", "b"]))],
  ["CR LF in the path", headers(fields([":path", `/ok HTTP/1.1\r\nHost: x\r\n\r\n${HIDDEN}`]))],
  ["a space in the path", headers(fields([":path", "/ok HTTP/1.1"]))],
  ["a tab in the path", headers(fields([":path", "/ok\t"]))],
  ["a fragment in the path", headers(fields([":path", "/ok#x"]))],
  ["a backslash in the path", headers(fields([":path", "/ok\\..\\no"]))],
  ["a byte above ASCII in the path", headers(fields([":path", "/ok\xff"]))],
  ["an empty path", headers(fields([":path", ""]))],
  ["a path without a slash", headers(fields([":path", "ok"]))],
  ["a whole URL as path", headers(fields([":path", "https://a.test/ok"]))],
  ["another's URL as path", headers(fields([":path", "https://b.test/ok"]))],
  ["dot segments", headers(fields([":path", "/ok/../no"]))],
  ["no path", headers(USUAL.filter(([name]) => name !== ":path"))],
  ["two paths", headers([...USUAL, [":path", "/no"]])],
  ["two methods", headers([...USUAL, [":method", "POST"]])],
  ["no method", headers(USUAL.filter(([name]) => name !== ":method"))],
  ["an empty method", headers(fields([":method", ""]))],
  ["CR LF in the method", headers(fields([":method", "GET /no HTTP/1.1\r\nx: y\r\n\r\nGET"]))],
  ["a space in the method", headers(fields([":method", "GET /no"]))],
  ["a method in lower case", headers(fields([":method", "get"]))],
  ["no scheme", headers(USUAL.filter(([name]) => name !== ":scheme"))],
  ["another scheme", headers(fields([":scheme", "http"]))],
  ["a request in the scheme", headers(fields([":scheme", "https://b.test/x?"]))],
  ["two authorities", headers([...USUAL, [":authority", "b.test"]])],
  ["another authority", headers(fields([":authority", "b.test"]))],
  ["an authority with a user", headers(fields([":authority", "a@a.test"]))],
  ["an authority with a trailing dot", headers(fields([":authority", "a.test."]))],
  ["an authority with another port", headers(fields([":authority", "a.test:81"]))],
  ["an authority with NUL", headers(fields([":authority", "a.test\0"]))],
  ["an authority with an escape", headers(fields([":authority", "a%2etest"]))],
  ["an authority with a fragment", headers(fields([":authority", "a.test#.b.test"]))],
  ["an authority with a space", headers(fields([":authority", "a.test b.test"]))],
  ["an empty authority", headers(fields([":authority", ""]))],
  ["Host beside another authority", headers(fields(["host", "b.test"]))],
  ["two Hosts", headers(fields(["host", "a.test"], ["host", "b.test"]))],
  [
    "another Host and no authority",
    headers([...USUAL.filter(([name]) => name !== ":authority"), ["host", "b.test"]]),
  ],
  ["neither authority nor Host", headers(USUAL.filter(([name]) => name !== ":authority"))],
  ["a pseudo-header field behind a field", headers([["x", "y"], ...USUAL])],
  ["an unknown pseudo-header field", headers(fields([":x", "y"]))],
  ["a status in a request", headers(fields([":status", "200"]))],
  ["an extended CONNECT", headers(fields([":method", "CONNECT"], [":protocol", "websocket"]))],
  [
    "CONNECT",
    headers([
      [":method", "CONNECT"],
      [":authority", "a.test:22"],
    ]),
  ],
  ["CONNECT with a path", headers(fields([":method", "CONNECT"]))],
  ["Transfer-Encoding", Buffer.concat([POST([["transfer-encoding", "chunked"]]), data(HIDDEN)])],
  ["Transfer-Encoding without a body", headers(fields(["transfer-encoding", "chunked"]))],
  ["Connection", headers(fields(["connection", "x"], ["x", "y"]))],
  ["Keep-Alive", headers(fields(["keep-alive", "5"]))],
  ["Proxy-Connection", headers(fields(["proxy-connection", "x"]))],
  ["Upgrade", headers(fields(["upgrade", "websocket"]))],
  ["TE that is more than trailers", headers(fields(["te", "gzip"]))],
  ["HTTP2-Settings", headers(fields(["http2-settings", "AAMAAABk"]))],
  ["an override of the method", headers(fields(["x-http-method-override", "DELETE"]))],
  [
    "Content-Length below the data (H2.CL)",
    Buffer.concat([POST([["content-length", "0"]]), data(HIDDEN)]),
  ],
  ["Content-Length above the data", Buffer.concat([POST([["content-length", "99"]]), data("hi")])],
  [
    "Content-Length twice",
    Buffer.concat([
      POST([
        ["content-length", "2"],
        ["content-length", "99"],
      ]),
      data("hi"),
    ]),
  ],
  ["Content-Length as a list", Buffer.concat([POST([["content-length", "2, 2"]]), data("hi")])],
  ["Content-Length with a sign", Buffer.concat([POST([["content-length", "+2"]]), data("hi")])],
  ["Content-Length without a body", headers(fields(["content-length", "5"]))],
  ["data on a stream that was never opened", frame(TYPE.data, END_STREAM, 3, "hi")],
  ["an even stream", headers(USUAL, END_HEADERS | END_STREAM, 2)],
  [
    "a stream number that goes back",
    Buffer.concat([headers(fields([":path", "/no"]), 5, 5), headers(USUAL, 5, 3)]),
  ],
  [
    "a header block that breaks off",
    frame(TYPE.headers, END_HEADERS | END_STREAM, 1, block(USUAL).subarray(0, 20)),
  ],
  [
    "another stream inside a header block",
    Buffer.concat([
      frame(TYPE.headers, END_STREAM, 1, block(USUAL).subarray(0, 9)),
      headers(USUAL, END_HEADERS | END_STREAM, 3),
    ]),
  ],
];

const OVER = (seen: readonly SeenFrame[]) =>
  seen.some(
    ({ type, flags, stream }) =>
      type === TYPE.goaway ||
      (stream > 0 &&
        (type === TYPE.reset ||
          ((type === TYPE.data || type === TYPE.headers) && (flags & 1) === 1))),
  );

/** An upstream that remembers; of HTTP/1.1 it believes anything, of HTTP/2 it is nghttp2, which does not. */
function oracle(speaks: Site["speaks"], seen: string[]): Site {
  if (speaks === "http/1.1") {
    return {
      speaks,
      serve(request, response) {
        const odd = Object.keys(request.headers).filter((name) => name.startsWith("x"));
        seen.push(
          `${request.headers.host} ${request.method} ${request.url}${odd.map((name) => ` ${name}`).join("")}`,
        );
        response.end("fine");
      },
    };
  }
  return {
    speaks,
    serve(stream, head) {
      const odd = Object.keys(head).filter((name) => name.startsWith("x"));
      seen.push(
        `${head[":authority"]} ${head[":method"]} ${head[":path"]}${odd.map((name) => ` ${name}`).join("")}`,
      );
      stream.respond({ ":status": 200 });
      stream.end("fine");
    },
  };
}

/** What comes back of one attack, until its stream or the connection is over. */
async function ask(it: World, bytes: Buffer): Promise<readonly SeenFrame[]> {
  const socket = await it.secure("a.test", 443, { ALPNProtocols: ["h2"] });
  const seen = await converse(socket, bytes, OVER);
  socket.destroy();
  return seen;
}

for (const speaks of ["http/1.1", "h2"] as const) {
  test(`INV-34: nothing of a request that has a second reading reaches an upstream of ${speaks}`, async (t) => {
    const seen: string[] = [];
    const allow = `[{ methods: [GET, POST], paths: ["/ok", "/ok/**"] }]`;
    const it = await worldWith(t, oracle(speaks, seen), { allow, limits: { lingerMs: 5 } });
    await Promise.all(
      ATTACKS.map(async ([why, bytes]) => {
        const frames = await ask(it, bytes);
        const text = Buffer.concat(frames.map(({ payload }) => payload)).toString("latin1");
        assert.ok(!text.includes("fine"), why);
      }),
    );
    // A body is checked against its length only when it ends, so its head may have gone; not more.
    for (const one of seen) assert.match(one, /^a\.test POST \/ok$/, one);
    seen.length = 0;
    const good = [...DROPPED.map(([, bytes]) => bytes), headers(USUAL)];
    await Promise.all(good.map((bytes) => ask(it, bytes)));
    assert.deepEqual(
      seen,
      good.map(() => "a.test GET /ok"),
    );
  });
}

test("INV-34: whatever a header block is turned into, only granted requests arrive", async (t) => {
  const seen: string[] = [];
  const allow = `[{ methods: [GET, POST], paths: ["/ok", "/ok/**"] }]`;
  const it = await worldWith(t, oracle("http/1.1", seen), { allow });
  const name = fc.constantFrom(
    ":path",
    ":method",
    ":authority",
    ":scheme",
    "host",
    "x",
    "te",
    "cookie",
    "content-length",
  );
  const value = fc.constantFrom(
    "/ok",
    "/no",
    "GET",
    "b.test",
    "a.test",
    "a\r\nb",
    "http",
    "trailers",
    "0",
    "",
    "/ok/%2e%2e/no",
  );
  const change = fc.record({
    at: fc.nat(6),
    drop: fc.nat(2),
    put: fc.array(fc.tuple(name, value), { maxLength: 2 }),
  });
  const request = fc.array(change, { maxLength: 3 });
  const property = fc.asyncProperty(
    fc.array(request, { minLength: 30, maxLength: 30 }),
    async (list) => {
      await Promise.all(
        list.map(async (changes) => {
          const all = changes.reduce<Fields>(
            (before, { at, drop, put }) => [
              ...before.slice(0, at),
              ...put,
              ...before.slice(at + drop),
            ],
            USUAL,
          );
          const socket = await it.secure("a.test", 443, { ALPNProtocols: ["h2"] });
          const late = new Promise((resolve) => setTimeout(resolve, 60));
          await Promise.race([converse(socket, headers(all), OVER), late]);
          socket.destroy();
        }),
      );
      for (const one of seen) assert.match(one, /^a\.test (GET|POST) \/ok(\/[^. ]*)?( x)?$/);
    },
  );
  await fc.assert(property, { numRuns: 4, endOnFailure: true });
  assert.ok(seen.length > 0);
});
