/**
 * The limits of one run, held: put into its groups before it starts, looked at while it lives,
 * stopped, continued and ended as one.
 *
 * @module
 */
import { describeError, Fault } from "../../base/index.ts";
import { NO_CGROUPS, type CgroupHost } from "./cgroup-host.ts";
import { countDisk, memoryFilesOf, spaceLeft } from "./disk.ts";
import { DISK_POLL_MS, MEMORY_POLL_MS, type LimitPlan } from "./limits.ts";
import { RunGroup, type Usage } from "./run-group.ts";
import { RunTree } from "./run-tree.ts";

/** Where a run's file systems in memory are, as it sees them. */
const SCRATCH = ["/tmp", "/run", "/dev/shm", "/var/tmp"];
/** However little changes, what was written is counted this often, in milliseconds. */
const COUNT_MS_MAX = 10_000;
const SAMPLE_MS = 1000;
const COUNT_REST = 10; // Times as long as a count takes until the next, so that it stays a tenth.

/** What is limited. */
export interface LimitedRun {
  readonly id: string;
  /** Folders whose growth counts as the run's disk: the overlay's upper, its home. */
  readonly folders: readonly string[];
  /** What is in them before the run writes anything: a copied workspace. */
  readonly startBytes?: number;
}

export interface Limits {
  /**
   * Puts the launcher, before it has started anything, into the run's groups.
   * @throws {Fault} `sandbox.cgroup` where that fails; then nothing may start.
   */
  admit(launcherPid: number): Promise<void>;
  /**
   * Takes the run's first process, whose pid outside this is, and begins to look at what is polled.
   * @throws {Fault} `sandbox.cgroup` where it is not in the groups.
   */
  place(initPid: number): void;
  /** Whether the process is in the run's groups: they hold what their limits say. */
  holds(initPid: number): boolean;
  /** Stops every process. @throws {Fault} `sandbox.pause` where one goes on. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends every process, also a paused one. @throws {Fault} `sandbox.kill` where one stays. */
  kill(): Promise<void>;
  usage(): Usage;
  /** Every process of the run, as the host sees them; ours in its groups among them. */
  pids(): readonly number[];
  /** Bytes on disk in its folders beyond what was in them, and in deleted files that are still open. */
  written(): Promise<number>;
  /** Tells, once, what the run went beyond where nothing stops it by itself: it should be ended. */
  onExceeded(tell: (what: string) => void): void;
  /** Ends what is left and gives the groups back. */
  close(): Promise<void>;
}

/** Makes the limits of a run as planned. @throws {Fault} `sandbox.cgroup` where one does not hold. */
export function createLimits(host: CgroupHost, plan: LimitPlan, run: LimitedRun): Limits {
  return new RunLimits(host, plan, run);
}

class RunLimits implements Limits {
  readonly #plan: LimitPlan;
  readonly #run: LimitedRun;
  readonly #group: RunGroup | undefined;
  readonly #tellers: ((what: string) => void)[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #tree: RunTree | undefined;
  #initPid = 0;
  #stopped: ReadonlySet<number> = new Set();
  #exceeded: string | undefined;
  #peak = 0;
  #cpuMs: number | undefined;
  #closed = false;

  constructor(host: CgroupHost, plan: LimitPlan, run: LimitedRun) {
    this.#plan = plan;
    this.#run = run;
    const grouped =
      host !== NO_CGROUPS && Object.values(host.controllers).some((one) => one !== "none");
    this.#group = grouped ? new RunGroup(host, run.id) : undefined;
    this.#group?.limit(plan.cgroup);
  }

  async admit(launcherPid: number): Promise<void> {
    await this.#group?.place(launcherPid);
  }

