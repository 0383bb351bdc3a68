/**
 * Starting a worker: through the launcher, which confines it, to the Node that seals itself, up to the
 * proof of both. Nothing is handed over here.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire, getCompileCacheDir } from "node:module";
import { dirname, join } from "node:path";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { Fault, type Log } from "../base/index.ts";
import {
  architecture,
  encodeFrame,
  launcherPath,
  parseReport,
  stepFault,
} from "../sandbox/index.ts";
import { closeDescriptor, createSocketPair, sendMessageNow } from "../sys/index.ts";
import { encodeLoadingFilter } from "./filter.ts";
import { CLOSED, Lines } from "./lines.ts";
import { requireConfined, requireTries } from "./proofs.ts";
import { LINE_BYTES_MAX, sealedSchema } from "./protocol.ts";

/** The host id that a worker has where root starts it: nobody's, and not a run's. */
export const WORKER_UID = 2_081_423_067; // RUN_UID + 1

const LANDLOCK_ABI_MIN = 2;
const START_MS = 30_000; // A checkout strips types while it loads, on a machine that may be busy.
const HEAP_MIB = 1024;
const MIB = 1024 * 1024;
// RLIMIT_* (asm-generic/resource.h): number, soft, hard.
const LIMITS = [
  [1, 0, 0], // FSIZE: no file grows by a worker.
  [2, 3 * HEAP_MIB * MIB, 3 * HEAP_MIB * MIB], // DATA: the heap, buffers outside of it, stacks.
  [4, 1, 1], // CORE: its memory holds what runs said; 0 would still call a core handler (core(5)).
] as const;
const NODE_FLAGS = [
  `--max-old-space-size=${HEAP_MIB}`,
  "--disable-sigusr1", // No inspector by signal.
  "--disallow-code-generation-from-strings",
  "--no-warnings",
  "--openssl-config=/dev/null", // What the host sets there is not readable, and not needed.
];
const HANDED = Buffer.from("descriptor");
const DIAGNOSTICS_BYTES_MAX = 4096;
/** Of one worker: it may be one that was taken over, and the log lies on the disk. */
const LINE_CHARS_MAX = 2000;
const LOGGED_BYTES_MAX = 4 << 20;

export const LOADS = ["nothing", "grammars", "brokers"] as const;
export type Loads = (typeof LOADS)[number];

/** How a worker is started. */
export interface LaunchOptions {
  /** A file that the daemon can read and a worker must not. */
  readonly canary: string;
  readonly log: Log;
  /**
   * What it loads before it is sealed, as nothing can be loaded later: grammars, or brokers too. Most workers
   * need neither, and are 0.2 s and 50 MB less without.
   */
  readonly loads?: Loads;
  /** Another program than the worker's own: tests put one under the same seal. */
  readonly program?: string;
}

/** A sealed worker that was handed nothing yet. */
export interface Launched {
  readonly pid: number;
  readonly lines: Lines;
  /** Sends a copy of `descriptor`, ahead of the word that tells of it. @throws {Fault} `sys.call` */
  hand(descriptor: number): void;
  kill(): void;
  /** Resolves with why it is gone, when its process has ended. */
  readonly gone: Promise<string>;
}

/** What a live worker's words and end go to. */
export interface Listener {
  hear(line: unknown): void;
}

const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));
const own = fileURLToPath(new URL(`./main${extension}`, import.meta.url));

/**
 * Starts a worker.
 *
 * @throws {Fault} `worker.unproved` where it is not sealed as it must be, `sandbox.step` where the
 *   launcher could not confine it, `worker.start` where it ended or hung before that.
 */
