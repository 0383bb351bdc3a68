import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import type { Server, Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { Agent, WebSocket, type CloseEvent, type MessageEvent } from "undici";
import { closePayload, createFrameReader, encodeFrameHead, masked, OPCODE } from "../wire/index.ts";
import { HOST, worldOf } from "./http-test-kit.ts";
import { readAll, type World, type WorldOptions } from "./test-kit.ts";
import { createPlaceholderFinder } from "../vault/index.ts";

const ALLOW = `[{ methods: [GET], paths: ["/ws", "/ws/**"], websocket: true }, { methods: [GET], paths: ["/raw"], websocket: true, opaque: true }, { methods: [GET], paths: ["/plain"] }]`;
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const MASK = Buffer.from("a1b2c3d4", "hex");

function acceptOf(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

interface Frame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly text: string;
}

function frame(opcode: number, payload: string | Buffer, mask?: Buffer, isFinal = true): Buffer {
  const bytes = Buffer.from(payload);
  const head = encodeFrameHead({ isFinal, opcode, length: bytes.length }, mask);
  return Buffer.concat([head, masked(bytes, mask, 0)]);
}

/** Calls back with each frame that arrives on `socket`. */
function onFrames(socket: Socket, isMasked: boolean, take: (frame: Frame) => void): void {
  const reader = createFrameReader(isMasked);
  let [opcode, isFinal, text] = [0, true, ""];
  socket.on("data", (chunk: Buffer) => {
    for (const part of reader.push(chunk)) {
      if (part.kind === "head") [opcode, isFinal, text] = [part.head.opcode, part.head.isFinal, ""];
      else if (part.kind === "payload") text += part.bytes.toString("latin1");
      else if (part.kind === "end") take({ opcode, isFinal, text });
    }
  });
}

interface Upstream {
  readonly server: Server;
  readonly got: Frame[];
  readonly asked: IncomingMessage[];
  /** The raw bytes behind the handshake. */
  raw: Buffer;
}

/** Echoes messages; `fields` besides the accepted key, which `accept` may spoil. */
function echo(fields = "", accept = acceptOf): Upstream {
  const server = createHttpServer((_, response) => response.writeHead(418).end("no socket"));
  const up: Upstream = { server, got: [], asked: [], raw: Buffer.alloc(0) };
  server.on("upgrade", (request: IncomingMessage, socket: Socket) => {
    up.asked.push(request);
    socket.on("error", () => {});
    socket.on("end", () => socket.end());
    const key = String(request.headers["sec-websocket-key"]);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Accept: ${accept(key)}\r\n${fields}\r\n`,
    );
    socket.on("data", (chunk: Buffer) => (up.raw = Buffer.concat([up.raw, chunk])));
    onFrames(socket, true, (got) => {
      up.got.push(got);
      if (got.opcode === OPCODE.close)
        socket.end(frame(OPCODE.close, Buffer.from(got.text, "latin1")));
      else if (got.text.startsWith("say:")) socket.write(frame(OPCODE.binary, got.text.slice(4)));
      else {
        const opcode = got.opcode === OPCODE.ping ? OPCODE.pong : got.opcode;
        socket.write(frame(opcode, Buffer.from(got.text, "latin1"), undefined, got.isFinal));
      }
    });
  });
  return up;
}

function handshake(path = "/ws", more = ""): string {
  return (
    `GET ${path} HTTP/1.1\r\n${HOST}Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n${more}\r\n`
  );
}

interface Client {
  readonly socket: Socket;
  readonly frames: Frame[];
  /** Resolves when `count` frames came, or the connection ended. */
  arrived(count: number): Promise<void>;
  readonly head: string;
}

async function open(it: World, path = "/ws", more = ""): Promise<Client> {
  const socket = await it.dial("a.test", 80);
  socket.write(handshake(path, more));
  const frames: Frame[] = [];
  const waiting: (() => void)[] = [];
  const tell = () => waiting.forEach((one) => one());
  for (const event of ["end", "close"]) socket.once(event, tell);
  let head = "";
  await new Promise<void>((resolve) => {
    socket.once("close", resolve);
    const take = (chunk: Buffer) => {
      head += chunk.toString("latin1");
      const at = head.indexOf("\r\n\r\n");
      if (at < 0) return;
      socket.removeListener("data", take);
      onFrames(socket, false, (got) => {
        frames.push(got);
        tell();
      });
      const rest = Buffer.from(head.slice(at + 4), "latin1");
      if (rest.length > 0) socket.emit("data", rest);
      resolve();
    };
    socket.on("data", take);
  });
  return {
    socket,
    frames,
    head,
    async arrived(count) {
      while (frames.length < count && !socket.readableEnded && !socket.destroyed) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}

function worldFor(t: TestContext, up: Upstream, more: Partial<WorldOptions> = {}): Promise<World> {
  return worldOf(t, up.server, { allow: ALLOW, ...more });
}

test("messages go both ways, and the record says how many", async (t) => {
  const up = echo("Sec-WebSocket-Protocol: chat\r\nSet-Cookie: a=1\r\n");
  const it = await worldFor(t, up);
  const more =
    "Sec-WebSocket-Protocol: other, chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
  const client = await open(it, "/ws", more);
  assert.match(client.head, /^HTTP\/1.1 101 /);
  assert.match(client.head, new RegExp(`Accept: ${acceptOf(KEY).replaceAll("+", "\\+")}\r\n`, "i"));
  assert.match(client.head, /Protocol: chat\r\n[^]*Set-Cookie: a=1\r\n/i);
  assert.equal(up.asked[0]?.headers["sec-websocket-extensions"], undefined);
  client.socket.write(frame(OPCODE.text, '{"a":1}', MASK));
  client.socket.write(frame(OPCODE.ping, "still there", MASK));
  client.socket.write(frame(OPCODE.text, "hel", MASK, false));
  client.socket.write(frame(OPCODE.continuation, "lo", MASK));
  await client.arrived(4);
  assert.deepEqual(
    client.frames.map(({ text }) => text),
    ['{"a":1}', "still there", "hel", "lo"],
  );
  client.socket.write(frame(OPCODE.close, closePayload(1000, "bye"), MASK));
  await client.arrived(5);
  assert.equal(client.frames.at(-1)?.opcode, OPCODE.close);
  client.socket.end();
  await it.flowsClosed(1);
  const [action] = it.actions;
  assert.deepEqual(
    [action?.verb, action?.effects, action?.fields["upgrade"]],
    ["websocket", ["write"], "websocket"],
  );
  const { status, messagesOut, bytesOut } =
    it.events.find((event) => event.type === "outcome")?.data ?? {};
  assert.deepEqual([status, messagesOut, bytesOut], [101, 2, 7 + 11 + 5 + 5]);
  assert.deepEqual([it.denials, it.findings], [[], []]);
});

test("INV-36: a client does not choose the bytes on the upstream's wire", async (t) => {
  const up = echo();
  const it = await worldFor(t, up, {});
  const client = await open(it, "/raw");
  const hidden = "GET /no HTTP/1.1\r\nHost: a.test\r\n\r\n";
  // Under a mask of zeros the payload is on the wire as it is.
  client.socket.write(frame(OPCODE.text, hidden, Buffer.alloc(4)));
  await client.arrived(1);
  assert.equal(up.got[0]?.text, hidden);
  assert.ok(!up.raw.includes("GET /no"));
  client.socket.destroy();
});

test("big messages come whole, in constant memory", async (t) => {
  const up = echo();
  const it = await worldFor(t, up);
  const client = await open(it, "/raw");
  const big = Buffer.alloc(5_000_000, "0123456789");
  client.socket.write(frame(OPCODE.binary, big, MASK));
  await client.arrived(1);
  assert.equal(client.frames[0]?.text.length, big.length);
  assert.ok(client.frames[0]?.text === big.toString("latin1"));
  client.socket.destroy();
});

const LOGIN = '{"id":1,"method":"mining.subscribe","params":[]}';
const OFFENCES: readonly (readonly [string, string, readonly Buffer[], string, string])[] = [
  ["SSH as text", "/ws", [frame(1, "SSH-2.0-OpenSSH_9.2\r\n", MASK)], "tunnel", "protocol.ssh"],
  ["SSH as binary", "/raw", [frame(2, "SSH-2.0-OpenSSH_9.2\r\n", MASK)], "tunnel", "protocol.ssh"],
  [
    "SSH byte by byte",
    "/raw",
    Array.from("SSH-2.0-x").map((c) => frame(2, c, MASK)),
    "tunnel",
    "protocol.ssh",
  ],
  [
    "SSH in pieces",
    "/ws",
    [frame(1, "SS", MASK, false), frame(0, "H-2.0-x\r\n", MASK)],
    "tunnel",
    "protocol.ssh",
  ],
  ["SSH in a ping", "/raw", [frame(9, "SSH-2.0-x\r\n", MASK)], "tunnel", "protocol.ssh"],
  [
    "SSH in a later message",
    "/raw",
    [frame(1, "{}", MASK), frame(2, "SSH-2.0-x\r\n", MASK)],
    "tunnel",
    "protocol.ssh",
  ],
  ["Stratum", "/ws", [frame(1, LOGIN, MASK)], "mining", "protocol.stratum"],
  [
    "Stratum in a later message",
    "/ws",
    [frame(1, "{}", MASK), frame(1, LOGIN, MASK)],
    "mining",
    "protocol.stratum",
  ],
  ["SOCKS", "/raw", [frame(2, "\x05\x01\x00", MASK)], "tunnel", "protocol.socks"],
  [
    "binary where it is not granted",
    "/ws",
    [frame(2, "\x08\x01\x12\x03", MASK)],
    "protocol",
    "websocket.opaque",
  ],
  [
    "text that is none",
    "/ws",
    [frame(1, Buffer.from("fffe00", "hex"), MASK)],
    "protocol",
    "websocket.opaque",
  ],
];
for (const [why, path, frames, kind, rule] of OFFENCES) {
  test(`INV-36: ${why} in a WebSocket is closed and named: ${kind}`, async (t) => {
    const up = echo();
    const it = await worldFor(t, up);
    const client = await open(it, path);
    for (const one of frames) client.socket.write(one);
    await client.arrived(99);
    client.socket.end();
    await it.flowsClosed(1);
    assert.deepEqual(
      [it.findings.map((one) => one.kind), it.denials.map((one) => one.rule)],
      [[kind], [rule]],
    );
    const reached = up.got.map(({ text }) => text).join("");
    for (const part of ["SSH-2", "mining", "\x05\x01", "\x08\x01"])
      assert.ok(!reached.includes(part));
    if (rule === "websocket.opaque") {
      assert.equal(Buffer.from(client.frames.at(-1)?.text ?? "", "latin1").readUInt16BE(0), 1008);
    }
  });
}

test("INV-36: what a server says is judged as well", async (t) => {
  const up = echo();
  const it = await worldFor(t, up);
  const client = await open(it, "/raw");
  client.socket.write(frame(OPCODE.text, "say:SSH-2.0-server\r\n", MASK));
  await client.arrived(99);
  await it.flowsClosed(1);
  assert.deepEqual([it.findings[0]?.kind, client.frames], ["tunnel", []]);
});

test("binary is let through where the rule says so, and JSON in binary everywhere", async (t) => {
  const up = echo();
  const it = await worldFor(t, up);
  for (const [path, text] of [
    ["/raw", "\x08\x01\x12\x03abc"],
    ["/ws", '{"a":1}'],
  ] as const) {
    const client = await open(it, path);
    client.socket.write(frame(OPCODE.binary, text, MASK));
    await client.arrived(1);
    assert.equal(client.frames[0]?.text, text);
    client.socket.destroy();
  }
  assert.deepEqual(it.findings, []);
});

const FLAWS: readonly (readonly [string, Buffer])[] = [
  ["without a mask", frame(1, "hi")],
  ["compressed", Buffer.from("c180a1b2c3d4", "hex")],
  [
    "in empty pieces without end",
    Buffer.concat([
      frame(1, "", MASK, false),
      ...Array.from({ length: 9000 }, () => frame(0, "", MASK, false)),
    ]),
  ],
];
for (const [why, bytes] of FLAWS) {
  test(`INV-36: frames ${why} are refused`, async (t) => {
    const it = await worldFor(t, echo());
    const client = await open(it);
    client.socket.write(bytes);
    await client.arrived(99);
    client.socket.end();
    await it.flowsClosed(1);
    assert.deepEqual(
      it.denials.map((one) => one.rule),
      ["websocket.frame"],
    );
  });
}

const REFUSED: readonly (readonly [string, string, number])[] = [
  ["where the rule does not say so", handshake("/plain"), 426],
  ["on a path that is not granted", handshake("/none"), 426],
  ["of another version", handshake().replace("13", "8"), 426],
  ["with a short key", handshake().replace(KEY, "aGk="), 400],
  ["with two keys", handshake("/ws", `Sec-WebSocket-Key: ${KEY}\r\n`), 400],
  ["with a body", handshake("/ws", "Content-Length: 2\r\n").concat("hi"), 403],
  ["by POST", handshake().replace("GET", "POST"), 400],
  ["without Connection: upgrade", handshake().replace("keep-alive, Upgrade", "keep-alive"), 418],
  [
    "together with another protocol",
    handshake().replace("Upgrade: websocket", "Upgrade: h2c, websocket"),
    403,
  ],
  ["with bytes behind it", handshake().concat("\x81\x80aaaa"), 403],
  ["by an odd protocol name", handshake("/ws", "Sec-WebSocket-Protocol: a b\r\n"), 400],
  ["for another host", handshake().replace("a.test", "b.test"), 421],
];
for (const [why, text, status] of REFUSED) {
  test(`INV-36: a WebSocket ${why} is not opened`, async (t) => {
    const up = echo();
    const it = await worldFor(t, up);
    const socket = await it.dial("a.test", 80);
    const said = readAll(socket, (all) => all.includes("\r\n\r\n"));
    socket.write(text);
    assert.match(await said, new RegExp(`^HTTP/1.1 ${status} `));
    socket.destroy();
    assert.deepEqual(up.asked, []);
  });
}

test("what may be no WebSocket says which protocol it may be: clients fall back at once", async (t) => {
  const it = await worldFor(t, echo());
  const socket = await it.dial("a.test", 80);
  const said = readAll(socket, (all) => all.includes("\r\n\r\n"));
  socket.write(handshake("/plain"));
  assert.match(await said, /^HTTP\/1\.1 426 [^]*\r\nupgrade: HTTP\/1\.1\r\n/);
  socket.destroy();
});

const SPOILT: readonly (readonly [string, string, ((key: string) => string)?])[] = [
  ["does not prove the key", "", () => acceptOf("another")],
  ["uses an extension", "Sec-WebSocket-Extensions: permessage-deflate\r\n"],
  ["chooses a protocol that nobody offered", "Sec-WebSocket-Protocol: ssh\r\n"],
];
for (const [why, fields, accept] of SPOILT) {
  test(`INV-36: an upstream that ${why} is a 502`, async (t) => {
    const it = await worldFor(t, echo(fields, accept));
    const client = await open(it);
    assert.match(client.head, /^HTTP\/1.1 502 [^]*gateway\.upstream_answer/);
    client.socket.destroy();
  });
}

test("undici's WebSocket works through it unmodified", async (t) => {
  const up = echo();
  const it = await worldFor(t, up);
  const connect = (_options: unknown, done: (error: null, socket: Socket) => void) =>
    void it.dial("a.test", 80).then((socket) => done(null, socket));
  const dispatcher = new Agent({ connect });
  t.after(() => dispatcher.destroy());
  const socket = new WebSocket("ws://a.test/ws/live", { dispatcher });
  await once(socket, "open");
  socket.send("grüße");
  const [message] = (await once(socket, "message")) as [MessageEvent];
  assert.equal(message.data, "grüße");
  socket.close(1000, "bye");
  const [closed] = (await once(socket, "close")) as [CloseEvent];
  assert.deepEqual([closed.code, closed.wasClean], [1000, true]);
  await it.flowsClosed(1);
  assert.deepEqual([it.denials, it.findings], [[], []]);
});

test("an upstream that declines is heard", async (t) => {
  const server = createHttpServer((_, response) => response.writeHead(401).end("who are you"));
  const it = await worldOf(t, server, { allow: ALLOW });
  const socket = await it.dial("a.test", 80);
  socket.write(handshake());
  assert.match(await readAll(socket), /^HTTP\/1.1 401 [^]*who are you/);
  await it.flowsClosed(1);
});

test("INV-9: a WebSocket is in the record before its upstream hears of it", async (t) => {
  const up = echo();
  const gate = Promise.withResolvers<number>();
  const it = await worldFor(t, up, {
    record: (event) => (event.type === "action" ? gate.promise : Promise.resolve(1)),
  });
  const opened = open(it);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepEqual(up.asked, []);
  gate.resolve(1);
  const client = await opened;
  assert.match(client.head, /101/);
  client.socket.destroy();
});

test("a client that leaves ends its upstream, and the other way round", async (t) => {
  const up = echo();
  const it = await worldFor(t, up);
  const client = await open(it);
  const ended = new Promise((resolve) => up.asked[0]?.socket.once("close", resolve));
  client.socket.destroy();
  await ended;
  const other = await open(it);
  up.asked[1]?.socket.end();
  assert.equal(await readAll(other.socket), "");
  await it.flowsClosed(2);
});

test("INV-64: the answer that opens a WebSocket, or declines one, does not bring the credential back", async (t) => {
  const secret = "sk-live-5f2c9a7be0d14433";
  const given = [{ credential: "api", run: "r-test", text: "sk-live-0000000000000000" }];
  const lending = {
    more: "credential: api,",
    placeholders: { given, find: createPlaceholderFinder(given).find },
    lease: {
      credential: "api",
      attach: { kind: "header" as const, name: "Authorization", value: `Bearer ${secret}` },
      secrets: [secret],
    },
  };
  const it = await worldFor(
    t,
    echo(`X-Key: ${secret}\r\nX-${secret}: a\r\nX-Other: kept\r\n`),
    lending,
  );
  const { head, socket } = await open(it);
  assert.match(head, /^HTTP\/1.1 101 /);
  assert.match(head, /x-other: kept/i);
  assert.ok(!head.includes(secret), head);
  socket.destroy();
  const server = createHttpServer((_, response) => response.writeHead(418, secret).end(secret));
  server.on("upgrade", (_, declined: Socket) =>
    declined.end(
      `HTTP/1.1 403 ${secret}\r\nX-Key: ${secret}\r\nContent-Length: 24\r\n\r\n${secret}`,
    ),
  );
  const other = await worldFor(t, { ...echo(), server }, lending);
  const refused = await open(other);
  await refused.arrived(1);
  assert.match(refused.head, /^HTTP\/1.1 403 /);
  assert.ok(!refused.head.includes(secret), refused.head);
});

test("INV-140: what a model calls over a WebSocket is read, in whatever pieces it comes", async (t) => {
  const up = echo();
  const allow = `[{ methods: [GET], paths: ["/v1/**"], websocket: true }]`;
  const it = await worldOf(t, up.server, { allow });
  const client = await open(it, "/v1/responses");
  const say = (message: object, pieces = 1) => {
    const bytes = Buffer.from(JSON.stringify(message));
    const size = Math.ceil(bytes.length / pieces);
    for (let n = 0; n < pieces; n += 1) {
      const opcode = n === 0 ? OPCODE.text : OPCODE.continuation;
      client.socket.write(frame(opcode, bytes.subarray(n * size, (n + 1) * size), MASK, false));
    }
    client.socket.write(frame(OPCODE.continuation, "", MASK)); // Its end is a piece of its own.
  };
  // The upstream says back what it hears: what is asked is read in one direction, and its echo is none.
  const output = [{ type: "function_call_output", call_id: "c0", output: "gave" }];
  say({ type: "response.create", model: "m", input: output });
  const item = { type: "function_call", call_id: "c1", name: "Bash", arguments: "{}" };
  say({ type: "response.output_item.done", output_index: 0, item }, 9);
  say({ type: "response.completed", response: { model: "m", status: "completed" } });
  await client.arrived(2 + 10 + 2);
  client.socket.write(frame(OPCODE.close, closePayload(1000, "bye"), MASK));
  client.socket.end();
  await it.flowsClosed(1);
  const of = (type: string) => it.events.filter((event) => event.type === type);
  assert.deepEqual(
    of("tool.result").map(({ data }) => data?.["call"]),
    ["c0"],
  );
  assert.deepEqual(
    of("tool.call").map(({ data }) => data?.["call"]),
    ["c1"],
  );
  const [model, ...more] = of("model").map(({ data }) => data ?? {});
  assert.deepEqual(
    [model?.["protocol"], model?.["stop"], model?.["calls"]],
    ["openai-responses", "completed", 1],
  );
  assert.deepEqual(more, []);
  assert.equal(model?.["unread"], undefined);
});

test("INV-141: a model's WebSocket that is not read is named", async (t) => {
  const up = echo();
  const allow = `[{ methods: [GET], paths: ["/v1/**"], websocket: true }]`;
  const it = await worldOf(t, up.server, { allow });
  const client = await open(it, "/v1/realtime");
  client.socket.write(frame(OPCODE.text, "{}", MASK));
  await client.arrived(1);
  client.socket.destroy();
  await it.flowsClosed(1);
  const model = it.events.find(({ type }) => type === "model");
  assert.equal(model?.data?.["protocol"], "unknown");
  assert.match(JSON.stringify(model?.data?.["unread"]), /Realtime/);
});
