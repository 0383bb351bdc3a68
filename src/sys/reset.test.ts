import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { descriptorOf, resetOnClose } from "./index.ts";

test("a peer that does not read is reset at once, whatever is unsent and however far the end is", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1").pause();
  const [socket] = (await once(server, "connection")) as [Socket];
  socket.write(Buffer.alloc(16 << 20));
  socket.end();
  resetOnClose(descriptorOf(socket));
  const closed = once(socket, "close");
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => client.once("error", resolve));
  socket.destroy();
  await closed;
  client.resume();
  const error = await failed;
  assert.equal(error.code, "ECONNRESET");
  server.close();
});

test("fault sys.call: a closed descriptor cannot be reset", () =>
  assert.throws(() => resetOnClose(99_999), { code: "sys.call" }));