export async function launchWorker(options: LaunchOptions, listener: Listener): Promise<Launched> {
  const [carrier, theirs] = createSocketPair("packet");
  let child: ChildProcess;
  try {
    child = spawn(launcherPath(), ["worker"], {
      env: {},
      cwd: "/",
      stdio: ["ignore", "ignore", "pipe", "pipe", theirs],
    });
  } finally {
    closeDescriptor(theirs);
  }
  const diagnostics = followDiagnostics(child, options.log);
  let isOpen = true;
  const gone = endOf(child).then((how) => {
    isOpen = false;
    closeDescriptor(carrier);
    return how;
  });
  const control = child.stdio[3] as Duplex;
  const ready = Promise.withResolvers<void>();
  let isReady = false;
  let why: string | undefined;
  const kill = () => void child.kill("SIGKILL");
  const fail = (error: unknown) => {
    ready.reject(error);
    kill();
  };
  const lines = new Lines(control, {
    lineBytesMax: LINE_BYTES_MAX,
    hear(line) {
      if (isReady) {
        listener.hear(line);
        return;
      }
      try {
        requireSealed(line, child.pid ?? -1);
        isReady = true;
        ready.resolve();
      } catch (error) {
        fail(error);
      }
    },
    ended(reason) {
      why = reason;
      kill();
    },
  });
  const tooLate = setTimeout(() => fail(startFault(`not sealed in ${START_MS} ms`)), START_MS);
  void gone.then((how) => ready.reject(startFault(`${why ?? ""} ${how}: ${diagnostics()}`)));
  control.write(encodeFrame(planWorker(options)));
  try {
    await ready.promise;
  } finally {
    clearTimeout(tooLate);
  }
  const ended = gone.then((how) => (why === undefined || why === CLOSED ? how : why));
  return {
    pid: child.pid ?? -1,
    lines,
    kill,
    gone: ended,
    hand(descriptor) {
      // Once closed, the carrier's number may be another file's.
      if (isOpen) sendMessageNow(carrier, HANDED, [descriptor]);
    },
  };
}

function requireSealed(line: unknown, pid: number): void {
  if (!Array.isArray(line)) {
    const report = parseReport(JSON.stringify(line));
    throw report.type === "failed" ? stepFault(report) : startFault(`it said ${report.type}`);
  }
  const [{ sealed }] = sealedSchema.parse(line);
  requireTries(sealed);
  requireConfined(pid, workerId());
}

function workerId(): number {
  const own = process.geteuid?.() ?? -1;
  return own === 0 ? WORKER_UID : own;
}

function planWorker({ canary, loads = "nothing", program }: LaunchOptions) {
  const compiled = compiledPlace();
  const code = [...codePlaces(), compiled, ...(program === undefined ? [] : [dirname(program)])];
  const readable = [process.execPath, ...code, ...LIBRARIES].filter(existsSync);
  return [
    ...LIMITS.flatMap((limit) => ["limit", ...limit]),
    "landlock",
    LANDLOCK_ABI_MIN,
    readable.length,
    ...readable,
    "seccomp",
    encodeLoadingFilter(architecture()),
    "run",
    process.execPath,
    ...NODE_FLAGS,
    own,
    canary,
    workerId(),
    loads,
    compiled,
    ...(program === undefined ? [] : [program]),
  ];
}

/** What a dynamically linked Node is made of. */
const LIBRARIES = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/dev/null"];

/** Our code, its dependencies, and the package files that say what kind of modules they are. */
function codePlaces(): readonly string[] {
  const sources = dirname(dirname(own));
  const places = createRequire(own).resolve.paths("koffi") ?? [];
  const modules = places.filter((place) => place.endsWith("/node_modules"));
  const packages = modules.map((place) => join(dirname(place), "package.json"));
  return [sources, ...modules, ...packages];
}

/**
 * Where this process keeps what Node made of its sources; empty where it does not. Node looks there for what was made under the same
 * flags of V8 (a subfolder for each), so a daemon that is started by the command line has the worker's.
 */
function compiledPlace(): string {
  const folder = getCompileCacheDir();
  return folder === undefined ? "" : dirname(folder);
}

/** The end of what the worker wrote as diagnostics; what it writes goes to the log, up to a limit. */
function followDiagnostics(child: ChildProcess, log: Log): () => string {
  let text = "";
  let left = LOGGED_BYTES_MAX;
  child.stderr?.on("data", (bytes: Buffer) => {
    text = (text + bytes.toString()).slice(-DIAGNOSTICS_BYTES_MAX);
    if (left <= 0) return;
    left -= bytes.length;
    const more = left > 0 ? "" : " (what else it says is not logged)";
    log.info("worker.says", {
      pid: child.pid,
      text: `${bytes.toString().slice(0, LINE_CHARS_MAX)}${more}`,
    });
  });
  return () => text.trim();
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `exit ${code}`));
  });
}

function startFault(why: string): Fault {
  return new Fault("worker.start", `a worker did not start: ${why.trim()}`, {
    hint: "`cofferdam doctor` tells what this host lacks",
  });
}
