/**
 * What 200 runs that do nothing hold of memory, all their processes and the daemon together, beside as
 * many bare sandboxes.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { describeError, Fault } from "../../src/base/index.ts";
import { startDaemon } from "../daemon.ts";
import { memoryOf } from "../memory.ts";
import type { Part } from "../part.ts";
import { startCompanion } from "../program.ts";
import { createRow } from "../row.ts";
import { timed } from "../timing.ts";
import { bareSandbox } from "./start.ts";

const RUNS = 200;
/** Bare sandboxes that are weighed for all: so many at once are hard on a busy machine. */
const BARE = 50;
const AT_ONCE = 4;
const SETTLE_MS = 2000;
const WAIT_MS_MAX = 30_000;
const SLEEP = ["sleep", "300"];

export const idle: Part = {
  name: "idle",
  async measure({ scratch, profiles }) {
    await using daemon = await startDaemon(scratch, { profiles });
    let left = RUNS;
    const start = async () => {
      while (left > 0) {
        left -= 1;
        await daemon.start(SLEEP, { detach: true });
      }
    };
    const tookMs = await timed(() => Promise.all(Array.from({ length: AT_ONCE }, start)));
    await sleep(SETTLE_MS);
    const ours = await memoryOfAll(daemon.pid, RUNS);
    const bare = await bareMemory();
    return [
      createRow({
        name: "idle/200-runs",
        unit: "MB",
        values: [ours],
        against: { name: "200 bare bubblewraps, from 50", values: [bare] },
        goal: { of: "value", must: "<", be: 1000 },
      }),
      createRow({ name: "idle/starts", unit: "runs/s", values: [(RUNS * 1000) / tookMs] }),
    ];
  },
};

/** The memory below process `pid`, once every run is below it. @throws {Fault} `bench.idle` */
async function memoryOfAll(pid: number, runs: number): Promise<number> {
  let seen: readonly string[] = [];
  for (const deadline = Date.now() + WAIT_MS_MAX; Date.now() < deadline; await sleep(SETTLE_MS)) {
    const { names, megabytes } = memoryOf(pid);
    if (names.filter((name) => name === "sleep").length === runs) return megabytes;
    seen = names;
  }
  const there = [...Map.groupBy(seen, (name) => name)].map(
    ([name, all]) => `${all.length} ${name}`,
  );
  throw new Fault("bench.idle", `not ${runs} sleeping runs, but ${there.join(", ")}`);
}

/** A shell that starts as many bare sandboxes, so that they are one tree. */
async function bareMemory(): Promise<number> {
  const one = [...bareSandbox(), ...SLEEP].join(" ");
  const script = `n=0; while [ $n -lt ${BARE} ]; do ${one} & n=$((n + 1)); done; wait`;
  await using shell = startCompanion(["/bin/sh", "-c", script]);
  await sleep(SETTLE_MS);
  try {
    return (RUNS / BARE) * (await memoryOfAll(shell.child.pid ?? 0, BARE));
  } catch (cause) {
    const said = shell.said() || describeError(cause);
    throw new Fault("bench.idle", `bare sandboxes do not start: ${said}`, { cause });
  }
}
