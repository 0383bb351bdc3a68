/**
 * The watcher: who connects and who executes in every run, known before it happens.
 *
 * One thread holds the kernel's notifications of all runs (supervisor.ts); this side decides, answers
 * and remembers. INV-20: the process behind a flow is the one that the kernel held while it connected;
 * what could not be seen is {@link UNKNOWN_PROCESS}, never a guess. Where the thread dies, every notify
 * descriptor is closed, and the kernel refuses what the runs ask from then on (ENOSYS).
 *
 * @module
 */
import { constants } from "node:os";
import {
  MessageChannel,
  receiveMessageOnPort,
  Worker,
  type MessagePort,
} from "node:worker_threads";
import { UNKNOWN_PROCESS, type Process } from "../action/index.ts";
import { assert, describeError, Fault } from "../base/index.ts";
import { answerNotification, closeDescriptor, createEvent, signalEvent } from "../sys/index.ts";
import { clientSocket, holdersOf, type Flow } from "./attribution.ts";
import { Hashes } from "./hashes.ts";
import {
  destinationOf,
  PROCESSES_TOLD,
  type Attempt,
  type ExecReport,
  type OddKind,
  type Order,
  type Report,
  type WorkerSetup,
} from "./messages.ts";
import type { SeenNode, SeenProcess } from "./process-tree.ts";
import { COOKIES_MAX, SharedState } from "./shared-state.ts";

const { EACCES } = constants.errno;
/**
 * How long a held connect waits for the hash of its executable, in milliseconds. It is computed once
 * for each executable, from its exec on; node's 120 MB take a tenth of this.
 */
export const HASH_WAIT_MS = 1000;
const DESCRIBE_WAIT_MS = 1000;
/** The longest that {@link Watcher.attribute} waits for others, in milliseconds: for a description, then for a hash. */
export const ATTRIBUTE_WAIT_MS = DESCRIBE_WAIT_MS + HASH_WAIT_MS;

/** Someone in the run wants to reach something, and is held until this is answered. */
export interface ConnectAttempt {
  readonly pid: number;
  readonly tid: number;
  readonly protocol: "tcp" | "udp" | "icmp" | "other";
  /** As claimed; the redirect's original destination is what counts. IPv4 never mapped. */
  readonly address: string;
  readonly port: number;
  /** The kernel's number of the socket. */
  readonly cookie: bigint;
  readonly syscall: "connect" | "sendto";
  readonly process: Process;
}

/** A process executed something. */
export interface ExecSeen {
  readonly pid: number;
  /** What it said that it would execute; `process` holds what it did. */
  readonly path: string;
  readonly argv: readonly string[];
  /** Whether `process` was read after the exec; else it ended first, and the claims stand in. */
  readonly confirmed: boolean;
  readonly process: Process;
}

/** Something was refused, or lost, without being asked for a decision. */
export interface OddSeen {
  readonly what: OddKind | "handler";
  readonly detail: string;
  readonly process: Process;
}

export interface WatchHandlers {
  /**
   * Decides at once: 0 lets it go on, an errno refuses it; "from now on" lets it go on, and so all
   * later ones of the run to that protocol, address and port, which are not asked for any more. What
   * throws, refuses (EACCES).
   */
  onConnect(attempt: ConnectAttempt): number | "from now on";
  /** Told in the order of the execs, shortly after each. */
  onExec(exec: ExecSeen): void;
  onOdd(odd: OddSeen): void;
}

/** Descriptors from the run's launcher, which the watcher owns from here on. */
export interface WatchSources {
  /** The seccomp listener of the run. */
  readonly notifyFd: number;
  /** A NETLINK_SOCK_DIAG socket that was opened in the run's network namespace. */
  readonly sockDiagFd: number;
  /** Process 1 of the run, by its pid outside. */
  readonly initPid: number;
}

export interface Watcher {
  /** Starts to watch `run`. @throws {Fault} `provenance.state` where it cannot. */
  watch(run: string, sources: WatchSources, handlers: WatchHandlers): void;
  /** Who is at the other end of `flow`; waits shortly for the executable's hash. Never throws. */
  attribute(run: string, flow: Flow): Promise<Process>;
  /**
   * What process `pid` of `run` is, its line as remembered: whoever ended is still in it. Waits shortly for the executable's
   * hash; `undefined` where it is not known. Never throws.
   */
  describe(run: string, pid: number): Promise<Process | undefined>;
  /** From here on `run` has one call answered every `holdMs`, and others are not kept waiting by it. */
  hold(run: string, holdMs: number): void;
  /**
   * Ends the watch: calls that are held, and all later ones, are refused by the kernel (ENOSYS).
   * Resolves when everything that was seen has been told.
   */
  unwatch(run: string): Promise<void>;
  /** Ends every watch, and the thread. */
  close(): Promise<void>;
}

