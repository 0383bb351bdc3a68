/**
 * `npm run soak -- --cycles N`: N runs are made and end, and what they could leave behind is counted all along.
 *
 * Exits with 0 only where nothing grows beyond what is stated of it.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { cpus, loadavg, release, setPriority } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { describeError, Fault, isFault } from "../../src/base/index.ts";
import type { Client } from "../../src/client/index.ts";
import { startDaemon } from "../daemon.ts";
import { createScratch } from "../place.ts";
import { cycle, startSilent, wayOf, WAYS, type Way } from "./cycles.ts";
import { growthOf, type Bound, type Growth, type Point } from "./growth.ts";
import { takeSample, type Sample } from "./sample.ts";

const USAGE = "npm run soak -- [--cycles N] [--at-once N] [--minutes N] [--json FILE]";
const SAMPLES = 40;
const NICE = 10;
/** As long as nothing changes for this long, no sandbox is being made; on a machine that does much else, it may be. */
const CALM_MS = 2000;
const CALM_MS_MAX = 900_000;
const LOOK_MS = 50;
const SHARE_TRIES = 4;
/** A cycle that fails is one too many; so many are named. */
const FAILURES_NAMED = 10;

/**
 * What may grow, for each cycle. A run that is over stays known until a person discards it: its folder (description,
 * task, layer with its manifest), its entries in the ledger, and its description in the daemon's list. All else stands still.
 */
const BOUNDS: Readonly<Record<string, Bound>> = {
  processes: { perCycle: 0, slack: 2 },
  threads: { perCycle: 0, slack: 8 },
  namespaces: { perCycle: 0, slack: 4 },
  cgroups: { perCycle: 0, slack: 4 },
  mounts: { perCycle: 0, slack: 0 },
  "descriptors-of-daemon": { perCycle: 0, slack: 12 },
  "descriptors-of-workers": { perCycle: 0, slack: 20 },
  "event-loop-resources": { perCycle: 0, slack: 8 },
  "heap-MB": { perCycle: 0.003, slack: 4 },
  "external-MB": { perCycle: 0, slack: 6 },
  "memory-MB": { perCycle: 0.004, slack: 60 },
  "files-of-home": { perCycle: 16, slack: 40 },
  "bytes-of-home-MB": { perCycle: 0.08, slack: 8 },
};
/** Counts that a sandbox which waits for its run has a share in; how much, is measured before anything else. */
const SHARED: readonly string[] = [
  ...["processes", "threads", "namespaces", "cgroups", "files-of-home"],
  ...["descriptors-of-daemon", "event-loop-resources"],
];

interface Wanted {
  readonly cycles: number;
  readonly atOnce: number;
  /** After which no more cycles are begun; what was made until then is judged, and said to be fewer. */
  readonly minutes: number;
  readonly json: string | undefined;
}

function wantedOf(words: readonly string[]): Wanted {
  const { values } = parseArgs({
    args: [...words],
    options: {
      cycles: { type: "string", default: "20000" },
      "at-once": { type: "string", default: "12" },
      minutes: { type: "string", default: "600" },
      json: { type: "string" },
    },
  });
  const [cycles, atOnce] = [Number(values.cycles), Number(values["at-once"])];
  if (!Number.isInteger(cycles) || cycles < SAMPLES || !Number.isInteger(atOnce) || atOnce < 1) {
    throw new Fault("bench.arguments", `at least ${SAMPLES} cycles, one at once`, { hint: USAGE });
  }
  const minutes = Number(values.minutes);
  return {
    cycles,
    atOnce,
    minutes,
    json: values.json === undefined ? undefined : resolve(values.json),
  };
}

