/**
 * Metrics of one daemon: the record's counts, and what only this process knows of itself.
 *
 * @module
 */
import { readdirSync, statfsSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { APPROVAL_STATES } from "../approval/index.ts";
import type { Log } from "../base/index.ts";
import { EVERY_ABOUT } from "../detect/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { createCounts, type Counts, type Family, type Sample } from "../metrics/index.ts";
import type { Pool } from "./pool.ts";
import type { Runs } from "./runs.ts";
import { version } from "./version.ts";
import type { World } from "./world.ts";

const LAG_RESOLUTION_MS = 20;
const LAG_RANKS = [
  ["median", 50],
  ["p99", 99],
  ["max", 100],
] as const;
const LIVE_STATES = ["starting", "running", "paused"] as const;

/** Counts from the first entry on. */
export function countRecord(ledger: Pick<Ledger, "subscribe">): Counts {
  const counts = createCounts({
    detectors: [...EVERY_ABOUT.keys()],
    approvalStates: APPROVAL_STATES,
  });
  ledger.subscribe(({ event }) => counts.observe(event));
  return counts;
}

/** `log`, with its lines counted by `counted`. */
export function countingLog(log: Log, counted: Counts["logged"]): Log {
  return {
    info(event, fields) {
      counted("info", event);
      log.info(event, fields);
    },
    warn(event, fields) {
      counted("warn", event);
      log.warn(event, fields);
    },
  };
}

/** What there is at the time of the call. */
export function createMetrics(world: World, runs: Runs, pool: Pool): () => readonly Family[] {
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  lag.enable();
  return () => {
    const { wallMs } = world.clock.now();
    const states = runs.live.map(({ info }) => info.state);
    const waiting = world.desk.approvals.list(false).filter(({ state }) => WAITING.has(state));
    const oldestMs = Math.min(wallMs, ...waiting.map(({ createdMs }) => createdMs));
    const lags = LAG_RANKS.map(([rank, percent]): Sample => {
      // Its own interval is part of what it measures.
      const seconds = lag.percentile(percent) / 1e9 - LAG_RESOLUTION_MS / 1000;
      return { labels: { rank }, value: Math.max(0, seconds) };
    });
    lag.reset();
    const { user, system } = process.cpuUsage();
    const disk = statfsSync(world.home.root);
    return world.counts.families([
      ["cofferdam_build_info", [{ labels: { version: version() }, value: 1 }]],
      [
        "cofferdam_runs",
        LIVE_STATES.map((state) => ({
          labels: { state },
          value: states.filter((one) => one === state).length,
        })),
      ],
      ["cofferdam_sandboxes_waiting", one(pool.size)],
      ["cofferdam_approvals_waiting", one(waiting.length)],
      ["cofferdam_approval_oldest_seconds", one((wallMs - oldestMs) / 1000)],
      ["cofferdam_ledger_entries", one(world.ledger.size)],
      ["cofferdam_ledger_writable", one(world.ledger.failure === undefined ? 1 : 0)],
      ["cofferdam_home_free_bytes", one(disk.bavail * disk.bsize)],
      ["cofferdam_event_loop_lag_seconds", lags],
      ["process_resident_memory_bytes", one(process.memoryUsage.rss())],
      ["process_cpu_seconds_total", one((user + system) / 1e6)],
      ["process_open_fds", one(readdirSync("/proc/self/fd").length)],
      ["process_start_time_seconds", one(performance.timeOrigin / 1000)],
    ]);
  };
}

/** An answer may still come. */
const WAITING: ReadonlySet<string> = new Set(["requested", "shown"]);

const one = (value: number): readonly Sample[] => [{ labels: {}, value }];