export interface WatcherOptions {
  /** The thread died: every run is closed by now, and should be ended. Called once. */
  readonly onFailure: (error: Fault) => void;
  /** The thread's program, where a test brings its own. */
  readonly program?: URL;
}

class Watched {
  readonly number: number;
  readonly run: string;
  readonly sources: WatchSources;
  readonly handlers: WatchHandlers;
  readonly shared = new SharedState();
  /** Who connected, by the socket's cookie. */
  readonly connected = new Map<bigint, SeenProcess>();
  readonly ended = Promise.withResolvers<void>();
  /** Whether the notify descriptor is still ours to answer on. */
  open = true;
  /** Ends when every exec seen so far was told. */
  execs: Promise<void> = Promise.resolve();
  /** When to stop waiting for hashes, on the monotonic clock, in milliseconds. */
  patienceUntil = Number.POSITIVE_INFINITY;

  constructor(number: number, run: string, sources: WatchSources, handlers: WatchHandlers) {
    this.number = number;
    this.run = run;
    this.sources = sources;
    this.handlers = handlers;
  }
}

/** Starts the watching thread. */
export function createWatcher(options: WatcherOptions): Watcher {
  return new ThreadWatcher(options);
}

const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));

class ThreadWatcher implements Watcher {
  readonly #worker: Worker;
  readonly #reports: MessagePort;
  readonly #wake = createEvent();
  readonly #ending = new Int32Array(new SharedArrayBuffer(4));
  readonly #hashes = new Hashes();
  readonly #byNumber = new Map<number, Watched>();
  readonly #byRun = new Map<string, Watched>();
  readonly #processes = new Map<number, SeenProcess>();
  readonly #described = new Map<number, (process: SeenProcess | undefined) => void>();
  readonly #exited: Promise<void>;
  readonly #atExit = () => this.#endThread();
  #numbers = 0;
  #failure: Fault | undefined;

  constructor(options: WatcherOptions) {
    const { port1, port2 } = new MessageChannel();
    this.#reports = port1;
    const workerData: WorkerSetup = { wake: this.#wake, ending: this.#ending, reports: port2 };
    const program = options.program ?? new URL(`./worker${extension}`, import.meta.url);
    // It hands descriptors over, and must not close their numbers when it ends.
    this.#worker = new Worker(program, {
      workerData,
      transferList: [port2],
      trackUnmanagedFds: false,
    });
    const exited = Promise.withResolvers<void>();
    this.#exited = exited.promise;
    let cause: unknown;
    this.#reports.on("message", (report: Report) => this.#take(report));
    this.#worker.on("error", (error: unknown) => (cause = error));
    this.#worker.on("exit", () => {
      this.#takeWaiting();
      this.#reports.close();
      exited.resolve();
      if (Atomics.load(this.#ending, 0) === 0) options.onFailure(this.#fail(cause));
    });
    // The thread blocks in poll(2), where terminate() does not reach it: at exit it must be woken.
    process.on("exit", this.#atExit);
  }

