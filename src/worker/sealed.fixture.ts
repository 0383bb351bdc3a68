/**
 * In a worker's place: seals itself as a worker does, and then tries what a program that was taken over
 * by the bytes it parsed would try, with all that Node offers. Tells what came of each.
 */
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { tryCall } from "../sys/index.ts";
import { seal } from "./seal.ts";

const [canary = "", id = ""] = process.argv.slice(2);
const out = new Socket({ fd: 3, readable: true, writable: true });
out.write(`${JSON.stringify([{ sealed: await seal(canary, Number(id)) }])}\n`);

const code = (error: unknown) =>
  error instanceof Error && "code" in error ? String(error.code) : String(error);

async function attempt(act: () => unknown): Promise<string> {
  try {
    await act();
    return "it worked";
  } catch (error) {
    return code(error);
  }
}

const isArm = process.arch === "arm64";
const FASTOPEN = 0x2000_0000;
const raw = (x64: number, arm64: number, ...rest: readonly number[]) =>
  tryCall(isArm ? arm64 : x64, ...rest);

const tries: Readonly<Record<string, () => unknown>> = {
  "read a file": () => readFileSync("/etc/hostname"),
  "read its own code": () => readFileSync(import.meta.filename),
  "read the daemon's memory": () => readFileSync(`/proc/${process.ppid}/mem`),
  "write a file": () => writeFileSync(`/tmp/cofferdam-worker-${process.pid}`, "x"),
  "connect by TCP": () => once(connect(80, "127.0.0.1"), "connect"),
  "connect to a Unix socket": () => once(connect("/run/dbus/system_bus_socket"), "connect"),
  "connect to an abstract socket": () => once(connect("\0cofferdam"), "connect"),
  listen: () => once(createServer().listen(0), "listening"),
  "send a datagram": () => {
    const socket = createSocket("udp4");
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.send("x", 53, "127.0.0.1", (error) => (error === null ? resolve("") : reject(error)));
    });
  },
  "start a program": () => once(spawn("/bin/true"), "spawn"),
  "start a thread": () => once(new Worker("", { eval: true }), "online"),
  "signal the daemon": () => process.kill(process.ppid, 0),
  "signal itself": () => process.kill(process.pid, 0),
  "become root": () => process.setuid?.(0),
  "load a library": () => process.dlopen({ exports: {} }, "/lib/x86_64-linux-gnu/libz.so.1"),
};

const calls: Readonly<Record<string, () => string>> = {
  "open with MSG_FASTOPEN (sendto)": () => raw(44, 206, -1, 0, 0, FASTOPEN, 0),
  "open with MSG_FASTOPEN (sendmsg)": () => raw(46, 211, -1, 0, FASTOPEN),
  "open with MSG_FASTOPEN (sendmmsg)": () => raw(307, 269, -1, 0, 0, FASTOPEN),
  TCP_FASTOPEN_CONNECT: () => raw(54, 208, -1, 6, 30, 0, 0),
  TCP_REPAIR: () => raw(54, 208, -1, 6, 19, 0, 0),
  "become dumpable": () => raw(157, 167, 4, 1),
  "raise a limit": () => raw(302, 261, 0, 7, 0, 0),
  "memory that no limit counts": () => raw(9, 222, 0, 4096, 3, 0x21, -1),
  "a stack of any size": () => raw(9, 222, 0, 4096, 3, 0x122, -1),
  "the owner of a socket": () => raw(72, 25, 2, 8, process.pid),
  "a file in memory": () => raw(319, 279, 0, 0),
  "a user namespace": () => raw(272, 97, 0x1000_0000),
  "a descriptor of the daemon": () => raw(438, 438, -1, 0, 0),
  "the daemon's session": () => raw(124, 156, 0),
  "a second filter": () => raw(317, 277, 1, 0, 0),
  "a timer that signals": () => raw(222, 107, 0, 0, 0),
};

const came: Record<string, string> = {};
for (const [what, act] of Object.entries(tries)) came[what] = await attempt(act);
for (const [what, act] of Object.entries(calls)) came[what] = act();
came["look at a file's name"] = await attempt(() => statSync("/etc/hostname"));
out.write(`${JSON.stringify([came])}\n`);
