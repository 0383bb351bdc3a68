/**
 * Three hundred runs that all make requests at once, as fast as they are answered: whether each gets its share.
 *
 * @module
 */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../src/base/index.ts";
import { startDaemon, type Daemon } from "../daemon.ts";
import { loadWords, parseLoad, type Load } from "../load.ts";
import type { Part } from "../part.ts";
import { builtTool } from "../place.ts";
import { createRow } from "../row.ts";
import { runProgram } from "../program.ts";
import { median, quantile } from "../statistics.ts";
import { NAME, startUpstream } from "../upstream.ts";

const RUNS = 300;
const AT_ONCE = 8;
const SECONDS = 20;
/** Until all of them are there and have had one answer. */
const AHEAD_SECONDS = 40;
/** Threads of the one client that asks the server itself. */
const DIRECT = 250;

export const scaleFair: Part = {
  name: "scale-fair",
  group: "scale",
  async measure({ scratch, profiles, tell }) {
    await using upstream = await startUpstream(scratch);
    await using daemon = await startDaemon(scratch, { profiles });
    const inside = join(daemon.workspace, "load"); // A run sees no folder but its own.
    copyFileSync(builtTool("load"), inside);
    const runs = await startAll(daemon, upstream.task);
    const at = Math.ceil(Date.now() / 1000) + AHEAD_SECONDS;
    const of = { mode: "keep", clients: 1, seconds: SECONDS } as const;
    const words = loadWords(inside, { ...of, host: NAME, port: 80, at });
    const loads = await loadAll(daemon, runs, words);
    const direct = parseLoad(
      await runProgram(
        loadWords(builtTool("load"), {
          ...of,
          clients: DIRECT,
          host: "localhost",
          port: upstream.port,
        }),
      ),
    );
    const rates = loads.map(({ requests, seconds }) => requests / seconds);
    const p50 = pooled(loads, 0.5);
    const p99 = pooled(loads, 0.99);
    const [least, most, middle] = [Math.min(...rates), Math.max(...rates), median(rates)];
    tell(
      "scale-fair",
      { rates, p50Ms: p50 / 1000, p99Ms: p99 / 1000 },
      `requests a second of ${RUNS} runs: least ${least.toFixed(2)}, median ${middle.toFixed(2)}, most ${most.toFixed(2)}; p50 ${(p50 / 1000).toFixed(0)} ms, p99 ${(p99 / 1000).toFixed(0)} ms`,
    );
    return [
      createRow({
        name: "scale-fair/p99-to-p50",
        unit: "times",
        values: [p99 / p50],
        against: {
          name: `${DIRECT} clients of the server itself`,
          values: [direct.p99 / direct.p50],
        },
        goal: { of: "value", must: "<=", be: 3 },
      }),
      createRow({
        name: "scale-fair/least-share",
        unit: "of the median",
        values: [least / middle],
        goal: { of: "value", must: ">=", be: 0.5 },
      }),
      createRow({
        name: "scale-fair/requests",
        unit: "requests/s",
        values: [rates.reduce((sum, one) => sum + one, 0)],
        against: { name: "the server itself", values: [direct.requests / direct.seconds] },
      }),
    ];
  },
};

async function startAll(daemon: Daemon, task: string): Promise<readonly string[]> {
  const runs: string[] = [];
  let left = RUNS;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      runs.push((await daemon.start([], { detach: true, task })).run);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return runs;
}

/** Starts the clients a few at a time, and waits for all of them. */
async function loadAll(
  daemon: Daemon,
  runs: readonly string[],
  words: readonly string[],
): Promise<readonly Load[]> {
  const left = [...runs];
  const loads: Promise<Load>[] = [];
  const lane = async () => {
    for (let run = left.shift(); run !== undefined; run = left.shift()) {
      const { started, load } = execute(daemon, run, words);
      loads.push(load);
      await Promise.race([started, load]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return Promise.all(loads);
}

/** A client in a run: resolved when it has begun, and with what it saw. */
function execute(daemon: Daemon, run: string, argv: readonly string[]) {
  const { promise: started, resolve } = Promise.withResolvers<void>();
  const follow = async (): Promise<Load> => {
    const said = { stdout: "", stderr: "" };
    for await (const line of daemon.client.stream("run.exec", { run, argv: [...argv] })) {
      if (line.type === "started") resolve();
      else if (line.type !== "ended") {
        said[line.type] += Buffer.from(line.data, "base64").toString("latin1");
      } else if (line.code !== 0) {
        const why = said.stderr || JSON.stringify(line);
        throw new Fault("bench.scale", `a client of a run failed: ${why}`);
      }
    }
    return parseLoad(said.stdout);
  };
  const load = follow();
  load.catch(() => {}); // Told to who waits for all.
  return { started, load };
}

/** A quantile of all requests together, in microseconds, from each client's hundredths. */
function pooled(loads: readonly Load[], share: number): number {
  const most = Math.max(...loads.map(({ requests }) => requests));
  // Each hundredth stands for as many requests: clients that made more weigh more.
  const values = loads.flatMap(({ hundredths = [], requests }) => {
    const weight = Math.max(1, Math.round((requests / most) * 10));
    return hundredths.flatMap((one) => Array.from({ length: weight }, () => one));
  });
  return quantile(values, share);
}
