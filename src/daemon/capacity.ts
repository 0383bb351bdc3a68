/**
 * How many runs this daemon can hold: each takes descriptors, and where they end every run would suffer, not the new one.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/** Most runs that live at once in one daemon, however many descriptors it may have. */
export const RUNS_MAX = 4096;
/** Of the daemon for one run: its control stream and what the launcher hands out (15 are measured), and a viewer. */
const DESCRIPTORS_OF_RUN = 18;
/** For everything else: the record, workers, callers, sandboxes that wait. */
const DESCRIPTORS_KEPT = 1024;

/** So many runs, and what it is that allows no more. */
export interface Capacity {
  readonly runs: number;
  readonly why: string;
  readonly hint: string;
}

/** Reads it from this process's limits, in the form of /proc/PID/limits. */
export function capacity(limits: string = readFileSync("/proc/self/limits", "utf8")): Capacity {
  // Node has raised the soft limit to the hard one when it began.
  const [, soft = ""] = /^Max open files\s+(\d+|unlimited)/m.exec(limits) ?? [];
  const descriptors = soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
  const fit = Math.floor((descriptors - DESCRIPTORS_KEPT) / DESCRIPTORS_OF_RUN);
  if (!(fit < RUNS_MAX)) {
    return { runs: RUNS_MAX, why: "one daemon holds no more", hint: "end some first" };
  }
  return {
    runs: Math.max(1, fit),
    why: `its ${descriptors} open files allow no more`,
    hint: "end some first, or raise the daemon's limit of open files (`ulimit -Hn`, `LimitNOFILE=` of its unit) and restart it",
  };
}