async function soak({ cycles, atOnce, minutes, json }: Wanted): Promise<boolean> {
  const begun = performance.now();
  using scratch = createScratch();
  await using silent = await startSilent();
  const told = join(scratch.root, "told");
  const teller = pathToFileURL(join(import.meta.dirname, "teller.ts")).href;
  await using daemon = await startDaemon(scratch, {
    flags: ["--expose-gc", "--import", teller],
    environment: { COFFERDAM_SOAK_TOLD: told },
  });
  const seen = new Map<string, Point[]>();
  const of = new Map<Way, number>(WAYS.map((way) => [way, 0]));
  const failures: string[] = [];
  let done = 0;
  const sampleNow = async () => {
    const waiting = await calm(daemon.client);
    const sample = await takeSample({ pid: daemon.pid, home: daemon.home.root, told });
    return { waiting, sample };
  };
  let shares: Readonly<Record<string, number>> = {};
  const look = async () => {
    const { waiting, sample: all } = await sampleNow();
    // As if none waited: how many do follows how fast runs are started.
    const of = ([name, value]: readonly [string, number]) =>
      [name, value - waiting * (shares[name] ?? 0)] as const;
    const sample = Object.fromEntries(Object.entries(all).map(of));
    for (const [name, value] of Object.entries(sample)) {
      seen.set(name, [...(seen.get(name) ?? []), { cycles: done, value }]);
    }
    const seconds = Math.round((performance.now() - begun) / 1000);
    const about = { cycles: done, seconds, failures: failures.length, waiting };
    console.log(JSON.stringify({ ...about, ...sample }));
  };
  const isLate = () => performance.now() - begun > minutes * 60_000;
  const lane = async (until: number) => {
    while (done < until && !isLate()) {
      const way = wayOf(done);
      done += 1;
      of.set(way, (of.get(way) ?? 0) + 1);
      await cycle(daemon, silent, way).catch((error: unknown) => {
        failures.push(`${way}: ${describeError(error)}`);
      });
    }
  };
  shares = await sharesOf(sampleNow, async (atOnce) => {
    await Promise.all(Array.from({ length: atOnce }, () => daemon.run(["true"])));
  });
  for (let n = 0; n <= SAMPLES && !(isLate() && n > 0); n += 1) {
    const until = Math.round((cycles * n) / SAMPLES);
    await Promise.all(Array.from({ length: atOnce }, () => lane(until)));
    await look();
  }
  const seconds = (performance.now() - begun) / 1000;
  const growths = [...seen].map(([name, points]): readonly [string, Growth | undefined] => {
    const bound = BOUNDS[name];
    return [name, bound && growthOf(points, bound)];
  });
  for (const [name, growth] of growths) console.log(lineOf(name, growth, seen.get(name) ?? []));
  const ways = Object.fromEntries(of);
  console.log(
    `${done} cycles in ${Math.round(seconds)} s (${(done / seconds).toFixed(1)}/s): ${JSON.stringify(ways)}`,
  );
  for (const failure of failures.slice(0, FAILURES_NAMED)) console.log(`failed: ${failure}`);
  const grown = growths.filter(([, growth]) => growth?.isHeld === false).map(([name]) => name);
  const isWell = grown.length === 0 && failures.length === 0 && done >= cycles;
  if (done < cycles) console.log(`stopped after ${minutes} minutes: ${done} of ${cycles} cycles`);
  console.log(
    isWell
      ? "nothing leaks"
      : `grows: ${grown.join(", ") || "nothing"}; cycles failed: ${failures.length}`,
  );
  if (json !== undefined) {
    const machine = {
      cores: cpus().length,
      kernel: release(),
      node: process.version,
      load: loadavg()[0],
    };
    const result = {
      machine,
      cycles: done,
      seconds,
      ways,
      failures,
      growth: Object.fromEntries(growths),
    };
    const samples = Object.fromEntries(seen);
    writeFileSync(json, `${JSON.stringify({ ...result, isWell, samples }, null, 2)}\n`);
  }
  return isWell;
}

/** How many sandboxes wait, once no run is left and their number stands still. */
async function calm(client: Client): Promise<number> {
  let [before, sinceMs] = [-1, performance.now()];
  for (const deadline = sinceMs + CALM_MS_MAX; performance.now() < deadline; await sleep(LOOK_MS)) {
    const { runs, waiting } = await client.call("daemon.status", {});
    if (runs > 0 || waiting !== before) sinceMs = performance.now();
    else if (performance.now() - sinceMs > CALM_MS) return waiting;
    before = waiting;
  }
  throw new Fault("bench.soak", `the daemon does not come to rest in ${CALM_MS_MAX / 1000} s`);
}

/** What one waiting sandbox adds to each count: as many more wait after as many starts at once. */
async function sharesOf(
  sampleNow: () => Promise<{ readonly waiting: number; readonly sample: Sample }>,
  start: (atOnce: number) => Promise<void>,
): Promise<Readonly<Record<string, number>>> {
  await start(2);
  const few = await sampleNow();
  let left = 0; // Runs between the two looks, each with files that it leaves.
  let many = few;
  for (let n = 0; n < SHARE_TRIES && many.waiting - few.waiting < 2; n += 1) {
    await start(few.waiting * 4);
    left += few.waiting * 4;
    many = await sampleNow();
  }
  const more = many.waiting - few.waiting;
  if (more < 2) throw new Fault("bench.soak", "no more sandboxes wait after many starts");
  const filesOfRun =
    ((many.sample["files-of-home"] ?? 0) - (few.sample["files-of-home"] ?? 0)) / (left + more);
  return Object.fromEntries(
    SHARED.map((name) => [
      name,
      Math.round(
        name === "files-of-home"
          ? filesOfRun
          : ((many.sample[name] ?? 0) - (few.sample[name] ?? 0)) / more,
      ),
    ]),
  );
}

function lineOf(name: string, growth: Growth | undefined, points: readonly Point[]): string {
  const value = (one: number | undefined) => `${Number((one ?? 0).toPrecision(6))}`;
  const ends = `${value(points.at(0)?.value)} to ${value(points.at(-1)?.value)}`;
  if (growth === undefined) return `${name}: ${ends} (of the whole machine, not judged)`;
  const { perCycle, bound, isHeld } = growth;
  const stated = `may be ${bound.perCycle} and ${bound.slack} in all`;
  return `${name}: ${ends}, ${perCycle.toPrecision(3)} a cycle in the second half (${stated})${isHeld ? "" : ": GROWS"}`;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(1)); // What was started ends with this process.
}
try {
  setPriority(NICE);
  process.exitCode = (await soak(wantedOf(process.argv.slice(2)))) ? 0 : 1;
} catch (error) {
  if (!isFault(error)) throw error;
  console.error(`cofferdam soak: ${describeError(error)}`);
  process.exitCode = 2;
}
