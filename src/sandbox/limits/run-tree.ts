/**
 * The processes of a run where no control group lists them: everything beneath its first process.
 *
 * The kernel gives orphans to process 1 of their pid namespace, so nothing of a run can leave its tree.
 * The first process is held by a handle and the others by their namespace, so that no number that came
 * round is ever taken for one of them.
 *
 * @module
 */
import { readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../../base/index.ts";
import { closeDescriptor, openProcess, PollSet, signalProcess } from "../../sys/index.ts";
import { memoryOf, statesOf, statOf, threadsOf } from "./proc.ts";

/** Most processes looked at; a run's own limit is far below. */
const PROCESSES_MAX = 65_536;
/** Most sweeps to stop all; between two, only what was forked meanwhile is left. */
const SWEEPS_MAX = 100;
const SWEEP_MS = 2;
const KILL_WAIT_MS = 2000;
const CLOCK_MS = 10; // A tick of /proc/PID/stat: USER_HZ is 100 on x64 and arm64.

export class RunTree {
  readonly #first: number;
  readonly #handle: number;
  readonly #namespace: string;
  #open = true;

  /** @throws {Fault} `sys.call` where `initPid` has ended. */
  constructor(initPid: number) {
    this.#first = initPid;
    this.#handle = openProcess(initPid);
    this.#namespace = namespaceOf(initPid) ?? "";
  }

  /** Whether the first process, and so the run, lives. */
  get alive(): boolean {
    if (!this.#open) return false;
    const set = new PollSet([this.#handle]);
    set.wait(0);
    return set.readiness(0) === "quiet"; // A handle becomes readable at its process's end.
  }

  /** Everything beneath the first process, without itself; nothing where it has ended. */
  pids(): readonly number[] {
    if (!this.alive) return [];
    const found: number[] = [];
    const queue = [this.#first];
    for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
      if (found.length >= PROCESSES_MAX) break;
      const children = childrenOf(pid);
      found.push(...children);
      queue.push(...children);
    }
    return found;
  }

  /**
   * Stops all, sweep by sweep until none moves. Returns whom it stopped, for {@link continue}: what
   * was stopped already, by the agent's own job control, stays so.
   *
   * @throws {Fault} `sandbox.pause` where something goes on forking away.
   */
  async stop(): Promise<ReadonlySet<number>> {
    const stopped = new Set<number>();
    for (let sweeps = 0; sweeps < SWEEPS_MAX; sweeps += 1) {
      // Who sleeps uninterruptibly, in a held call for instance, stops when it comes back.
      const isCalm = (pid: number) => {
        const calm = stopped.has(pid) ? "TtZXD" : "TtZX";
        return statesOf(pid).every((state) => calm.includes(state));
      };
      const moving = this.pids().filter((pid) => !isCalm(pid));
      if (moving.length === 0) return stopped;
      for (const pid of moving) {
        stopped.add(pid);
        this.#signal(pid, "SIGSTOP");
      }
      await sleep(SWEEP_MS);
    }
    this.continue(stopped);
    throw new Fault("sandbox.pause", "the run's processes do not stop", {
      hint: "`cofferdam kill` ends them",
    });
  }

  /** Lets those that were stopped go on. */
  continue(stopped: Iterable<number>): void {
    for (const pid of stopped) this.#signal(pid, "SIGCONT");
  }

  /** Ends the first process, and with it, by its namespace, all. @throws {Fault} `sandbox.kill` */
  async kill(): Promise<void> {
    if (!this.#open) return;
    signalProcess(this.#handle, "SIGKILL");
    // The first of a namespace is waited for only when all others are gone (pid_namespaces(7)).
    for (const deadline = Date.now() + KILL_WAIT_MS; this.alive; await sleep(SWEEP_MS)) {
      if (Date.now() > deadline) {
        throw new Fault("sandbox.kill", "processes of the run do not end", {
          hint: "they wait in the kernel, for a disk or a network file system",
        });
      }
    }
  }

  /** Milliseconds of processor time, with that of whoever ended and was waited for. */
  cpuMs(): number {
    const ticksOf = (pid: number) =>
      // Fields 14 to 17: its own time, and that of the children it waited for.
      (statOf(`/proc/${pid}`)?.slice(11, 15) ?? []).reduce((sum, field) => sum + Number(field), 0);
    return this.#sum(ticksOf) * CLOCK_MS;
  }

  threads(): number {
    return this.#sum((pid) => threadsOf(pid).length);
  }

  memoryBytes(): number {
    return this.#sum(memoryOf);
  }

  /** Lets go of the first process. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeDescriptor(this.#handle);
  }

  #sum(measure: (pid: number) => number): number {
    if (!this.alive) return 0;
    return [this.#first, ...this.pids()].reduce((sum, pid) => sum + measure(pid), 0);
  }

  /** Signals `pid` if it is in the run's namespace, whoever has that number now. */
  #signal(pid: number, signal: NodeJS.Signals): void {
    let handle: number;
    try {
      handle = openProcess(pid);
    } catch {
      return; // Ended.
    }
    try {
      if (namespaceOf(pid) === this.#namespace) signalProcess(handle, signal);
    } finally {
      closeDescriptor(handle);
    }
  }
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined; // Ended.
  }
}

/** Each thread has children of its own (CONFIG_PROC_CHILDREN). */
function childrenOf(pid: number): readonly number[] {
  try {
    return threadsOf(pid).flatMap((tid) => {
      const text = readFileSync(`/proc/${pid}/task/${tid}/children`, "utf8");
      return text.trim() === "" ? [] : text.trim().split(" ").map(Number);
    });
  } catch {
    return []; // Ended; its children are its namespace's first's by now, and found there next time.
  }
}
