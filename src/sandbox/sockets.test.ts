/** Process 1 hands out sockets of the run's network: what they reach, and what that takes from the seal. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, Socket, type AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { internetFamily } from "../sys/index.ts";
import { hold, makePlace, type Held } from "./sandbox.fixture.ts";

const LISTEN = `import socket
server = socket.create_server(("127.0.0.1", 8080))
print("ready", flush=True)
one, _ = server.accept()
one.sendall(one.recv(100).upper())
one.close()
input()`;

async function open(t: TestContext): Promise<Held> {
  const place = await makePlace();
  t.after(() => place.remove());
  const held = await hold(place.spec);
  t.after(() => held.end());
  return held;
}

async function start({ sandbox }: Held, argv: readonly string[]): Promise<void> {
  const streams = await sandbox.start({
    argv,
    environment: { PATH: "/usr/bin:/bin", HOME: "/home/agent" },
    cwd: "/",
  });
  if (streams.kind !== "pipes") throw new Error("no terminal was asked for");
  await once(streams.stdout, "data");
}

function wrap(fd: number): Socket {
  const options = { fd, allowHalfOpen: true, pauseOnCreate: true };
  return new Socket(options);
}

test("INV-31: a socket that process 1 hands out leads to the run's own loopback, and to no other", async (t) => {
  const mine = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(mine, "listening");
  t.after(() => mine.close());
  const held = await open(t);
  await start(held, ["python3", "-c", LISTEN]);
  const before = held.calls.length;
  const [four = -1, six = -1] = await held.sandbox.sockets();
  assert.deepEqual([internetFamily(four), internetFamily(six)], [4, 6]);
  const socket = wrap(four);
  socket.connect(8080, "127.0.0.1");
  await once(socket, "connect");
  socket.resume();
  socket.end("hello");
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.equal(answer.toString(), "HELLO");
  assert.equal(held.calls.length, before, "no process of the run connected to anything");
  const out = wrap(six);
  out.connect(8080, "::1");
  const [error] = (await once(out, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNREFUSED");
  // The host's own loopback is another one, though it has the same address.
  const [other = -1, spare = -1] = await held.sandbox.sockets();
  const wrong = wrap(other);
  wrong.connect((mine.address() as AddressInfo).port, "127.0.0.1");
  const [refused] = (await once(wrong, "error")) as [NodeJS.ErrnoException];
  assert.equal(refused.code, "ECONNREFUSED");
  wrap(spare).destroy();
});

test("sockets: many at once come apart, and a run that ends gives none", async (t) => {
  const held = await open(t);
  await start(held, ["sh", "-c", "echo ready; exec sleep 60"]);
  const all = await Promise.all(Array.from({ length: 20 }, () => held.sandbox.sockets()));
  assert.equal(new Set(all.flat()).size, 40);
  for (const fd of all.flat()) wrap(fd).destroy();
  const late = held.sandbox.kill().then(() => held.sandbox.sockets());
  assert.deepEqual(await late, []);
});
