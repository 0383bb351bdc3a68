/**
 * Real processes under a real notify filter, for the tests of this folder: small C programs of
 * test/fixtures/provenance, compiled once, in place of the launcher.
 *
 * @module
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as sys from "../sys/index.ts";
import type {
  ConnectAttempt,
  ExecSeen,
  OddSeen,
  Watcher,
  WatchHandlers,
  WatchSources,
} from "./index.ts";

const fixtures = join(import.meta.dirname, "../../test/fixtures/provenance");
const WAIT_MS = 10_000; // For what should happen at once: reached only where it does not.

/** The compiled program of `name`, from a cache by content. */
function compile(name: string): string {
  const source = join(fixtures, `${name}.c`);
  const digest = createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 16);
  const folder = join(tmpdir(), `cofferdam-fixtures-${process.getuid?.() ?? 0}`);
  const program = join(folder, `${name}-${digest}`);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  execFileSync("gcc", ["-O2", "-pthread", "-o", `${program}.${process.pid}`, source]);
  renameSync(`${program}.${process.pid}`, program);
  return program;
}

export const actor = compile("actor");
const notified = compile("notified");

/** A target, held back at its first exec until it is watched. */
export interface Target {
  readonly sources: WatchSources;
  readonly listenFd: number;
  readonly child: ChildProcess;
  /** Resolves with its exit code and everything that it printed. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
  /** Resolves when it has printed `text`. */
  printed(text: string): Promise<void>;
}

/** Starts `command` under the filter; `redirected` gives it a network namespace as a run has it. */
export async function startTarget(
  command: readonly string[],
  options: { readonly redirected?: boolean } = {},
): Promise<Target> {
  const [ours, theirs] = sys.createSocketPair("packet");
  const network = ["unshare", "--user", "--map-root-user", "--net"];
  const prefix = options.redirected ? [...network, "sh", join(fixtures, "redirected.sh")] : [];
  const [program = "", ...args] = [...prefix, notified, "3", ...command];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit", theirs] });
  sys.closeDescriptor(theirs);
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, output }));
  const initPid = Number((await receive(ours)).bytes.toString());
  sys.sendMessage(ours, Buffer.from("go"), []);
  const [notifyFd = -1, sockDiagFd = -1, listenFd = -1] = (await receive(ours)).descriptors;
  sys.closeDescriptor(ours);
  const printed = (text: string) => until(() => output.includes(text));
  return { sources: { notifyFd, sockDiagFd, initPid }, listenFd, child, ended, printed };
}

async function receive(socket: number): Promise<sys.Message> {
  let message: sys.Message | undefined;
  await until(() => (message = sys.receiveMessage(socket)) !== undefined);
  if (message === undefined || message.bytes.length === 0) throw new Error("the target ended");
  return message;
}

/** Waits for `condition`, and fails where it does not come. */
export async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + WAIT_MS; !condition();) {
    if (Date.now() > deadline) throw new Error("waited in vain");
    await sleep(2);
  }
}

/** Everything the handlers were told. */
export interface Seen {
  readonly connects: ConnectAttempt[];
  readonly execs: ExecSeen[];
  readonly odds: OddSeen[];
}

/** Handlers that note everything, and let `decide` answer (default: everything goes on). */
export function notes(decide: WatchHandlers["onConnect"] = () => 0): Seen & WatchHandlers {
  const [connects, execs, odds] = [[], [], []] as [ConnectAttempt[], ExecSeen[], OddSeen[]];
  return {
    connects,
    execs,
    odds,
    onConnect(attempt) {
      connects.push(attempt);
      return decide(attempt);
    },
    onExec: (exec) => void execs.push(exec),
    onOdd: (odd) => void odds.push(odd),
  };
}

let runs = 0;

/**
 * Runs `command` to its end under `watcher`; what was seen of it, and what it printed. Where its input
 * must stay open for a while, it is closed when the command has printed `until`.
 */
export async function watchCommand(
  watcher: Watcher,
  command: readonly string[],
  decide?: WatchHandlers["onConnect"],
  until = "",
): Promise<Seen & { readonly code: number | null; readonly output: string; initPid: number }> {
  runs += 1;
  const run = `run-${runs}`;
  const target = await startTarget(command);
  const handlers = notes(decide);
  watcher.watch(run, target.sources, handlers);
  await target.printed(until);
  target.child.stdin?.end();
  const { code, output } = await target.ended;
  await watcher.unwatch(run);
  sys.closeDescriptor(target.listenFd);
  const { connects, execs, odds } = handlers;
  return { connects, execs, odds, code, output, initPid: target.sources.initPid };
}
