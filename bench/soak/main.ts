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
import { parseArgs } from "node:util";
import { describeError, Fault, isFault } from "../../src/base/index.ts";
import { startDaemon } from "../daemon.ts";
import { createScratch } from "../place.ts";
import { cycle, startSilent, wayOf, WAYS, type Way } from "./cycles.ts";
import { growthOf, type Bound, type Growth, type Point } from "./growth.ts";
import { takeSample } from "./sample.ts";

const USAGE = "npm run soak -- [--cycles N] [--at-once N] [--json FILE]";
const SAMPLES = 40;
const NICE = 10;
/** A cycle that fails is one too many; so many are named. */
const FAILURES_NAMED = 10;

/**
 * What may grow, for each cycle. A run that is over stays known until a person discards it: its folder (description,
 * task, layer with its manifest), its entries in the ledger, and its description in the daemon's list. All else stands still.
 */
const BOUNDS: Readonly<Record<string, Bound>> = {
  processes: { perCycle: 0, slack: 3 },
  threads: { perCycle: 0, slack: 8 },
  namespaces: { perCycle: 0, slack: 8 },
  cgroups: { perCycle: 0, slack: 6 },
  mounts: { perCycle: 0, slack: 0 },
  "descriptors-of-daemon": { perCycle: 0, slack: 30 },
  "descriptors-of-workers": { perCycle: 0, slack: 20 },
  "event-loop-resources": { perCycle: 0, slack: 20 },
  "heap-MB": { perCycle: 0.002, slack: 4 },
  "external-MB": { perCycle: 0, slack: 4 },
  "memory-MB": { perCycle: 0.003, slack: 40 },
  "files-of-home": { perCycle: 20, slack: 40 },
  "bytes-of-home-MB": { perCycle: 0.08, slack: 8 },
};

interface Wanted {
  readonly cycles: number;
  readonly atOnce: number;
  readonly json: string | undefined;
}

function wantedOf(words: readonly string[]): Wanted {
  const { values } = parseArgs({
    args: [...words],
    options: {
      cycles: { type: "string", default: "20000" },
      "at-once": { type: "string", default: "4" },
      json: { type: "string" },
    },
  });
  const [cycles, atOnce] = [Number(values.cycles), Number(values["at-once"])];
  if (!Number.isInteger(cycles) || cycles < SAMPLES || !Number.isInteger(atOnce) || atOnce < 1) {
    throw new Fault("bench.arguments", `at least ${SAMPLES} cycles, one at once`, { hint: USAGE });
  }
  return { cycles, atOnce, json: values.json === undefined ? undefined : resolve(values.json) };
}

async function soak({ cycles, atOnce, json }: Wanted): Promise<boolean> {
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
  const look = async () => {
    await daemon.settle();
    const sample = await takeSample({ pid: daemon.pid, home: daemon.home.root, told });
    for (const [name, value] of Object.entries(sample)) {
      seen.set(name, [...(seen.get(name) ?? []), { cycles: done, value }]);
    }
    const seconds = Math.round((performance.now() - begun) / 1000);
    console.log(JSON.stringify({ cycles: done, seconds, failures: failures.length, ...sample }));
  };
  const lane = async (until: number) => {
    while (done < until) {
      const way = wayOf(done);
      done += 1;
      of.set(way, (of.get(way) ?? 0) + 1);
      await cycle(daemon, silent, way).catch((error: unknown) => {
        failures.push(`${way}: ${describeError(error)}`);
      });
    }
  };
  await daemon.run(["true"]);
  for (let n = 0; n <= SAMPLES; n += 1) {
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
  console.log(`${done} cycles in ${Math.round(seconds)} s (${(done / seconds).toFixed(1)}/s): ${JSON.stringify(ways)}`);
  for (const failure of failures.slice(0, FAILURES_NAMED)) console.log(`failed: ${failure}`);
  const grown = growths.filter(([, growth]) => growth?.isHeld === false).map(([name]) => name);
  const isWell = grown.length === 0 && failures.length === 0;
  console.log(isWell ? "nothing leaks" : `grows: ${grown.join(", ") || "nothing"}; cycles failed: ${failures.length}`);
  if (json !== undefined) {
    const machine = { cores: cpus().length, kernel: release(), node: process.version, load: loadavg()[0] };
    const result = { machine, cycles: done, seconds, ways, failures, growth: Object.fromEntries(growths) };
    const samples = Object.fromEntries(seen);
    writeFileSync(json, `${JSON.stringify({ ...result, isWell, samples }, null, 2)}\n`);
  }
  return isWell;
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
