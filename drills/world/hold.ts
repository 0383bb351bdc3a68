/**
 * The test world from outside: a process tree in namespaces of its own that ends with us.
 *
 * Nothing has a name that could be left behind: the namespaces live as long as their processes, and
 * those form one pid namespace. The world ends when its standard input does, so it also ends when
 * this process is killed. What is left then, one folder, is removed by a small shell (the caretaker)
 * that outlives us for that moment only.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Fault } from "../../src/base/index.ts";
import { createLineReader, messageSchema, type Message } from "./lines.ts";
import type { Tools } from "./tools.ts";

/** How long the world may take to end in order, in milliseconds, before it is killed. */
const STOP_MS = 5000;
/** How much of the world's standard error is kept for a fault, in characters. */
const STDERR_CHARS_MAX = 4000;

/** A running world. */
export interface World {
  /** Resolves when the world is gone and its folder with it. */
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
  /** Ends it: in order if it can, by force otherwise. */
  stop(): Promise<void>;
}

export interface WorldOptions {
  readonly tools: Tools;
  /** The program that runs inside, with its arguments; the world's folder is added as the last one. */
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  onMessage(message: Message): void;
}

/** Starts a program in user (where we are not root), network, pid and mount namespaces of its own. */
export function holdWorld(options: WorldOptions): World {
  const { tools } = options;
  const isRoot = process.getuid?.() === 0;
  const folder = mkdtempSync(join(worldRoot(isRoot), "cofferdam-drill-"));
  chmodSync(folder, 0o755); // The outside host runs as another user where we are root.
  // A foreground child of `sh` keeps a process with pid 1 that reaps what daemons leave behind.
  const user = isRoot ? [] : ["--map-current-user", "--keep-caps"];
  const spaces = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--"];
  const first = ["/bin/sh", "-c", '"$@"; exit $?', "world"];
  const program = [process.execPath, options.program, ...options.arguments, folder];
  const line = [...user, ...spaces, ...first, ...program];
  const child = spawn(tools("unshare"), line, {
    stdio: ["pipe", "pipe", "pipe"],
    env: options.environment,
    detached: true, // Ctrl-C reaches us alone, and we end the world in order.
  });
  const caretaker = startCaretaker(child.pid ?? 0, folder);
  let stderr = "";
  child.stdin.on("error", () => {}); // It may be gone before we say so.
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARS_MAX);
  });
  const read = createLineReader((text) => options.onMessage(messageSchema.parse(JSON.parse(text))));
  child.stdout.setEncoding("utf8").on("data", read);
  const ended = (async () => {
    await once(child, "close");
    // One way to clean up, for us and for whoever killed us; overlays leave folders that want it.
    caretaker.ref();
    caretaker.stdin?.end();
    if (caretaker.exitCode === null) await once(caretaker, "exit");
    return { code: child.exitCode, stderr };
  })();
  return {
    ended,
    async stop() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/**
 * A folder for temporary files that another user can get to: a root that keeps its own in a closed
 * place must not hand it to the outside host, which is not root.
 */
function worldRoot(isRoot: boolean): string {
  const isOpen = (path: string): boolean =>
    (statSync(path).mode & 0o001) !== 0 && (path === "/" || isOpen(dirname(path)));
  return isRoot && !isOpen(tmpdir()) ? "/tmp" : tmpdir();
}

/**
 * Starts the shell that cleans up after us, even after SIGKILL: it reads until our end of its input
 * closes, gives the world's process `pid` time to end, kills it if it has not, and removes `folder`.
 */
function startCaretaker(pid: number, folder: string): ChildProcess {
  const script = `
    cat >/dev/null
    waited=0
    while [ "$1" -gt 1 ] && kill -0 "$1" 2>/dev/null && [ $waited -lt 100 ]; do
      [ $waited -ne 60 ] || kill -9 "$1" 2>/dev/null
      waited=$((waited + 1))
      sleep 0.1
    done
    [ -d "$2" ] || exit 0
    chmod -R u+rwx -- "$2" 2>/dev/null
    rm -rf -- "$2"`;
  const child = spawn("/bin/sh", ["-c", script, "caretaker", String(pid), folder], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    cwd: "/",
  });
  child.stdin?.on("error", () => {});
  child.unref();
  return child;
}

/** The fault that a world which ended without a word stands for. */
export function worldFault(code: number | null, stderr: string): Fault {
  const said = stderr.trim();
  if (said.includes("unshare")) {
    return new Fault("drill.namespace", `cannot make the test world's namespaces: ${said}`, {
      hint: "`cofferdam doctor` names what this machine's kernel or its settings forbid, and the fix",
    });
  }
  return new Fault("drill.lost", `the test world ended (exit ${code}) without a result: ${said}`);
}
