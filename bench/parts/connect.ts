/**
 * What it adds to a connect() that the kernel holds it until the daemon has seen who connects: a loop in
 * C inside a run, beside the same loop in a sandbox that holds nothing. Both connect to a port of their
 * own loopback where nobody listens, so nothing but the call is measured.
 *
 * @module
 */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../src/base/index.ts";
import { startDaemon } from "../daemon.ts";
import type { Part } from "../part.ts";
import { builtTool } from "../place.ts";
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
    const { held, free } = await inTurns(ROUNDS, {
      held: async () => p50Of(await daemon.run(loop)),
      free: async () => p50Of(await runProgram([...bareSandbox(), ...loop])),
    });
    return [
      createRow({
        name: "connect/attribution",
        unit: "us",
        values: held.map((value, n) => value - (free[n] ?? Number.NaN)),
        against: { name: "the connect alone", values: free },
        goal: { of: "value", must: "<", be: 15 },
      }),
    ];
  },
};

function p50Of(text: string): number {
  const [, p50] = /^p50 ([\d.]+)/.exec(text) ?? [];
  if (p50 !== undefined) return Number(p50);
  throw new Fault("bench.load", `the connecting loop said ${JSON.stringify(text)}`);
}
