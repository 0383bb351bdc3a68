import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { systemClock } from "../base/index.ts";
import type { EventDraft } from "../gateway/index.ts";
import { checked, native, systemCallNumber } from "../sys/index.ts";
import { openPublished, type PublishedPorts, type PublishPorts } from "./publish.ts";

/** Sockets as process 1 of a run hands them out, but of this network: IPv4, then IPv6. */
const sockets = () =>
  Promise.resolve(
    [2n, 10n].map((family) => {
      const number = BigInt(systemCallNumber("socket"));
      return checked("socket", native.syscall(number, family, 0x80001n, 0n, 0n, 0n, 0n));
    }),
  );

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

interface Opened {
  readonly ports: PublishedPorts;
  readonly events: EventDraft[];
  readonly host: number;
}

async function open(
  t: TestContext,
  run: number,
  more: Partial<PublishPorts> = {},
): Promise<Opened> {
  const events: EventDraft[] = [];
  const host = await freePort();
  const ports = await openPublished([{ host, run }], {
    clock: systemClock,
    uid: process.getuid?.() ?? 0,
    record: (event) => Promise.resolve(events.push(event)),
    note: (event) => void events.push(event),
    holderOf: () => undefined,
    ...more,
  });
  t.after(() => ports.close());
  return { ports, events, host };
}

/** What listens "inside"; it answers each last word with \`echo\`, and says what it heard. */
async function inside(
  t: TestContext,
  host = "127.0.0.1",
): Promise<{ port: number; live: Set<Socket> }> {
  const live = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    live.add(socket);
    socket.on("error", () => {});
    let heard = 0;
    socket.on("data", (chunk: Buffer) => (heard += chunk.length));
    socket.on("end", () => socket.end(`heard ${heard}`));
  }).listen(0, host);
  await once(server, "listening");
  t.after(() => {
    for (const socket of live) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, live };
}

function ask(port: number, text: string | undefined, host = "127.0.0.1"): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, allowHalfOpen: true });
    let said = "";
    socket.on("data", (chunk: Buffer) => (said += chunk.toString()));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    socket.on("close", () => resolve(said));
    socket.on("end", () => {
      socket.destroy();
      resolve(said);
    });
    if (text !== undefined) socket.end(text);
  });
}

test("INV-31: a connection leads in, half-closes, and is recorded with its bytes both ways", async (t) => {
  const { port } = await inside(t);
  const { ports, events, host } = await open(t, port);
  assert.equal(await ask(host, "early"), "ECONNRESET", "before the agent runs");
  ports.begin(sockets);
  assert.equal(await ask(host, "x".repeat(200_000)), "heard 200000");
  assert.equal(await ask(host, "x", "::1"), "heard 1", "also at ::1");
  await ports.close();
  assert.deepEqual(events.map((event) => event.type).sort(), [
    "flow.close",
    "flow.close",
    "flow.open",
    "flow.open",
  ]);
  const first = events.find((event) => event.type === "flow.close");
  assert.deepEqual([first?.data?.["bytesIn"], first?.data?.["bytesOut"]], [200_000, 12]);
  assert.equal(await ask(host, "late"), "ECONNREFUSED");
});

test("INV-31: what listens at ::1 only is found too, and where nobody listens it is reset", async (t) => {
  const { port } = await inside(t, "::1");
  const six = await open(t, port);
  six.ports.begin(sockets);
  assert.equal(await ask(six.host, "x"), "heard 1");
  const none = await open(t, await freePort());
  none.ports.begin(sockets);
  assert.equal(await ask(none.host, "x"), "ECONNRESET");
  const gone = await open(t, port);
  gone.ports.begin(() => Promise.resolve([]));
  assert.equal(await ask(gone.host, "x"), "ECONNRESET", "the run gives no socket");
});

test("INV-31: another user's connection is refused before a byte goes in, and told", async (t) => {
  const { port, live } = await inside(t);
  const own = process.getuid?.() ?? 0;
  // Without root nobody else can be asked to connect: then the port is another user's.
  const { ports, events, host } = await open(t, port, { uid: own === 0 ? 0 : own + 1 });
  ports.begin(sockets);
  if (own === 0) {
    assert.equal(await ask(host, "x"), "heard 1", "its twin: the daemon's own user");
    assert.match(await askAs(65_534, host), /Reset|Broken/);
  } else assert.equal(await ask(host, "x"), "ECONNRESET");
  const denied = events.filter((event) => event.rule === "publish.user");
  assert.deepEqual([live.size, denied.length], [own === 0 ? 1 : 0, 1]);
  assert.match(JSON.stringify(denied), /user (?:65534|[1-9]\d*) connected/);
});

test("INV-31: who connects, speaks and is gone before it is looked at is nobody, not root", async (t) => {
  const { port, live } = await inside(t);
  const { ports, events, host } = await open(t, port);
  ports.begin(sockets);
  // This process stands still meanwhile, so the connection waits in the kernel until its owner has gone.
  const program = `import socket, os; s=socket.create_connection(("127.0.0.1",${host})); s.sendall(b"x"); os._exit(0)`;
  const as = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--clear-groups"] : ["env"];
  const [command, ...rest] = [...as, "/usr/bin/python3", "-c", program];
  execFileSync(command, rest, { cwd: "/" });
  while (events.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.deepEqual([events.map((event) => event.rule), live.size], [["publish.user"], 0]);
  assert.match(JSON.stringify(events), /nobody holds the connection/);
});

/** What another user hears who connects and says something. */
function askAs(uid: number, port: number): Promise<string> {
  const program = `import socket; s=socket.create_connection(("127.0.0.1",${port})); s.sendall(b"x"); s.shutdown(1); print(s.recv(9))`;
  const args = [`--reuid=${uid}`, "--clear-groups", "/usr/bin/python3", "-c", program];
  return new Promise((resolve) => {
    execFile("setpriv", args, { cwd: "/" }, (_error, out, err) => resolve(out + err));
  });
}

test("INV-9: a connection that cannot be recorded leads nowhere", async (t) => {
  const { port, live } = await inside(t);
  const { ports, host } = await open(t, port, {
    record: () => Promise.reject(new Error("no space")),
  });
  ports.begin(sockets);
  assert.equal(await ask(host, "x"), "ECONNRESET");
  assert.equal(live.size, 0);
});

test("INV-32: a port that is not kept is closed with its connections; the end of all waits for records", async (t) => {
  const { port } = await inside(t);
  const { ports, events, host } = await open(t, port);
  ports.begin(sockets);
  const idle = ask(host, undefined);
  while (!events.some((event) => event.type === "flow.open")) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  ports.keep([{ host, run: port }]);
  assert.equal(await ask(host, "x"), "heard 1", "kept");
  ports.keep([]);
  assert.equal(await idle, "ECONNRESET");
  assert.equal(await ask(host, "x"), "ECONNREFUSED");
  await ports.close();
  assert.equal(events.filter((event) => event.type === "flow.close").length, 2);
});

test("fault daemon.publish: a port that is taken is named, with who has it, and none stays open", async (t) => {
  const { host } = await open(t, 1);
  const free = await freePort();
  const both = [
    { host: free, run: 1 },
    { host, run: 1 },
  ];
  const opening = openPublished(both, {
    clock: systemClock,
    uid: 0,
    record: () => Promise.resolve(0),
    note: () => {},
    holderOf: (port) => (port === host ? "the run r-other" : undefined),
  });
  await assert.rejects(opening, {
    code: "daemon.publish",
    message: `port ${host} of 127.0.0.1 cannot be published: the run r-other has it`,
  });
  assert.equal(await ask(free, "x"), "ECONNREFUSED");
});
