/**
 * What looking at the use of 1,000 runs costs the daemon, each time, beside reading the same counters' files: runs that
 * do nothing, in control groups of their own where this host has some, and without any.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { Fault, systemClock } from "../../src/base/index.ts";
import { UsageWatch } from "../../src/daemon/usage-watch.ts";
import {
  closeCgroups,
  createLimits,
  NO_CGROUPS,
  openCgroups,
  planLimits,
  type CgroupHost,
  type Limits,
} from "../../src/sandbox/index.ts";
import type { Part } from "../part.ts";
import { startCompanion } from "../program.ts";
import { createRow } from "../row.ts";
import { inTurns } from "../statistics.ts";
import { timed } from "../timing.ts";

const RUNS = 1_000;
const ROUNDS = 5;
const SPAN_MS = 60_000; // Each look comes a minute later, so that each notes every run.
const SILENT = { info: () => {}, warn: () => {} };

export const usage: Part = {
  name: "usage",
  async measure() {
    const host = openCgroups(`bench-${process.pid}`);
    try {
      const held = await costOf(host);
      const bare = await costOf(NO_CGROUPS);
      return [
        createRow({
          name: "usage/1000-runs",
          unit: "ms",
          values: held.looks,
          against: { name: "three files a run", values: held.floor },
          goal: { of: "value", must: "<", be: 1000 },
        }),
        createRow({ name: "usage/1000-runs-longest-turn", unit: "ms", values: held.turns }),
        createRow({ name: "usage/1000-runs-without-groups", unit: "ms", values: bare.looks }),
      ];
    } finally {
      closeCgroups(host);
    }
  },
};

interface Cost {
  readonly looks: readonly number[];
  readonly floor: readonly number[];
  /** The longest that anything else waits meanwhile. */
  readonly turns: readonly number[];
}

async function costOf(host: CgroupHost): Promise<Cost> {
  let monoMs = 0;
  let noted = 0;
  const watch = new UsageWatch({ now: () => ({ ...systemClock.now(), monoMs }) }, SILENT);
  await using stack = new AsyncDisposableStack();
  const plan = planLimits({ controllers: host.controllers, gpus: [] }, { gpu: "none" });
  for (let n = 0; n < RUNS; n += 1) {
    const { child } = stack.use(startCompanion(["sleep", "600"]));
    const limits: Limits = createLimits(host, plan, { id: `run-${n}`, folders: [] });
    stack.defer(() => limits.close());
    const pid = child.pid ?? 0;
    await limits.admit(pid);
    limits.place(pid);
    const run = {
      id: `${n}`,
      gpus: [],
      limits,
      isRunning: () => true,
      spent: () => {},
      note: () => (noted += 1),
    };
    stack.defer(watch.watch(run));
  }
  const turns: number[] = [];
  const taken = await inTurns(ROUNDS, {
    looks: async () => {
      monoMs += SPAN_MS;
      const turn = longestTurn();
      const ms = await timed(() => watch.look());
      turns.push(turn());
      return ms;
    },
    floor: async () => timed(async () => void Array.from({ length: 3 * RUNS }, readStat)),
  });
  const all = (ROUNDS + 1) * RUNS; // One round is for warming up.
  if (noted !== all) throw new Fault("bench.case", `${noted} samples instead of ${all}`);
  return { ...taken, turns };
}

const readStat = () => readFileSync("/proc/self/stat", "utf8").length;

/** Watches how long the event loop is held up; the returned function ends that and tells the longest, in ms. */
function longestTurn(): () => number {
  let last = performance.now();
  let longest = 0;
  let isOver = false;
  const again = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(again);
  };
  setImmediate(again);
  return () => {
    isOver = true;
    return longest;
  };
}
