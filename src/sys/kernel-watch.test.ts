/** The calls that provenance stands on, against this process and this kernel. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { constants } from "node:os";
import { test } from "node:test";
import fc from "fast-check";
import * as sys from "./index.ts";

const { EBADF, ENOTSOCK } = constants.errno;

test("memory is read up to where it ends, across pages, and text up to its NUL", () => {
  const native = sys.allocate(3 * 4096);
  for (let n = 0; n < native.bytes.length; n += 1) native.bytes[n] = 97 + (n % 26);
  native.bytes[9000] = 0;
  const read = (at: number, length: number) =>
    sys.readMemory(process.pid, native.address + BigInt(at), length);
  fc.assert(
    fc.property(fc.nat(8000), fc.nat(4096), (at, length) => {
      assert.deepEqual(read(at, length), native.bytes.subarray(at, at + length));
    }),
    { numRuns: 50 },
  );
  const text = (at: number, max: number) =>
    sys.readMemoryText(process.pid, native.address + BigInt(at), max);
  assert.equal(text(8990, 100), native.bytes.subarray(8990, 9000).toString());
  assert.equal(text(0, 5), "abcde", "cut");
  assert.equal(text(4090, 5000), native.bytes.subarray(4090, 9000).toString(), "over a page's end");
  assert.equal(sys.readMemory(process.pid, 1n, 16).length, 0, "not mapped");
  assert.equal(sys.readMemoryText(process.pid, 1n, 16), undefined);
});

test("a process that is gone cannot be read: sys.call", () => {
  const gone = spawnSync("/bin/true").pid;
  assert.throws(() => sys.readMemory(gone, 4096n, 1), { code: "sys.call" });
  assert.throws(() => sys.socketOfThread(gone, gone, 0), { code: "sys.call" });
});

test("a socket of a process is described by the kernel, anything else by the errno it would get", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const descriptor = sys.descriptorOf(server);
  const facts = sys.socketOfThread(process.pid, process.pid, descriptor);
  const cookie = sys.socketCookie(descriptor);
  assert.deepEqual(facts, { domain: 2, type: 1, protocol: 6, cookie });
  const file = openSync("/dev/null", "r");
  assert.equal(sys.socketOfThread(process.pid, process.pid, file), ENOTSOCK);
  assert.equal(sys.socketOfThread(process.pid, process.pid, 100_000), EBADF);
  closeSync(file);
  server.close();
});

for (const host of ["127.0.0.1", "::1"]) {
  test(`a socket of ${host} is found by its address pair, and listed by its port`, async (t) => {
    const server = createServer().listen(0, host);
    t.after(() => server.close());
    await once(server, "listening");
    const client = connect((server.address() as AddressInfo).port, host);
    t.after(() => client.destroy());
    const [[accepted]] = (await Promise.all([
      once(server, "connection"),
      once(client, "connect"),
    ])) as [[Socket], unknown];
    t.after(() => accepted.destroy());
    const diag = sys.openSockDiag();
    t.after(() => sys.closeDescriptor(diag));
    const local = { address: host, port: client.localPort ?? 0 };
    const remote = { address: host, port: client.remotePort ?? 0 };
    const found = sys.findSocket(diag, { protocol: "tcp", local, remote });
    assert.equal(found?.cookie, sys.socketCookie(sys.descriptorOf(client)));
    assert.deepEqual([found.local, found.remote], [local, remote]);
    const family = host.includes(":") ? 6 : 4;
    const filter = { protocol: "tcp", family, localPort: local.port, remotePort: 0 } as const;
    // Another program may have the same port for another destination.
    const listed = sys.listSockets(diag, filter);
    assert.ok(listed.some((one) => one.cookie === found.cookie));
    assert.deepEqual([...new Set(listed.map((one) => one.local.port))], [local.port]);
    const nobody = { address: host, port: 1 };
    assert.equal(sys.findSocket(diag, { protocol: "tcp", local: nobody, remote }), undefined);
  });
}

test("addresses become the bytes that the kernel takes, and come back", () => {
  const property = fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
    const text = sys.formatIPv6(Buffer.from(bytes));
    if (text.includes(":")) assert.deepEqual([...sys.addressBytes(text)], [...bytes]);
  });
  fc.assert(property);
  assert.deepEqual([...sys.addressBytes("10.0.0.5")], [10, 0, 0, 5]);
  for (const bad of ["", "1.2.3", "256.1.1.1", "host"]) {
    assert.throws(() => sys.addressBytes(bad), { code: "sys.address" });
  }
});

test("an event wakes a wait once, and a quiet descriptor does not", () => {
  const event = sys.createEvent();
  const set = new sys.PollSet([event, -1]);
  set.wait(0);
  assert.equal(set.readiness(0), "quiet");
  sys.signalEvent(event);
  sys.signalEvent(event);
  set.wait(-1);
  assert.deepEqual([set.readiness(0), set.readiness(1)], ["readable", "quiet"]);
  sys.clearEvent(event);
  set.wait(0);
  assert.equal(set.readiness(0), "quiet");
  sys.clearEvent(event);
  sys.closeDescriptor(event);
});

test("forks, execs and exits are told in order, where the kernel tells them", (context) => {
  const events = sys.openProcEvents();
  if (events === undefined) return context.skip("no proc connector for this user and namespace");
  const { pid } = spawnSync("/bin/true");
  const told: string[] = [];
  sys.readProcEvents(events, (event) => {
    if (event.what !== "lost" && event.pid === pid) told.push(event.what);
    if (event.what === "fork" && event.pid === pid) assert.equal(event.parent, process.pid);
  });
  sys.closeDescriptor(events);
  assert.deepEqual(told, ["fork", "exec", "exit"]);
});

test("only an errno answers a held call, and only a listener takes one: sys.call", () => {
  const event = sys.createEvent();
  assert.throws(() => sys.answerNotification(event, 1n, -1), { code: "sys.call" });
  assert.throws(() => sys.answerNotification(event, 1n, 5000), { code: "sys.call" });
  assert.throws(() => sys.answerNotification(event, 1n, 1), { code: "sys.call" });
  assert.throws(() => sys.receiveNotification(event), { code: "sys.call" });
  assert.equal(sys.setSyncWakeUp(event), false);
  sys.closeDescriptor(event);
});

test("sys.architecture: numbers exist for the machines that Cofferdam runs on only", () => {
  assert.equal(sys.systemCallNumber("connect"), process.arch === "arm64" ? 203 : 42);
  const original = Object.getOwnPropertyDescriptor(process, "arch");
  Object.defineProperty(process, "arch", { value: "riscv64" });
  try {
    assert.throws(() => sys.systemCallNumber("connect"), { code: "sys.architecture" });
  } finally {
    if (original !== undefined) Object.defineProperty(process, "arch", original);
  }
});
