/**
 * Which processes of a run use most of the processors, and what they descend from.
 *
 * @module
 */
import { readlinkSync } from "node:fs";
import { statOf } from "./proc.ts";

const TICKS = 100; // In a second, of /proc/PID/stat: USER_HZ on x64 and arm64.
const PROCESSES_MAX = 4_096;
const PARENTS_MAX = 16;
const EXE_CHARS_MAX = 256;

export interface BusyProcess {
  /** As the host sees it. */
  readonly pid: number;
  /** Path of its executable; absent where that may not be read. */
  readonly exe?: string;
  /** Processors used since the last look; absent at the first. */
  readonly cores?: number;
  /** Pids of its ancestors within the run, parent first. */
  readonly parents: readonly number[];
}

interface Stat {
  readonly parent: number;
  readonly ticks: number;
  /** When it began: a pid that comes round again began at another time. */
  readonly began: string;
}

/** Compares the processes of one run from look to look. */
export class ProcessMeter {
  #before: { readonly atMs: number; readonly stats: ReadonlyMap<number, Stat> } | undefined;

  /**
   * The `count` of `pids` that used most since the last look, and those of `also`; at the first look only those.
   * What began and ended between two looks is not seen.
   */
  look(
    pids: readonly number[],
    atMs: number,
    count: number,
    also: readonly number[] = [],
  ): readonly BusyProcess[] {
    const stats = new Map(
      pids.slice(0, PROCESSES_MAX).flatMap((pid) => {
        const stat = readStat(pid);
        return stat === undefined ? [] : [[pid, stat] as const];
      }),
    );
    const before = this.#before;
    this.#before = { atMs, stats };
    const used = [...stats].map(([pid, { ticks, began }]) => {
      if (before === undefined) return { pid };
      const had = before.stats.get(pid);
      const since = had?.began === began ? had.ticks : 0;
      return { pid, cores: coresOf(ticks - since, atMs - before.atMs) };
    });
    const most = used
      .filter(({ cores = 0 }) => cores > 0)
      .toSorted((a, b) => (b.cores ?? 0) - (a.cores ?? 0))
      .slice(0, count);
    const others = used.filter((one) => also.includes(one.pid) && !most.includes(one));
    return [...most, ...others].map((one) => ({
      ...one,
      ...exeOf(one.pid),
      parents: parentsOf(one.pid, stats),
    }));
  }

  /** The next look is the first again. */
  forget(): void {
    this.#before = undefined;
  }
}

/** Processors, to hundredths. */
export function coresOf(ticks: number, elapsedMs: number): number {
  if (elapsedMs <= 0) return 0;
  return Math.max(0, Math.round(((ticks * 1000) / TICKS / elapsedMs) * 100) / 100);
}

function readStat(pid: number): Stat | undefined {
  const fields = statOf(`/proc/${pid}`);
  if (fields === undefined) return undefined;
  // From the third on: state, ppid; the 14th and 15th are utime and stime, the 22nd is starttime (proc(5)).
  return {
    parent: Number(fields[1]),
    ticks: Number(fields[11]) + Number(fields[12]),
    began: fields[19] ?? "",
  };
}

function parentsOf(pid: number, stats: ReadonlyMap<number, Stat>): readonly number[] {
  const parents: number[] = [];
  for (
    let at = stats.get(pid)?.parent;
    at !== undefined && parents.length < PARENTS_MAX && stats.has(at);
    at = stats.get(at)?.parent
  ) {
    parents.push(at);
  }
  return parents;
}

function exeOf(pid: number): { readonly exe?: string } {
  try {
    return { exe: readlinkSync(`/proc/${pid}/exe`).slice(0, EXE_CHARS_MAX) };
  } catch {
    return {}; // Ended, or not to be looked at.
  }
}
