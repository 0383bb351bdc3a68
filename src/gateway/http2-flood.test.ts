import assert from "node:assert/strict";
import { constants } from "node:http2";
import { test, type TestContext } from "node:test";
import {
  block,
  converse,
  END_HEADERS,
  END_STREAM,
  frame,
  integer,
  TYPE,
  USUAL,
} from "./http2-frames-test-kit.ts";
import { askStream, session, worldWith, type Site } from "./http2-test-kit.ts";
import type { GatewayLimits } from "./limits.ts";
import type { World } from "./test-kit.ts";

/** Answers /ok at once, and anything else never. */
const SITE: Site = {
  speaks: "h2",
  serve(stream, headers) {
    if (headers[":path"] !== "/ok") return;
    stream.respond({ ":status": 200 });
    stream.end("fine");
  },
};

async function attack(
  t: TestContext,
  bytes: Buffer,
  limits: Partial<GatewayLimits> = {},
): Promise<World> {
  const it = await worldWith(t, SITE, { limits });
  const honest = await session(it, t);
  const socket = await it.secure("a.test", 443, { ALPNProtocols: ["h2"] });
  const over = converse(socket, bytes, () => false);
  // Another connection of the same run is served while it goes on, and after it.
  assert.equal((await askStream(honest, [":path", "/ok"])).body, "fine");
  await over;
  assert.equal((await askStream(honest, [":path", "/ok"])).body, "fine");
  await it.flowsClosed(1);
  return it;
}

function repeat(count: number, make: (n: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, n) => make(n)));
}

const SLOW = USUAL.map(([name, value]) => [name, name === ":path" ? "/slow" : value] as const);
const request = (stream: number) =>
  frame(TYPE.headers, END_HEADERS | END_STREAM, stream, block(SLOW));
const reset = (stream: number) => frame(TYPE.reset, 0, stream, "\0\0\0\x08");

const FLOODS: readonly (readonly [string, Buffer, RegExp, Partial<GatewayLimits>?])[] = [
  [
    "rapid reset (CVE-2023-44487)",
    repeat(2000, (n) => Buffer.concat([request(2 * n + 1), reset(2 * n + 1)])),
    /by resets|given up before their answer/,
  ],
  [
    "streams that the client has us reset",
    repeat(2000, (n) =>
      // A window of zero is an error of the stream, so that it is ours to reset (CVE-2025-8671).
      Buffer.concat([request(2 * n + 1), frame(TYPE.window, 0, 2 * n + 1, "\0\0\0\0")]),
    ),
    /by resets|given up before their answer|HTTP\/2/,
  ],
  [
    "PING",
    repeat(400, () => frame(TYPE.ping, 0, 0, "12345678")),
    /PING/,
    { h2PingsPerSecond: 300 },
  ],
  ["SETTINGS", repeat(400, () => frame(TYPE.settings, 0, 0)), /SETTINGS/],
  [
    "CONTINUATION without end",
    Buffer.concat([
      frame(TYPE.headers, END_STREAM, 1, block(USUAL)),
      repeat(2000, () => frame(TYPE.continuation, 0, 1, block([["x", "y".repeat(100)]]))),
    ]),
    /HTTP\/2|left|closed/,
  ],
  [
    "empty CONTINUATION without end",
    Buffer.concat([
      frame(TYPE.headers, END_STREAM, 1, block(USUAL)),
      repeat(20_000, () => frame(TYPE.continuation, 0, 1)),
    ]),
    /HTTP\/2|left|closed/,
  ],
  ["a table of 4 GiB", frame(TYPE.headers, 5, 1, integer(0x3fffffff, 5)), /HTTP\/2|closed/],
  ["settings with nonsense", frame(TYPE.settings, 0, 0, "abc"), /HTTP\/2|closed/],
  ["a frame larger than agreed", frame(TYPE.data, 0, 1, Buffer.alloc(20_000)), /HTTP\/2|closed/],
  ["text", Buffer.from("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"), /HTTP\/2|closed/],
];
for (const [why, bytes, reason, limits] of FLOODS) {
  test(`INV-35: ${why} ends that connection, and no other`, async (t) => {
    const it = await attack(t, bytes, limits);
    assert.match(JSON.stringify(it.event("flow.close")?.data), reason);
  });
}

test("INV-35: a header block that unfolds to more than a head may hold ends its stream", async (t) => {
  const it = await worldWith(t, SITE);
  const socket = await it.secure("a.test", 443, { ALPNProtocols: ["h2"] });
  // One field of 4,000 bytes put into the table (RFC 7541, 6.2.1), then named by one byte 1,000 times.
  const field = Buffer.concat([
    Buffer.of(0x40, 1),
    Buffer.from("x"),
    integer(4000, 7),
    Buffer.alloc(4000, "y"),
  ]);
  const bomb = Buffer.concat([block(USUAL), field, Buffer.alloc(1000, 0x80 | 62)]);
  const seen = await converse(
    socket,
    frame(TYPE.headers, END_HEADERS | END_STREAM, 1, bomb),
    (frames) => frames.some(({ type }) => type === TYPE.reset || type === TYPE.goaway),
  );
  const end = seen.find(({ type }) => type === TYPE.reset || type === TYPE.goaway);
  assert.equal(end?.payload.readUInt32BE(0), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  socket.destroy();
  assert.deepEqual(it.actions, []);
});

test("INV-35: more streams at once than allowed are refused, and judged no more", async (t) => {
  const it = await worldWith(t, SITE, { limits: { h2Streams: 10 } });
  const socket = await it.secure("a.test", 443, { ALPNProtocols: ["h2"] });
  const refused = ({ type }: { readonly type: number }) => type === TYPE.reset;
  const bytes = repeat(40, (n) => request(2 * n + 1));
  await converse(socket, bytes, (frames) => frames.filter(refused).length === 30);
  assert.equal(it.actions.length, 10);
  socket.destroy();
});

test("INV-35: exchanges over HTTP/2 are bounded for a whole run, and told to try again", async (t) => {
  const it = await worldWith(t, SITE, { limits: { h2RunStreams: 3 } });
  const [one, two] = [await session(it, t), await session(it, t)];
  void askStream(one, [":path", "/slow"]);
  void askStream(one, [":path", "/slow"]);
  const third = askStream(two, [":path", "/slow"]);
  while (it.actions.length < 3) await new Promise((resolve) => setTimeout(resolve, 2));
  const refused = await askStream(two, [":path", "/ok"]);
  assert.equal(refused.code, constants.NGHTTP2_REFUSED_STREAM);
  one.destroy();
  await it.flowsClosed(1);
  assert.equal((await askStream(two, [":path", "/ok"])).body, "fine");
  two.destroy();
  await third;
});

test("a connection without a request does not stay", async (t) => {
  const it = await worldWith(t, SITE, { limits: { headMs: 60 } });
  await session(it, t);
  const used = await session(it, t);
  await askStream(used, [":path", "/ok"]);
  await it.flowsClosed(2);
  assert.match(it.said("reason").join(), /no request within/);
});