  watch(run: string, sources: WatchSources, handlers: WatchHandlers): void {
    if (this.#failure !== undefined || Atomics.load(this.#ending, 0) !== 0) {
      throw new Fault("provenance.state", "the watcher has ended", { cause: this.#failure });
    }
    if (this.#byRun.has(run)) throw new Fault("provenance.state", `${run} is watched already`);
    this.#numbers += 1;
    const watched = new Watched(this.#numbers, run, sources, handlers);
    this.#byNumber.set(watched.number, watched);
    this.#byRun.set(run, watched);
    const { notifyFd, initPid } = sources;
    const { number: watch, shared } = watched;
    this.#order({ kind: "watch", watch, notifyFd, initPid, shared: shared.memory });
  }

  hold(run: string, holdMs: number): void {
    const watched = this.#byRun.get(run);
    if (watched !== undefined) watched.shared.holdMs = holdMs;
  }

  async attribute(run: string, flow: Flow): Promise<Process> {
    const watched = this.#byRun.get(run);
    if (watched === undefined) return UNKNOWN_PROCESS;
    try {
      const socket = clientSocket(watched.sources.sockDiagFd, flow);
      if (socket === undefined) return UNKNOWN_PROCESS;
      const remembered = this.#whoConnected(watched, socket.cookie);
      if (remembered !== undefined) return await this.#hashed(remembered, "socket");
      const [holder, ...others] = await holdersOf(watched.sources.initPid, socket.inode);
      // A socket that several processes hold was inherited: any of them could be the one.
      if (holder === undefined || others.length > 0) return UNKNOWN_PROCESS;
      const found = await this.#describe(watched, holder);
      return found === undefined ? UNKNOWN_PROCESS : await this.#hashed(found, "proc");
    } catch (error) {
      this.#odd(watched, "internal", describeError(error), UNKNOWN_PROCESS);
      return UNKNOWN_PROCESS;
    }
  }

  async describe(run: string, pid: number): Promise<Process | undefined> {
    const watched = this.#byRun.get(run);
    if (watched === undefined) return undefined;
    try {
      const found = await this.#describe(watched, pid);
      return found && (await this.#hashed(found, "proc"));
    } catch (error) {
      this.#odd(watched, "internal", describeError(error), UNKNOWN_PROCESS);
      return undefined;
    }
  }

  async unwatch(run: string): Promise<void> {
    const watched = this.#byRun.get(run);
    if (watched === undefined) return;
    this.#byRun.delete(run);
    closeDescriptor(watched.sources.sockDiagFd);
    // From here on nothing is answered; the thread lets go of the descriptor before it is closed.
    const wasOpen = watched.open;
    watched.open = false;
    if (wasOpen) this.#order({ kind: "unwatch", watch: watched.number });
    await watched.ended.promise;
    watched.patienceUntil = performance.now() + HASH_WAIT_MS;
    await watched.execs;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#byRun.keys()].map((run) => this.unwatch(run)));
    if (this.#endThread()) {
      await this.#exited;
      closeDescriptor(this.#wake);
    }
    process.off("exit", this.#atExit);
    await this.#hashes.close();
  }

  /** Whether this was the first call. */
  #endThread(): boolean {
    if (Atomics.exchange(this.#ending, 0, 1) !== 0 || this.#failure !== undefined) return false;
    signalEvent(this.#wake);
    return true;
  }

  /** Closes everything: what the runs ask from here on is refused by the kernel. */
  #fail(cause: unknown): Fault {
    this.#failure = new Fault("provenance.worker", "the watching thread ended", {
      hint: "every run is cut off; see the cause",
      cause,
    });
    for (const watched of this.#byNumber.values()) this.#ended(watched);
    for (const done of this.#described.values()) done(undefined);
    return this.#failure;
  }

  #ended(watched: Watched): void {
    this.#byNumber.delete(watched.number);
    watched.open = false;
    closeDescriptor(watched.sources.notifyFd);
    watched.ended.resolve();
  }

  #order(order: Order): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window.
    this.#worker.postMessage(order);
    signalEvent(this.#wake);
  }

  /** Takes every report that waits: what was told before something happened is known from here on. */
  #takeWaiting(): void {
    for (;;) {
      const waiting = receiveMessageOnPort(this.#reports);
      if (waiting === undefined) return;
      this.#take(waiting.message as Report);
    }
  }

  #whoConnected(watched: Watched, cookie: bigint): SeenProcess | undefined {
    const serial = watched.shared.whoConnected(cookie);
    if (serial === undefined) return watched.connected.get(cookie);
    if (!this.#processes.has(serial)) this.#takeWaiting();
    return this.#processes.get(serial);
  }

  #take(report: Report): void {
    switch (report.kind) {
      case "process":
        this.#byNumber.get(report.watch)?.shared.dealtWith();
        this.#processes.set(report.serial, report.process);
        this.#processes.delete(report.serial - PROCESSES_TOLD);
        return;
      case "ask":
        void this.#ask(this.#byNumber.get(report.watch), report.id, report.attempt);
        return;
      case "exec":
        this.#exec(this.#byNumber.get(report.watch), report.exec);
        return;
      case "odd": {
        const watched = this.#byNumber.get(report.watch);
        if (watched === undefined) return;
        watched.shared.dealtWith();
        const { what, detail, process } = report.odd;
        this.#odd(
          watched,
          what,
          detail,
          process ? this.#name(process, "seccomp") : UNKNOWN_PROCESS,
        );
        return;
      }
      case "file":
        if (!this.#hashes.add(report.file, report.descriptor)) {
          this.#order({ kind: "forget", file: report.file });
        }
        return;
      case "described":
        this.#described.get(report.token)?.(report.process);
        return;
      case "ended": {
        const watched = this.#byNumber.get(report.watch);
        if (watched === undefined) return;
        if (report.failure) this.#odd(watched, "internal", report.failure, UNKNOWN_PROCESS);
        this.#ended(watched);
      }
    }
  }

  async #ask(watched: Watched | undefined, id: bigint, attempt: Attempt): Promise<void> {
    if (watched === undefined) return;
    const seen = this.#processes.get(attempt.process);
    assert(seen !== undefined, "a process is told before it is named");
    // Only for an executable that was never seen before.
    if (this.#hashes.isPending(seen.file)) await this.#hashes.settled(seen.file, HASH_WAIT_MS);
    watched.shared.dealtWith();
    if (!watched.open) return;
    const decision = this.#decide(watched, attempt, this.#name(seen, "seccomp"));
    if (!watched.open) return; // The handler ended the watch.
    const errno = decision === "from now on" ? 0 : decision;
    if (errno === 0) {
      watched.shared.forget(attempt.cookie);
      remember(watched.connected, attempt.cookie, seen);
    }
    if (decision === "from now on") {
      const destination = destinationOf(attempt);
      this.#order({ kind: "allow", watch: watched.number, destination });
    }
    try {
      answerNotification(watched.sources.notifyFd, id, errno);
    } catch (error) {
      this.#odd(watched, "internal", describeError(error), UNKNOWN_PROCESS);
    }
  }

  #decide(watched: Watched, attempt: Attempt, process: Process): number | "from now on" {
    try {
      const errno = watched.handlers.onConnect({ ...attempt, pid: process.pid, process });
      if (errno === "from now on") return errno;
      if (Number.isInteger(errno) && errno >= 0 && errno <= 4095) return errno;
      this.#odd(watched, "handler", `answered ${String(errno)}, which is no errno`, process);
    } catch (error) {
      this.#odd(watched, "handler", describeError(error), process);
    }
    return EACCES;
  }

  #exec(watched: Watched | undefined, exec: ExecReport): void {
    if (watched === undefined) return;
    watched.execs = watched.execs.then(async () => {
      const left = Math.max(0, watched.patienceUntil - performance.now());
      await this.#hashes.settled(exec.process.file, Math.min(HASH_WAIT_MS, left));
      watched.shared.dealtWith();
      const process = this.#name(exec.process, "seccomp");
      const { path, argv, confirmed } = exec;
      try {
        watched.handlers.onExec({ pid: process.pid, path, argv, confirmed, process });
      } catch (error) {
        this.#odd(watched, "handler", describeError(error), process);
      }
    });
  }

  #odd(watched: Watched, what: OddSeen["what"], detail: string, process: Process): void {
    watched.handlers.onOdd({ what, detail, process });
  }

  async #hashed(seen: SeenProcess, knownBy: Process["knownBy"]): Promise<Process> {
    await this.#hashes.settled(seen.file, HASH_WAIT_MS);
    return this.#name(seen, knownBy);
  }

  #name(seen: SeenProcess, knownBy: Process["knownBy"]): Process {
    const ancestors = seen.ancestors.map((one) => this.#node(one));
    return { ...this.#node(seen), knownBy, ancestors };
  }

  #node({ pid, exe, argv, file }: SeenNode): Process["ancestors"][number] {
    const exeSha256 = this.#hashes.get(file);
    return { pid, exe, ...(exeSha256 === undefined ? {} : { exeSha256 }), argv: [...argv] };
  }

  /** Has the thread describe a living process of the run. */
  async #describe(watched: Watched, pid: number): Promise<SeenProcess | undefined> {
    if (!watched.open) return undefined;
    this.#numbers += 1;
    const token = this.#numbers;
    const { promise, resolve } = Promise.withResolvers<SeenProcess | undefined>();
    this.#described.set(token, resolve);
    const timer = setTimeout(resolve, DESCRIBE_WAIT_MS, undefined);
    this.#order({ kind: "describe", watch: watched.number, pid, token });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#described.delete(token);
    }
  }
}

function remember(connected: Map<bigint, SeenProcess>, cookie: bigint, process: SeenProcess): void {
  connected.delete(cookie);
  connected.set(cookie, process);
  for (const oldest of connected.keys()) {
    if (connected.size <= COOKIES_MAX) break;
    connected.delete(oldest);
  }
}
