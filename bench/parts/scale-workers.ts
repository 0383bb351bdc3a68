/**
 * What a second gateway worker gives: HTTPS requests of two runs in two workers beside those of one run in one, and
 * beside what two plain Node proxies are to one on this machine, on which clients, server and daemon run as well.
 *
 * @module
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../../src/base/index.ts";
import { startDaemon, type Daemon } from "../daemon.ts";
import { parseWrk, wrkWords } from "../load.ts";
import { cpuOf } from "../memory.ts";
import type { Part } from "../part.ts";
import { ROOT, systemTool } from "../place.ts";
import { runProgram, startCompanion, type Companion } from "../program.ts";
import { createRow } from "../row.ts";
import { median } from "../statistics.ts";
import { inTurns } from "../statistics.ts";
import { NAME, startUpstream, type Upstream } from "../upstream.ts";

const ROUNDS = 3;
const SECONDS = 3;
const CONNECTIONS = 16;
const WORKER_MS_MAX = 60_000;
/** A worker that used less than this share of what the busiest used served nobody. */
const SERVING_SHARE = 0.2;

export const scaleWorkers: Part = {
  name: "scale-workers",
  group: "scale",
  async measure({ scratch, profiles, tell }) {
    const wrk = systemTool("wrk", "wrk");
    await using upstream = await startUpstream(scratch);
    await using daemon = await startDaemon(scratch, { profiles });
    const { task } = upstream;
    const first = (await daemon.start([], { detach: true, task })).run;
    await untilWorkers(daemon, 2);
    const second = (await daemon.start([], { detach: true, task })).run;
    const words = [...wrkWords(wrk, `https://${NAME}/1k`, SECONDS), `-c${CONNECTIONS}`];
    const both = [first, second];
    await using one = await startProxy(upstream);
    await using other = await startProxy(upstream);
    const costs: { single: Cost[]; double: Cost[] } = { single: [], double: [] };
    const { single, double, plain, twoPlain } = await inTurns(ROUNDS, {
      single: async () => noted(costs.single, await loadRuns(daemon, [first], words, 1)),
      double: async () => noted(costs.double, await loadRuns(daemon, both, words, 2)),
      plain: () => loadProxies(wrk, [one.port]),
      twoPlain: () => loadProxies(wrk, [one.port, other.port]),
    });
    const cost = (of: keyof Cost, from: readonly Cost[]) => median(from.map((each) => each[of]));
    const worker = cost("workerUs", costs.single);
    const daemonUs = cost("daemonUs", costs.single);
    tell(
      "scale-workers",
      { single, double, plain, twoPlain, costs },
      `a request costs a worker ${worker.toFixed(0)} us of a core and the daemon ${daemonUs.toFixed(0)} us (with two workers ${cost("workerUs", costs.double).toFixed(0)} and ${cost("daemonUs", costs.double).toFixed(0)}): one daemon can feed ${(worker / daemonUs).toFixed(1)} workers where each has a core`,
    );
    return [
      createRow({
        name: "scale-workers/two-to-one",
        unit: "requests/s",
        values: double,
        against: { name: "one worker", values: single },
        goal: { of: "ratio", must: ">=", be: 1.7 },
      }),
      createRow({
        name: "scale-workers/two-plain-to-one",
        unit: "requests/s",
        values: twoPlain,
        against: { name: "one plain proxy of Node", values: plain },
      }),
    ];
  },
};

/** Processor time of one request, in microseconds. */
interface Cost {
  readonly workerUs: number;
  readonly daemonUs: number;
}

interface Loaded extends Cost {
  readonly rate: number;
}

function noted(costs: Cost[], { rate, workerUs, daemonUs }: Loaded): number {
  costs.push({ workerUs, daemonUs });
  return rate;
}

/** Requests a second of all runs together. @throws {Fault} `bench.scale` where not so many workers served them. */
async function loadRuns(
  daemon: Daemon,
  runs: readonly string[],
  words: readonly string[],
  workers: number,
): Promise<Loaded> {
  const before = cpuOf(daemon.pid);
  const rates = await Promise.all(
    runs.map(async (run) => parseWrk(await execute(daemon, run, words))),
  );
  const after = cpuOf(daemon.pid);
  const used = [...after].map(([pid, { seconds }]) => ({
    pid,
    seconds: seconds - (before.get(pid)?.seconds ?? 0),
  }));
  const all = used.filter(({ pid }) => isWorker(pid));
  const most = Math.max(...all.map(({ seconds }) => seconds));
  const ofWorkers = all.filter(({ seconds }) => seconds > most * SERVING_SHARE);
  if (ofWorkers.length !== workers) {
    throw new Fault(
      "bench.scale",
      `${ofWorkers.length} workers served ${runs.length} runs, not ${workers}`,
    );
  }
  const rate = rates.reduce((sum, each) => sum + each, 0);
  const us = (seconds: number) => (seconds * 1e6) / (rate * SECONDS);
  return {
    rate,
    workerUs: us(ofWorkers.reduce((sum, { seconds }) => sum + seconds, 0)),
    daemonUs: us(used.find(({ pid }) => pid === daemon.pid)?.seconds ?? 0),
  };
}

function isWorker(pid: number): boolean {
  try {
    return /worker.main/.test(readFileSync(`/proc/${pid}/cmdline`, "latin1"));
  } catch {
    return false; // It ended meanwhile.
  }
}

/** The second is started behind the first run; it is ready when it has nothing more to load. */
async function untilWorkers(daemon: Daemon, count: number): Promise<void> {
  let before = -1;
  for (const deadline = Date.now() + WORKER_MS_MAX; Date.now() < deadline; await sleep(1000)) {
    const workers = [...cpuOf(daemon.pid)].filter(([pid]) => isWorker(pid));
    const seconds = workers.reduce((sum, [, one]) => sum + one.seconds, 0);
    if (workers.length >= count && seconds === before) return;
    before = seconds;
  }
  throw new Fault("bench.scale", "no second worker is started");
}

async function execute(daemon: Daemon, run: string, argv: readonly string[]): Promise<string> {
  const said: Buffer[] = [];
  for await (const line of daemon.client.stream("run.exec", { run, argv: [...argv] })) {
    if (line.type === "stdout") said.push(Buffer.from(line.data, "base64"));
    if (line.type === "ended" && line.code !== 0) {
      throw new Fault("bench.scale", `wrk failed in a run: ${Buffer.concat(said).toString()}`);
    }
  }
  return Buffer.concat(said).toString();
}

interface Proxy extends Companion {
  readonly port: number;
}

async function startProxy({ tlsPort, caFile }: Upstream): Promise<Proxy> {
  const folder = join(caFile, "..");
  const files = [join(folder, "certificate.pem"), join(folder, "key.pem")];
  const program = join(ROOT, "bench", "tools", "plain-proxy.mjs");
  const companion = startCompanion([process.execPath, program, `${tlsPort}`, ...files]);
  const { stdout } = companion.child;
  if (stdout === null) throw new Fault("bench.scale", "a proxy without output");
  const [port] = (await once(stdout, "data")) as [Buffer];
  return { ...companion, port: Number(port.toString()) };
}

async function loadProxies(wrk: string, ports: readonly number[]): Promise<number> {
  const rates = await Promise.all(
    ports.map(async (port) => {
      const words = [...wrkWords(wrk, `https://localhost:${port}/1k`, SECONDS), `-c${CONNECTIONS}`];
      return parseWrk(await runProgram(words));
    }),
  );
  return rates.reduce((sum, each) => sum + each, 0);
}
