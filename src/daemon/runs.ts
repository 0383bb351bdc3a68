/**
 * The runs of one home: those that live, those that ended, and those that a dead daemon left.
 *
 * @module
 */
import { rmSync } from "node:fs";
import { Fault } from "../base/index.ts";
import type { RunInfo } from "../api/index.ts";
import { capacity, type Capacity } from "./capacity.ts";
import { filesOf, loadInfos, removeRunFiles, saveInfo } from "./run-files.ts";
import type { Reason } from "./reasons.ts";
import type { Run } from "./run.ts";
import type { World } from "./world.ts";

const RECENT_MAX = 64;

/** All runs that this home knows. */
export class Runs {
  readonly #world: World;
  readonly #live = new Map<string, Run>();
  readonly #past = new Map<string, RunInfo>();
  /** Ended a moment ago: someone may still be on the way to see how. */
  readonly #recent: Run[] = [];

  readonly #room: Capacity;

  constructor(world: World, room: Capacity = capacity()) {
    this.#world = world;
    this.#room = room;
  }

  /**
   * Reads what earlier daemons knew. A run that was alive then is not any more: process 1 of a run ends
   * when its daemon goes (INV-15); here that end is put on record.
   */
  async recover(): Promise<void> {
    for (const info of loadInfos(this.#world.home.runs)) {
      if (info.state === "ended") {
        this.#past.set(info.run, info);
        continue;
      }
      const { wallMs, monoMs } = this.#world.clock.now();
      const at = new Date(wallMs).toISOString();
      const end = { reason: "daemon", detail: "the daemon died, and the run with it" };
      const seq = await this.#world.ledger.append(
        { type: "run.end", at, monoMs, run: info.run, data: end },
        { sync: true },
      );
      const entries = { ...info.entries, last: seq };
      const ended: RunInfo = { ...info, state: "ended", end, endedAt: at, entries };
      saveInfo(filesOf(this.#world.home.runs, info.run), ended);
      this.#past.set(info.run, ended);
    }
  }

  /** Takes a run in; it moves to the past by itself when it ends. */
  add(run: Run): void {
    const { runs, why, hint } = this.#room;
    if (this.#live.size >= runs) {
      throw new Fault("daemon.full", `${runs} runs live already; ${why}`, { hint });
    }
    this.#live.set(run.id, run);
    void run.ended.then(() => {
      this.#live.delete(run.id);
      this.#past.set(run.id, run.info);
      this.#recent.push(run);
      if (this.#recent.length > RECENT_MAX) this.#recent.shift();
    });
  }

  /** Whether a run is on its way: what can wait, waits. */
  get isStarting(): boolean {
    return this.live.some(({ info }) => info.state === "starting");
  }

  /** Removes a run that ended, with its folder: recordings, evidence, what it left of its workspace. */
  async forget(id: string): Promise<void> {
    this.#past.delete(id);
    const files = filesOf(this.#world.home.runs, id);
    rmSync(files.info, { force: true }); // First: without it the folder is nobody's, and goes at the next start.
    await removeRunFiles(files);
  }

  /** A run whose terminal can be seen: living, or ended a moment ago. */
  attachable(id: string): Run {
    return this.remembered(id) ?? this.living(id);
  }

  /** One that lives, or ended a moment ago. */
  remembered(id: string): Run | undefined {
    return this.#live.get(id) ?? this.#recent.find((recent) => recent.id === id);
  }

  /** What run `id` did besides `action`, a line each; in words where that is not known any more. */
  deeds(id: string, action: string): readonly string[] {
    return (
      this.remembered(id)?.recorder.deeds.lines(action) ?? [
        `it has ended: \`cofferdam log ${id}\` has all of it`,
      ]
    );
  }

  /** Why run `id` did `action`, as far as that is known still. */
  reason(id: string, action: string): Reason {
    const run = this.#live.get(id) ?? this.#recent.find((recent) => recent.id === id);
    return run?.recorder.reasons.of(action) ?? {};
  }

  /** Runs that have not ended. */
  get live(): readonly Run[] {
    return [...this.#live.values()].filter((run) => run.alive);
  }

  /** Resolves when no run of now holds anything any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#live.values()].map((run) => run.ended));
  }

  list(all: boolean): RunInfo[] {
    const known = [...this.#live.values()].map((run) => run.info);
    return all ? [...this.#past.values(), ...known] : this.live.map((run) => run.info);
  }

  /** @throws {Fault} `daemon.no_such_run` */
  info(id: string): RunInfo {
    const info = this.#live.get(id)?.info ?? this.#past.get(id);
    if (info === undefined) throw noSuchRun(id);
    return info;
  }

  /** @throws {Fault} `daemon.no_such_run`, or `daemon.state` where it has ended. */
  living(id: string): Run {
    const run = this.#live.get(id);
    if (run?.alive === true) return run;
    if (run !== undefined || this.#past.has(id)) throw new Fault("daemon.state", `${id} has ended`);
    throw noSuchRun(id);
  }
}

function noSuchRun(id: string): Fault {
  return new Fault("daemon.no_such_run", `no run ${JSON.stringify(id)}`, {
    hint: "`cofferdam ps --all` lists them; what is older than the retention goes (`cofferdam retention`)",
  });
}
