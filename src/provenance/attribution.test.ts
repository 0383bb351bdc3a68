import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { UNKNOWN_PROCESS } from "../action/index.ts";
import * as sys from "../sys/index.ts";
import { createWatcher, type Flow, type Watcher, type WatchHandlers } from "./index.ts";
import { actor, notes, startTarget } from "./target.fixture.ts";

let watcher: Watcher;
before(() => {
  watcher = createWatcher({ onFailure: (error) => assert.ifError(error) });
});
after(() => watcher.close());

const plain = (address = "") => address.replace(/^::ffff:/, "");

/** A connection as the gateway sees it; `exact` with the original destination. */
function flowOf(socket: Socket, exact: boolean): Flow {
  const remoteAddress = plain(socket.remoteAddress);
  return {
    family: remoteAddress.includes(":") ? 6 : 4,
    localAddress: plain(socket.localAddress),
    localPort: socket.localPort ?? 0,
    remoteAddress,
    remotePort: socket.remotePort ?? 0,
    ...(exact ? { destination: sys.originalDestination(socket) } : {}),
  };
}

/** Runs `command` in a network namespace as a run has it, and takes `count` of its connections. */
async function accept(
  run: string,
  command: string,
  count: number,
  decide?: WatchHandlers["onConnect"],
) {
  const target = await startTarget(["/bin/sh", "-c", command], { redirected: true });
  const server = createServer().listen({ fd: target.listenFd });
  const sockets: Socket[] = [];
  const { promise: all, resolve } = Promise.withResolvers<void>();
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    if (sockets.push(socket) === count) resolve();
  });
  const handlers = notes(decide);
  watcher.watch(run, target.sources, handlers);
  await all;
  const end = async () => {
    target.child.stdin?.end();
    for (const socket of sockets) socket.destroy();
    await target.ended;
    await watcher.unwatch(run);
    server.close();
  };
  return { sockets, handlers, target, end };
}

test("INV-20: each of several processes that reach for one place gets its own flow", async () => {
  const hold = `${actor} hold 93.184.216.34 443 <&3 & `;
  const command = `exec 3<&0; ${hold.repeat(8)} wait`;
  const { sockets, handlers, end } = await accept("many", command, 8);
  for (const exact of [true, false]) {
    const found = await Promise.all(
      sockets.map((socket) => watcher.attribute("many", flowOf(socket, exact))),
    );
    assert.deepEqual(new Set(found.map((process) => process.knownBy)), new Set(["socket"]));
    const pids = new Set(found.map((process) => process.pid));
    assert.deepEqual(pids, new Set(handlers.connects.map((connect) => connect.pid)));
    assert.equal(pids.size, 8);
    assert.ok(found.every((process) => process.exe === actor && process.exeSha256 !== undefined));
  }
  // Not only eight pids, but the right one each: by its descriptor's inode, found independently.
  for (const socket of sockets) {
    const flow = flowOf(socket, true);
    const process = await watcher.attribute("many", flow);
    assert.ok(holdsSource(process.pid, flow.remotePort));
  }
  await end();
});

test("INV-29: connects that the thread lets go on by itself are known to their process as well", async () => {
  const hold = `${actor} hold 93.184.216.34 443 <&3 & `;
  const command = `exec 3<&0; ${actor} connect 93.184.216.34 443; ${hold.repeat(8)} wait`;
  const { sockets, handlers, end } = await accept("allowed", command, 9, () => "from now on");
  const held = sockets.slice(1);
  const flows = held.map((socket) => flowOf(socket, true));
  const found = await Promise.all(flows.map((flow) => watcher.attribute("allowed", flow)));
  assert.equal(handlers.connects.length, 1, "only the first was asked for");
  assert.equal(new Set(found.map((process) => process.pid)).size, 8);
  for (const [n, process] of found.entries()) {
    assert.equal(process.knownBy, "socket");
    assert.equal(process.argv[1], "hold");
    assert.ok(holdsSource(process.pid, flows[n]?.remotePort ?? 0));
  }
  await end();
});

/** Whether `pid` itself, by its own /proc, has a TCP socket with this local port. */
function holdsSource(pid: number, port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const line = readFileSync(`/proc/${pid}/net/tcp`, "utf8")
    .split("\n")
    .map((text) => text.trim().split(/\s+/))
    .find((fields) => fields[1]?.endsWith(`:${hex}`));
  return readdirSync(`/proc/${pid}/fd`).some(
    (name) => readlinkSync(`/proc/${pid}/fd/${name}`) === `socket:[${line?.[9]}]`,
  );
}

