/**
 * One cycle: a run is made and ends, each in another of the ways that runs end.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault, isFault } from "../../src/base/index.ts";
import type { Daemon } from "../daemon.ts";

const SLEEP = ["sleep", "3600"];
const LOOK_MS = 2;
const STARTING_MS_MAX = 5000;
const ASKED_MS_MAX = 60_000;

/** Ways in which a cycle ends. */
export const WAYS = [
  "exits",
  "killed",
  "killed-starting",
  "killed-asking",
  "paused-killed",
  "executes",
  "exec-abandoned",
  "forked",
  "worker-killed",
] as const;
export type Way = (typeof WAYS)[number];

/** The way of cycle `n`; a worker is killed once in 1,000, since every run that it serves then gets one of its own. */
export function wayOf(n: number): Way {
  if (n % 1000 === 999) return "worker-killed";
  return WAYS[n % (WAYS.length - 1)] ?? "exits";
}

/** A server that takes requests and answers none. */
export interface Silent extends AsyncDisposable {
  readonly task: string;
  /** A URL that nobody asked for yet, and when it is asked for. */
  next(): { readonly url: string; readonly asked: Promise<void> };
}

export async function startSilent(): Promise<Silent> {
  const waiting = new Map<string, () => void>();
  let urls = 0;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket.on("close", () => open.delete(socket)).on("error", () => {}));
    socket.once("data", (bytes: Buffer) => {
      const [, path = ""] = /^GET (\S+)/.exec(bytes.toString("latin1")) ?? [];
      waiting.get(path)?.();
      waiting.delete(path);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    task: `task: soak
purpose: Ask a server that does not answer, and be killed meanwhile.
grants:
  - { system: http, name: silent, hosts: [silent.example], ports: [80], tls: false, dial: "127.0.0.1:${port}",
      allow: [{ methods: [GET], paths: ["/**"] }] }
`,
    next() {
      urls += 1;
      const path = `/${urls}`;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(path, resolve);
      return { url: `http://silent.example${path}`, asked: promise };
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, "close");
    },
  };
}

/** Makes a run and has it end by `way`; resolves when nothing of it is left to wait for. */
export async function cycle(daemon: Daemon, silent: Silent, way: Way): Promise<void> {
  const { client } = daemon;
  const kill = async (run: string) => {
    // It may have ended by itself a moment ago.
    await client.call("run.kill", { run }).catch(endedOnly);
  };
  switch (way) {
    case "exits":
      await daemon.run(["true"]);
      return;
    case "killed":
      await kill((await daemon.start(SLEEP, { detach: true })).run);
      return;
    case "paused-killed": {
      const { run } = await daemon.start(SLEEP, { detach: true });
      await client.call("run.pause", { run });
      await kill(run);
      return;
    }
    case "killed-starting":
      await killStarting(daemon, kill);
      return;
    case "executes": {
      const { run } = await daemon.start([], { detach: true });
      await execute(daemon, run, "(sleep 3600 &) >/dev/null 2>&1; echo done");
      await kill(run);
      return;
    }
    case "exec-abandoned": {
      const { run } = await daemon.start([], { detach: true });
      for await (const line of client.stream("run.exec", { run, argv: SLEEP })) {
        if (line.type === "started") break; // Its caller goes, which cancels it.
      }
      await kill(run);
      return;
    }
    case "forked": {
      const { run } = await daemon.start([], { detach: true });
      await execute(daemon, run, "echo one > state");
      const { snapshot } = await client.call("run.snapshot", { run });
      await kill(run);
      const fork = await client.call("run.start", {
        ...daemon.orderOf([], { detach: true }),
        environment: {},
        from: snapshot,
      });
      await execute(daemon, fork.run, "grep -q one state");
      await kill(fork.run);
      await client.call("snapshot.remove", { snapshot });
      return;
    }
    case "killed-asking":
    case "worker-killed": {
      const { url, asked } = silent.next();
      const words = ["curl", "-s", url];
      const { run } = await daemon.start(words, { detach: true, task: silent.task });
      await withinTime(asked);
      if (way === "worker-killed") killWorker(daemon.pid);
      await kill(run);
    }
  }
}

/** @throws {Fault} `bench.soak` where the command does not end well. */
async function execute({ client }: Daemon, run: string, script: string): Promise<void> {
  for await (const line of client.stream("run.exec", { run, argv: ["sh", "-c", script] })) {
    if (line.type === "ended" && line.code !== 0) {
      throw new Fault("bench.soak", `a command ended by ${JSON.stringify(line)}`);
    }
  }
}

/** Kills a run as soon as it can be seen, which is before its command runs. */
async function killStarting(daemon: Daemon, kill: (run: string) => Promise<void>): Promise<void> {
  const task = `task: soak-${Math.random().toString(36).slice(2)}\npurpose: Be killed at once.\ngrants: []\n`;
  const started = daemon.start(SLEEP, { detach: true, task }).catch((error: unknown) => {
    if (!isFault(error)) throw error; // Refused since it was killed, which is what it is here for.
  });
  const [, name = ""] = /^task: (.*)$/m.exec(task) ?? [];
  for (const deadline = Date.now() + STARTING_MS_MAX; Date.now() < deadline; await sleep(LOOK_MS)) {
    const found = (await daemon.client.call("run.list", { all: false })).find(
      (one) => one.task === name,
    );
    if (found === undefined) continue;
    await kill(found.run);
    break;
  }
  const late = await started;
  if (late !== undefined) await kill(late.run);
}

async function withinTime(asked: Promise<void>): Promise<void> {
  const late = AbortSignal.timeout(ASKED_MS_MAX);
  const { promise, reject } = Promise.withResolvers<never>();
  late.addEventListener("abort", () =>
    reject(new Fault("bench.soak", `no request came within ${ASKED_MS_MAX} ms`)),
  );
  await Promise.race([asked, promise]);
}

function endedOnly(error: unknown): void {
  if (!isFault(error, "daemon.state")) throw error;
}

/** Kills the worker that was started first, whichever runs it serves. */
function killWorker(daemon: number): void {
  const text = readFileSync(`/proc/${daemon}/task/${daemon}/children`, "utf8").trim();
  const isWorker = (pid: number) =>
    /src\/worker\/main/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
  const worker = text
    .split(" ")
    .map(Number)
    .find((pid) => readdirSync("/proc").includes(`${pid}`) && isWorker(pid));
  if (worker !== undefined) process.kill(worker, "SIGKILL");
}
