/**
 * What it adds to a connect() that the kernel holds it until the daemon has seen who connects: a loop in
 * C inside a run, beside the same loop in the network of another run, entered from outside so that nothing
 * holds it (docs/decisions/0262). Both connect to a port of the run's own loopback where nobody listens, so
 * nothing but the call is measured.
 *
 * @module
 */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import type { RunInfo } from "../../src/api/index.ts";
import { Fault } from "../../src/base/index.ts";
import { startDaemon } from "../daemon.ts";
import type { Part } from "../part.ts";
import { builtTool, systemTool } from "../place.ts";
import { runProgram } from "../program.ts";
import { createRow } from "../row.ts";
import { inTurns } from "../statistics.ts";
import { bareSandbox } from "./start.ts";

const ROUNDS = 7;
const CONNECTS = "5000";

export const connect: Part = {
  name: "connect",
  async measure({ scratch, profiles }) {
    await using daemon = await startDaemon(scratch, { profiles });
    const inside = join(daemon.workspace, "actor");
    copyFileSync(builtTool("actor"), inside);
    const loop = [inside, "latency", "127.0.0.1", "9", CONNECTS];
    const floor = floorOf(await daemon.start(["sleep", "600"], { detach: true }));
    const { held, free } = await inTurns(ROUNDS, {
      held: async () => p50Of(await daemon.run(loop)),
      free: async () => p50Of(await runProgram([...floor.within, ...loop])),
    });
    return [
      createRow({
        name: "connect/attribution",
        unit: "us",
        values: held.map((value, n) => value - (free[n] ?? Number.NaN)),
        against: { name: floor.name, values: free },
        goal: { of: "value", must: "<", be: 15 },
      }),
    ];
  },
};

interface Floor {
  readonly name: string;
  /** Words ahead of a command, which run it there. */
  readonly within: readonly string[];
}

/** The network of `run` with its rules; only root may enter that, all others get one without rules. */
function floorOf({ pid }: RunInfo): Floor {
  if (process.geteuid?.() !== 0 || pid === undefined) {
    return { name: "the connect alone, without a run's rules", within: bareSandbox() };
  }
  const within = [systemTool("nsenter", "util-linux"), "--net", `--target=${pid}`, "--"];
  return { name: "the connect alone, in a run's network", within };
}

function p50Of(text: string): number {
  const [, p50] = /^p50 ([\d.]+)/.exec(text) ?? [];
  if (p50 !== undefined) return Number(p50);
  throw new Fault("bench.load", `the connecting loop said ${JSON.stringify(text)}`);
}