  place(initPid: number): void {
    if (!this.holds(initPid)) {
      throw new Fault("sandbox.cgroup", `process ${initPid} is not in the groups of its run`);
    }
    this.#initPid = initPid;
    this.#tree = new RunTree(initPid);
    const { memoryBytes, diskBytes } = this.#plan.polled;
    if (this.#group === undefined) this.#repeat(async () => this.#sample());
    if (memoryBytes !== undefined) this.#repeat(() => this.#lookAtMemory(memoryBytes));
    if (diskBytes !== undefined) this.#repeat(this.#diskWatch(diskBytes));
  }

  holds(initPid: number): boolean {
    return this.#group?.holds(initPid) ?? true;
  }

  async pause(): Promise<void> {
    if (this.#plan.pause !== "signals") return this.#group?.freeze();
    this.#stopped = (await this.#tree?.stop()) ?? new Set();
  }

  async resume(): Promise<void> {
    if (this.#plan.pause !== "signals") return this.#group?.thaw();
    this.#tree?.continue(this.#stopped);
    this.#stopped = new Set();
  }

  async kill(): Promise<void> {
    await this.#group?.kill();
    await this.#tree?.kill();
  }

  usage(): Usage {
    if (this.#tree?.alive === true && this.#group === undefined) this.#sample();
    const counted = this.#group?.usage();
    const memoryBytes = counted?.memoryBytes ?? this.#tree?.memoryBytes();
    this.#peak = Math.max(this.#peak, memoryBytes ?? 0);
    return {
      cpuMs: counted?.cpuMs ?? this.#cpuMs,
      memoryBytes,
      memoryPeakBytes: counted?.memoryPeakBytes ?? this.#peak,
      pids: counted?.pids ?? this.#tree?.threads(),
      readBytes: counted?.readBytes,
      writtenBytes: counted?.writtenBytes,
      oomKills: counted?.oomKills,
    };
  }

  pids(): readonly number[] {
    return this.#tree?.pids() ?? [];
  }

  onExceeded(tell: (what: string) => void): void {
    this.#tellers.push(tell);
    if (this.#exceeded !== undefined) tell(this.#exceeded);
  }

  async written(): Promise<number> {
    const { folders, startBytes = 0 } = this.#run;
    return (await countDisk(folders, this.#tree?.pids() ?? [])) - startBytes;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await this.kill();
    this.#tree?.close();
    await this.#group?.remove();
  }

  /** Runs `look` again and again, `look`'s milliseconds apart, until it says that it is enough. */
  #repeat(look: () => Promise<number | undefined>): void {
    const again = (afterMs: number) => {
      const timer = setTimeout(async () => {
        this.#timers.delete(timer);
        let nextMs: number | undefined;
        try {
          nextMs = await look();
        } catch (error) {
          // What cannot be looked at is not held.
          this.#exceed(`a limit cannot be held any more: ${describeError(error)}`);
        }
        if (nextMs !== undefined && !this.#closed) again(nextMs);
      }, afterMs);
      timer.unref();
      this.#timers.add(timer);
    };
    again(0);
  }

  /** What an ended run used is known from when it was last looked at. */
  #sample(): number {
    if (this.#tree?.alive === true) this.#cpuMs = this.#tree.cpuMs();
    return SAMPLE_MS;
  }

  #exceed(what: string): undefined {
    this.#exceeded = what;
    for (const tell of this.#tellers) tell(what);
    return undefined;
  }

  async #lookAtMemory(limit: number): Promise<number | undefined> {
    const mapped = this.#tree?.memoryBytes() ?? 0;
    const bytes = mapped + (await memoryFilesOf(this.#initPid, SCRATCH));
    this.#peak = Math.max(this.#peak, bytes);
    if (bytes > limit) return this.#exceed(`memory: ${bytes} of ${limit} bytes`);
    return MEMORY_POLL_MS;
  }

  /**
   * Counts what was written where the space left on the file system says that it could be too much,
   * and from time to time in any case, for others write and delete there, too.
   */
  #diskWatch(limit: number): () => Promise<number | undefined> {
    const { folders } = this.#run;
    let countedAt = Number.NEGATIVE_INFINITY;
    let tookMs = 0;
    let bytes = 0;
    let left: number | undefined;
    return async () => {
      const now = performance.now();
      const leftNow = folders[0] === undefined ? undefined : await spaceLeft(folders[0]);
      const grown = left === undefined || leftNow === undefined ? Infinity : left - leftNow;
      const due = now - countedAt >= Math.max(COUNT_MS_MAX, COUNT_REST * tookMs);
      const urgent = bytes + grown > limit && now - countedAt >= COUNT_REST * tookMs;
      if (!due && !urgent) return DISK_POLL_MS;
      left = leftNow;
      bytes = await this.written();
      countedAt = performance.now();
      tookMs = countedAt - now;
      if (bytes > limit) return this.#exceed(`disk: ${bytes} of ${limit} bytes`);
      return DISK_POLL_MS;
    };
  }
}
