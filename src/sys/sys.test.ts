import assert from "node:assert/strict";
import { once } from "node:events";
import { closeSync, fstatSync, openSync } from "node:fs";
import { createServer, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as sys from "./index.ts";

test("a descriptor that crosses a socket pair names the same file", () => {
  const [a, b] = sys.createSocketPair("packet");
  const file = openSync("/proc/self/exe", "r");
  sys.sendMessage(a, Buffer.from("hello"), [file]);
  const message = sys.receiveMessage(b);
  assert.equal(message?.bytes.toString(), "hello");
  const passed = message?.descriptors[0] ?? -1;
  assert.equal(fstatSync(passed).ino, fstatSync(file).ino);
  assert.equal(sys.receiveMessage(b), undefined, "nothing more, and no wait");
  for (const fd of [file, passed, a]) closeSync(fd);
  assert.equal(
    sys.receiveMessage(b)?.bytes.length,
    0,
    "the end of the other side shows as no bytes",
  );
  closeSync(b);
});

test("the peer of a Unix socket is this process", async () => {
  const path = join(tmpdir(), `cofferdam-sys-${process.pid}.sock`);
  const server = createServer().listen(path);
  await once(server, "listening");
  const client = connect(path);
  const [socket] = (await once(server, "connection")) as [Socket];
  const peer = sys.peerCredentials(socket);
  assert.deepEqual([peer.pid, peer.uid], [process.pid, process.getuid?.()]);
  client.destroy();
  socket.destroy();
  server.close();
});

test("fault sys.call: a closed descriptor names the call and the errno", () => {
  assert.throws(() => sys.closeDescriptor(99_999), { code: "sys.call", message: "close: EBADF" });
});

const ADDRESSES: readonly (readonly [string, string, number, string])[] = [
  ["02000016cb007105", "203.0.113.5", 22, "IPv4"],
  ["0a0001bb0000000020010db8000000000000000000000001", "2001:db8::1", 443, "IPv6, compressed"],
  ["0a0001bb0000000000000000000000000000ffff7f000001", "127.0.0.1", 443, "mapped is IPv4"],
];
for (const [hex, address, port, why] of ADDRESSES) {
  test(`socket address ${address}:${port}: ${why}`, () =>
    assert.deepEqual(sys.readSocketAddress(Buffer.from(hex, "hex")), { address, port }));
}

for (const hex of ["", "0200", "0100000000000000", "0a0001bb00000000"]) {
  test(`fault sys.address: ${JSON.stringify(hex)}`, () =>
    assert.throws(() => sys.readSocketAddress(Buffer.from(hex, "hex")), { code: "sys.address" }));
}
