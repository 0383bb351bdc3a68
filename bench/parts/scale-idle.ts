/**
 * A thousand runs that hold still on one host: what they weigh all told, what they cost while nothing happens, and
 * whether one more starts as fast as the first.
 *
 * All told is the proportional set size of every process of the runs, what the daemon and its workers grew by, and what
 * the kernel holds for them; beside it the kernel's own word for what is left, which nothing can hide from.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../../src/base/index.ts";
import { startDaemon, type Daemon } from "../daemon.ts";
import { availableMegabytes, cpuOf, kernelMegabytes, megabytesOf, memoryOf } from "../memory.ts";
import type { Part } from "../part.ts";
import { startCompanion } from "../program.ts";
import { createRow } from "../row.ts";
import { median } from "../statistics.ts";
import { timed } from "../timing.ts";
import { bareSandbox } from "./start.ts";

const RUNS = 1000;
const AT_ONCE = 8;
/** Bare sandboxes that are weighed beside them. */
const BARE = 50;
const SETTLE_MS = 4000;
const IDLE_MS = 20_000;
const STARTS = 15;
/** Starts before any is timed: what Node has not compiled yet is not what is measured. */
const WARMING = 50;
const BARE_WAIT_MS_MAX = 30_000;

interface Weighed {
  readonly processes: number;
  readonly own: number;
  readonly kernel: number;
  readonly available: number;
}

export const scaleIdle: Part = {
  name: "scale-idle",
  group: "scale",
  async measure({ scratch, profiles, tell }) {
    const bare = await weighBare();
    await using daemon = await startDaemon(scratch, { profiles });
    for (let n = 0; n < WARMING; n += 1) await daemon.run(["true"]);
    const alone = await startTimes(daemon);
    await sleep(SETTLE_MS);
    const before = weigh(daemon.pid);
    const tookMs = await timed(() => startAll(daemon));
    await sleep(SETTLE_MS);
    const { runs } = await daemon.client.call("daemon.status", {});
    if (runs !== RUNS) throw new Fault("bench.scale", `${runs} runs live, not ${RUNS}`);
    const after = weigh(daemon.pid);
    const cores = await coresWhileIdle(daemon.pid);
    const among = await startTimes(daemon);
    const descriptors = readdirSync(`/proc/${daemon.pid}/fd`).length / RUNS;
    const each = (of: keyof Weighed) => Math.abs(after[of] - before[of]) / RUNS;
    const told = each("processes") + each("own") + each("kernel");
    const parts = { processes: each("processes"), own: each("own"), kernel: each("kernel") };
    tell(
      "scale-idle",
      { ...parts, descriptors, before, after },
      `a run of ${RUNS}: ${Object.entries(parts)
        .map(([name, mb]) => `${name} ${mb.toFixed(2)} MB`)
        .join(", ")}; ${descriptors.toFixed(1)} descriptors of the daemon`,
    );
    const against = { name: "a bare bubblewrap, process and kernel", values: [bare] };
    const goal = { of: "value", must: "<", be: 8 } as const;
    return [
      createRow({ name: "scale-idle/all-told", unit: "MB", values: [told], against, goal }),
      createRow({ name: "scale-idle/available", unit: "MB", values: [each("available")], goal }),
      createRow({
        name: "scale-idle/cores",
        unit: "cores",
        values: [cores],
        goal: { of: "value", must: "<", be: 1 },
      }),
      createRow({
        name: "scale-idle/one-more",
        unit: "ms",
        values: [median(among)],
        against: { name: "where none lives", values: [median(alone)] },
        goal: { of: "ratio", must: "<=", be: 1.5 },
      }),
      createRow({ name: "scale-idle/starts", unit: "runs/s", values: [(RUNS * 1000) / tookMs] }),
    ];
  },
};

/** Runs without an agent: process 1 alone. */
async function startAll(daemon: Daemon): Promise<void> {
  let left = RUNS;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await daemon.start([], { detach: true });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** Sandboxes that wait are weighed with the runs: they are there because of them. */
function weigh(pid: number): Weighed {
  const own = ownOf(pid).reduce((sum, one) => sum + megabytesOf(one), 0);
  const processes = memoryOf(pid).megabytes - own;
  return { processes, own, kernel: kernelMegabytes(), available: availableMegabytes() };
}

/** The daemon and its workers, which are there anyway. */
function ownOf(pid: number): readonly number[] {
  const isNode = (name: string) => name === "node" || name === "MainThread";
  return [...cpuOf(pid)].filter(([, { name }]) => isNode(name)).map(([one]) => one);
}

/** Cores that all of them use while nobody asks for anything. */
async function coresWhileIdle(pid: number): Promise<number> {
  const seconds = () => [...cpuOf(pid).values()].reduce((sum, one) => sum + one.seconds, 0);
  const before = seconds();
  await sleep(IDLE_MS);
  return (seconds() - before) / (IDLE_MS / 1000);
}

/** From asking for a run of `true` to its end; sandboxes wait. */
async function startTimes(daemon: Daemon): Promise<readonly number[]> {
  const times: number[] = [];
  for (let n = 0; n < STARTS; n += 1) {
    await untilWaiting(daemon);
    times.push(await timed(() => daemon.run(["true"])));
  }
  return times;
}

async function untilWaiting(daemon: Daemon): Promise<void> {
  for (const deadline = Date.now() + SETTLE_MS; Date.now() < deadline; await sleep(100)) {
    if ((await daemon.client.call("daemon.status", {})).waiting > 1) return;
  }
}

/** What one bare sandbox takes of processes and kernel, in megabytes. */
async function weighBare(): Promise<number> {
  const one = [...bareSandbox(), "sleep", "300"].join(" ");
  const kernelBefore = kernelMegabytes();
  const script = `n=0; while [ $n -lt ${BARE} ]; do ${one} & n=$((n + 1)); done; wait`;
  await using shell = startCompanion(["/bin/sh", "-c", script]);
  for (const deadline = Date.now() + BARE_WAIT_MS_MAX; Date.now() < deadline; await sleep(500)) {
    const { names, megabytes } = memoryOf(shell.child.pid ?? 0);
    if (names.filter((name) => name === "sleep").length < BARE) continue;
    return (megabytes + kernelMegabytes() - kernelBefore) / BARE;
  }
  throw new Fault("bench.scale", `bare sandboxes do not start: ${shell.said()}`);
}
