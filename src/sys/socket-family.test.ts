import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { openSync, closeSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { createSocketPair, descriptorOf, internetFamily } from "./index.ts";

for (const [host, family] of [
  ["127.0.0.1", 4],
  ["::1", 6],
] as const) {
  test(`a TCP listener on ${host} is of IPv${family}`, async () => {
    const server = createServer().listen(0, host);
    await once(server, "listening");
    assert.equal(internetFamily(descriptorOf(server)), family);
    server.close();
  });
}

test("a datagram socket has a family too", async () => {
  const socket = createSocket("udp6").bind(0, "::1");
  await once(socket, "listening");
  const handle = Object.getOwnPropertySymbols(socket)
    .map((key) => Reflect.get(socket, key) as { handle?: object })
    .find((state) => state.handle !== undefined)?.handle;
  assert.equal(internetFamily(descriptorOf({ _handle: handle })), 6);
  socket.close();
});

test("faults sys.address, sys.call: a Unix socket, and no socket", () => {
  const [a, b] = createSocketPair("packet");
  assert.throws(() => internetFamily(a), { code: "sys.address" });
  for (const fd of [a, b]) closeSync(fd);
  const file = openSync("/proc/self/exe", "r");
  assert.throws(() => internetFamily(file), { code: "sys.call" });
  closeSync(file);
});
