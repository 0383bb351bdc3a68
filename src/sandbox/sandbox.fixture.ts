/**
 * For tests: a sandbox in a folder of its own, and the smallest supervisor that answers its listener.
 *
 * @module
 */
import { rmSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import * as sys from "../sys/index.ts";
import { writeEtc } from "./etc.ts";
import type { AgentStreams, Exit } from "./launch.ts";
import { launchSandbox, type Sandbox } from "./sandbox.ts";
import type { SandboxSpec } from "./spec.ts";
import { callNumber } from "./syscalls.ts";

const ANSWER_EVERY_MS = 1;
const { ECONNREFUSED, EPERM } = constants.errno;
const AF_UNIX = 1;
const AF_INET = 2;

/** A folder with everything a spec names. */
export interface Place {
  readonly root: string;
  readonly workspace: string;
  readonly spec: SandboxSpec;
  remove(): Promise<void>;
}

let sharedEtc: Promise<string> | undefined;

/** One /etc for all tests of a process, as a daemon has one. */
async function etcOnce(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cofferdam-etc-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  await writeEtc(join(folder, "etc"), "no roots\n");
  return join(folder, "etc");
}

/** Makes a place; `change` adapts its spec. */
export async function makePlace(change: Partial<SandboxSpec> = {}): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), "cofferdam-test-"));
  const workspace = join(root, "workspace");
  for (const folder of [workspace, join(root, "public")]) await mkdir(folder);
  const spec: SandboxSpec = {
    workspace: { path: workspace, mode: "overlay" },
    layer: join(root, "layer"),
    home: join(root, "home"),
    publicDir: join(root, "public"),
    etc: await (sharedEtc ??= etcOnce()),
    ...change,
  };
  return { root, workspace, spec, remove: () => rm(root, { recursive: true, force: true }) };
}

/** A proved sandbox whose listener is answered until `end`. */
export interface Held {
  readonly sandbox: Sandbox;
  readonly calls: readonly number[];
  end(): Promise<void>;
}

/** Launches and proves a sandbox. */
export async function hold(spec: SandboxSpec): Promise<Held> {
  const sandbox = await launchSandbox(spec);
  const calls: number[] = [];
  const supervisor = setInterval(
    () => answerAll(sandbox.descriptors.notify, calls),
    ANSWER_EVERY_MS,
  );
  const end = async () => {
    await sandbox.kill();
    clearInterval(supervisor);
    sandbox.close();
  };
  try {
    await sandbox.prove();
  } catch (error) {
    await end();
    throw error;
  }
  return { sandbox, calls, end };
}

/** Everything is let through but connections to the outside. */
function answerAll(listener: number, calls: number[]): void {
  while (isReadable(listener)) {
    const held = sys.receiveNotification(listener);
    if (held === undefined) continue;
    calls.push(held.call);
    const connect = callNumber("connect", process.arch === "arm64" ? "arm64" : "x64");
    const refused = held.call === connect && !isLocal(held.tid, held.args[1]);
    const socket = held.call === sys.systemCallNumber("socket");
    sys.answerNotification(listener, held.id, socket ? EPERM : refused ? ECONNREFUSED : 0);
  }
}

function isReadable(descriptor: number): boolean {
  const entry = Buffer.alloc(8); // struct pollfd: fd 4, events 2, revents 2
  entry.writeInt32LE(descriptor, 0);
  entry.writeInt16LE(1, 4);
  return sys.native.poll(entry, 1n, 0) > 0 && (entry.readInt16LE(6) & 1) !== 0;
}

/** A Unix socket, or an address of the run's own loopback. */
function isLocal(tid: number, address: bigint): boolean {
  const bytes = sys.readMemory(tid, address, 8);
  const family = bytes.readUInt16LE(0);
  return family === AF_UNIX || (family === AF_INET && bytes[4] === 127);
}

/** What came of a command. */
export interface Outcome extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command to its end, without a terminal. */
export async function runCommand(
  held: Held,
  argv: readonly string[],
  options: { cwd?: string; environment?: Record<string, string>; input?: string } = {},
): Promise<Outcome> {
  const streams = await held.sandbox.start({
    argv,
    environment: { PATH: "/usr/bin:/bin", HOME: "/home/agent", ...options.environment },
    cwd: options.cwd ?? "/",
  });
  if (streams.kind !== "pipes") throw new Error("no terminal was asked for");
  streams.stdin.end(options.input ?? "");
  const [stdout, stderr] = await Promise.all([text(streams.stdout), text(streams.stderr)]);
  return { ...(await held.sandbox.exited), stdout, stderr };
}

/** Reads a terminal until `wanted` was seen; what came before it is returned. */
export function expectText(streams: AgentStreams): (wanted: string | RegExp) => Promise<string> {
  if (streams.kind !== "terminal") throw new Error("a terminal was asked for");
  let seen = "";
  let wake: () => void = () => {};
  streams.terminal.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
    wake();
  });
  streams.terminal.on("end", () => wake());
  return async (wanted) => {
    for (;;) {
      const at = typeof wanted === "string" ? seen.indexOf(wanted) : seen.search(wanted);
      if (at >= 0) {
        const length =
          typeof wanted === "string" ? wanted.length : (wanted.exec(seen)?.[0].length ?? 0);
        const before = seen.slice(0, at + length);
        seen = seen.slice(at + length);
        return before;
      }
      if (streams.terminal.readableEnded)
        throw new Error(`ended without ${String(wanted)}: ${seen}`);
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
}
