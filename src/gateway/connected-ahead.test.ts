import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { Fault } from "../base/index.ts";
import { HOST, worldOf } from "./http-test-kit.ts";
import { listening, readAll } from "./test-kit.ts";

const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;

/** An upstream that says which of its connections answers, and how it is reached ahead. */
async function numbered(t: TestContext) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const mine = sockets.add(socket).size;
    socket.on("error", () => {});
    socket.on("data", () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${mine}`));
  });
  const port = await listening(server);
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const made: Socket[] = [];
  const ahead = async () => {
    const socket = connect(port, "127.0.0.1");
    made.push(socket);
    await once(socket, "connect");
    return socket;
  };
  return { port, sockets, made, ahead };
}

test("a first request goes by the connection that came with its verdict, and the next one too", async (t) => {
  const { port, sockets, made, ahead } = await numbered(t);
  const it = await worldOf(t, port, { ahead });
  const socket = await it.dial("a.test", 80);
  for (let n = 0; n < 2; n += 1) {
    const answer = readAll(socket, (text) => text.endsWith("\r\n\r\n1"));
    socket.write(GET);
    assert.match(await answer, /200 OK/);
  }
  assert.deepEqual([made.length, sockets.size], [1, 1], "asked for once, and no other was made");
  socket.destroy();
  await it.flowsClosed(1);
  const { upstreamOut, upstreamIn } = it.event("flow.close")?.data ?? {};
  assert.ok(Number(upstreamOut) > 0 && Number(upstreamIn) > 0, "its bytes are counted");
  assert.ok(made[0]?.destroyed);
});

test("what could not be connected is told as if it had been asked for later", async (t) => {
  const { port, sockets } = await numbered(t);
  const fault = new Fault("gateway.connect", "a.test does not answer");
  const it = await worldOf(t, port, { ahead: () => Promise.reject(fault) });
  const socket = await it.dial("a.test", 80);
  const answer = readAll(socket, (text) => text.includes("gateway.connect"));
  socket.write(GET);
  assert.match(await answer, /^HTTP\/1.1 504/);
  socket.destroy();
  await it.flowsClosed(1);
  assert.equal(it.event("outcome")?.data?.["code"], "gateway.connect");
  assert.equal(sockets.size, 0);
});

test("one that has ended before it was used is made anew", async (t) => {
  const { port, sockets, made, ahead } = await numbered(t);
  const it = await worldOf(t, port, {
    ahead: async () => (await ahead()).destroy(),
  });
  const socket = await it.dial("a.test", 80);
  const answer = readAll(socket, (text) => text.endsWith("\r\n\r\n2"));
  socket.write(GET);
  assert.match(await answer, /200 OK/);
  assert.deepEqual([made.length, sockets.size], [1, 2]);
});

test("one that comes when the client has left is closed", async (t) => {
  const { port, made, ahead } = await numbered(t);
  const asked = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const it = await worldOf(t, port, {
    async ahead() {
      asked.resolve();
      await left.promise;
      return ahead();
    },
  });
  const socket = await it.dial("a.test", 80);
  socket.write(GET);
  await asked.promise;
  socket.destroy();
  await it.flowsClosed(1);
  left.resolve();
  for (let n = 0; made[0]?.destroyed !== true; n += 1) {
    assert.ok(n < 500, "it is closed");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});
