import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { Resolver as Client } from "node:dns/promises";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import * as dnsPacket from "dns-packet";
import {
  closeDescriptor,
  createSocketPair,
  descriptorOf,
  receiveMessage,
  sendMessage,
} from "../../sys/index.ts";
import {
  createNamePool,
  createResolver,
  serveDnsTcp,
  serveDnsUdp,
  type Question,
} from "./index.ts";

const questions: Question[] = [];
const resolver = createResolver({
  pool: createNamePool(),
  onQuestion: (question) => questions.push(question),
  onOdd: () => {},
});

/** A bound UDP socket that no Node object owns, received as the launcher sends it. */
async function passedSocket(): Promise<{ fd: number; port: number }> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  const [near, far] = createSocketPair("packet");
  sendMessage(near, Buffer.from("d"), [descriptorOf(socket)]);
  const fd = receiveMessage(far)?.descriptors[0] ?? -1;
  for (const end of [near, far]) closeDescriptor(end);
  socket.close();
  return { fd, port };
}

// The same port over UDP and TCP, as a client that is told to come again over TCP expects.
const server = createServer({ allowHalfOpen: true }, (socket) => serveDnsTcp(socket, resolver));
const { fd, port } = await onePort();
const stop = serveDnsUdp(fd, resolver);

/** Someone else may hold the TCP port of the number that UDP got: then another number is tried. */
async function onePort(): Promise<{ fd: number; port: number }> {
  const passed = await passedSocket();
  const bound = new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(passed.port, "127.0.0.1", () => resolve(true));
  });
  if (await bound) return passed;
  closeDescriptor(passed.fd);
  return onePort();
}

after(() => {
  stop();
  server.close();
});

const client = new Client({ timeout: 2000, tries: 1 });
client.setServers([`127.0.0.1:${port}`]);

test("a real client gets addresses, a name back, and nothing of other types", async () => {
  assert.deepEqual(await client.resolve4("a.example.com"), ["198.18.0.1"]);
  assert.deepEqual(await client.resolve6("a.example.com"), ["fd63:6f66:6665::1"]);
  assert.deepEqual(await client.reverse("198.18.0.1"), ["a.example.com"]);
  assert.deepEqual(await client.reverse("fd63:6f66:6665::1"), ["a.example.com"]);
  await assert.rejects(client.resolveTxt("a.example.com"), { code: "ENODATA" });
  await assert.rejects(client.resolveMx("a.example.com"), { code: "ENODATA" });
  await assert.rejects(client.resolve4("a.onion"), { code: "ENOTFOUND" });
  assert.ok(questions.every(({ transport, from }) => transport === "udp" && from?.port));
});

async function dial(to: Server = server): Promise<Socket> {
  const socket = connect((to.address() as AddressInfo).port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** Reads whole messages until `count` are there. */
async function read(socket: Socket, count: number): Promise<readonly Buffer[]> {
  let bytes: Buffer = Buffer.alloc(0);
  const messages: Buffer[] = [];
  while (messages.length < count) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
      messages.push(bytes.subarray(2, 2 + bytes.readUInt16BE(0)));
      bytes = bytes.subarray(2 + bytes.readUInt16BE(0));
    }
  }
  return messages;
}

const framed = (id: number, name: string) =>
  dnsPacket.streamEncode({ type: "query", id, questions: [{ name, type: "A" }] });

test("over TCP many questions may come in any pieces, and a half-closed client gets its answers", async () => {
  const socket = await dial();
  const stream = Buffer.concat([1, 2, 3].map((id) => framed(id, `n${id}.example`)));
  for (let at = 0; at < stream.length; at += 7) socket.write(stream.subarray(at, at + 7));
  const replies = read(socket, 3);
  socket.end();
  const ids = (await replies).map((reply) => dnsPacket.decode(reply).id);
  assert.deepEqual(ids, [1, 2, 3]);
  await once(socket, "close");
});

test("900 questions on one connection are answered, also to a client that reads only at the end", async () => {
  const socket = await dial();
  socket.pause();
  for (let n = 0; n < 900; n += 1) socket.write(framed(n, "a.example"));
  const replies = await read(socket.resume(), 900);
  assert.equal(replies.length, 900);
  socket.destroy();
});

const REFUSED: readonly (readonly [Buffer, RegExp, string])[] = [
  [Buffer.from([0xff, 0xff]), /too long/, "a message of 65,535 bytes is announced"],
  [
    Buffer.concat(Array.from({ length: 1001 }, () => framed(1, "a.example"))),
    /too many questions/,
    "a question too many",
  ],
  [Buffer.from("SSH-2.0-x\r\n"), /too long/, "another protocol"],
];
for (const [bytes, detail, why] of REFUSED) {
  test(`a TCP connection is cut: ${why}`, async () => {
    const odd: string[] = [];
    const own = createResolver({
      pool: createNamePool(),
      // A clock of its own, so that the rate is not what stops a thousand questions.
      clock: { now: () => ({ wallMs: 0, monoMs: (monoMs += 10) }) },
      onQuestion: () => {},
      onOdd: (one) => odd.push(one.detail),
    });
    let monoMs = 0;
    const cutting = createServer((accepted) => serveDnsTcp(accepted, own));
    cutting.listen(0, "127.0.0.1");
    await once(cutting, "listening");
    const socket = await dial(cutting);
    socket.on("error", () => {}); // A reset is one way to be cut.
    socket.resume().write(bytes);
    await once(socket, "close");
    cutting.close();
    assert.equal(odd.length, 1);
    assert.match(odd[0] ?? "", detail);
  });
}

test("garbage over UDP is answered or dropped, and the next question still answered", async () => {
  const socket = createSocket("udp4");
  for (const bytes of ["", "\0", "\0\x01\x01\0", "x".repeat(600)]) {
    socket.send(Buffer.from(bytes, "latin1"), port, "127.0.0.1");
  }
  assert.deepEqual(await client.resolve4("a.example.com"), ["198.18.0.1"]);
  socket.close();
});