test("IPv6, and IPv4 through an IPv6 socket, are found as well", async () => {
  const script = (host: string) =>
    `python3 -c "import socket,sys; s=socket.socket(socket.AF_INET6); s.connect(('${host}',443)); sys.stdin.read()" <&3 &`;
  const command = `exec 3<&0; ${script("2606:2800::1")} ${script("::ffff:93.184.216.34")} wait`;
  const { sockets, end } = await accept("six", command, 2);
  for (const socket of sockets) {
    for (const exact of [true, false]) {
      const process = await watcher.attribute("six", flowOf(socket, exact));
      assert.equal(process.knownBy, "socket");
      assert.match(process.exe, /python3/);
    }
  }
  await end();
});

test("a flow whose process has ended is still known by its socket", async () => {
  const { sockets, end } = await accept("gone", `${actor} connect 93.184.216.34 443; read line`, 1);
  const [socket] = sockets;
  assert.ok(socket !== undefined);
  const flow = flowOf(socket, true);
  socket.resume();
  await once(socket, "end");
  const process = await watcher.attribute("gone", flow);
  assert.deepEqual([process.knownBy, process.exe], ["socket", actor]);
  await end();
});

const FOREIGN = [
  // namespaces entered, knownBy, why
  [["-p", "-U", "-n"], "proc", "one of the run's processes holds it, though nobody saw it connect"],
  [["-U", "-n"], "unknown", "its process is none of the run's: never guessed"],
] as const;
// Only root may enter the target's network from within its user namespace.
const skip = process.getuid?.() !== 0;
for (const [namespaces, knownBy, why] of FOREIGN) {
  test(
    `INV-20: a connection that the filter never saw is ${knownBy}: ${why}`,
    { skip },
    async () => {
      const target = await startTarget(["/bin/sh", "-c", "read line"], { redirected: true });
      const run = `foreign-${knownBy}`;
      watcher.watch(run, target.sources, notes());
      const server = createServer().listen({ fd: target.listenFd });
      const enter = ["-t", `${target.sources.initPid}`, ...namespaces, "--preserve-credentials"];
      const command = [...enter, actor, "hold", "93.184.216.34", "80"];
      const foreign = spawn("nsenter", command, { stdio: ["pipe", "ignore", "inherit"] });
      const [socket] = (await once(server, "connection")) as [Socket];
      const process = await watcher.attribute(run, flowOf(socket, true));
      assert.equal(process.knownBy, knownBy);
      assert.equal(process.exe, knownBy === "proc" ? actor : "");
      socket.destroy();
      server.close();
      foreign.stdin.end();
      await once(foreign, "exit");
      target.child.stdin?.end();
      await target.ended;
      await watcher.unwatch(run);
    },
  );
}

test("two sockets of one source port are told apart, though the redirect renames the second", async () => {
  const python = `import socket, sys
for host in ("93.184.216.34", "93.184.216.35"):
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("10.255.0.2", 5555)); s.connect((host, 443)); sys.modules[host] = s
sys.stdin.read()`;
  const { sockets, end } = await accept("shared", `python3 -c '${python}'`, 2);
  const ports = sockets.map((socket) => socket.remotePort);
  assert.ok(ports.includes(5555) && new Set(ports).size === 2, "the kernel renamed one");
  for (const socket of sockets) {
    const process = await watcher.attribute("shared", flowOf(socket, true));
    assert.deepEqual([process.knownBy, /python3/.test(process.exe)], ["socket", true]);
  }
  await end();
});

test("what nobody knows is unknown: other runs, other flows, no watch", async () => {
  const { sockets, end } = await accept("known", `${actor} hold 93.184.216.34 443`, 1);
  const [socket] = sockets;
  assert.ok(socket !== undefined);
  const flow = flowOf(socket, true);
  assert.deepEqual(await watcher.attribute("other", flow), UNKNOWN_PROCESS);
  const elsewhere = { ...flow, remotePort: flow.remotePort === 1 ? 2 : 1 };
  assert.deepEqual(await watcher.attribute("known", elsewhere), UNKNOWN_PROCESS);
  assert.notDeepEqual(await watcher.attribute("known", flow), UNKNOWN_PROCESS, "and the twin");
  await end();
});
