/**
 * How long a command in a live run takes, from asking for it to its last line, beside starting that command bare.
 *
 * @module
 */
import { Fault } from "../../src/base/index.ts";
import { startDaemon, type Daemon } from "../daemon.ts";
import type { Part } from "../part.ts";
import { createRow } from "../row.ts";
import { inTurns } from "../statistics.ts";
import { timed, timedProgram } from "../timing.ts";
import { bareSandbox } from "./start.ts";

const ROUNDS = 101;
/** A trainer's daemon has executed thousands: what Node has not compiled yet is not what is measured. */
const WARMING = 300;

export const scaleExec: Part = {
  name: "scale-exec",
  group: "scale",
  async measure({ scratch, profiles }) {
    await using daemon = await startDaemon(scratch, { profiles });
    const { run } = await daemon.start([], { detach: true });
    for (let n = 0; n < WARMING; n += 1) await execute(daemon, run);
    const { exec, first, program, bwrap } = await inTurns(ROUNDS, {
      exec: () => timed(() => execute(daemon, run)),
      first: () => firstOutput(daemon, run),
      program: () => timedProgram(["echo", "x"]),
      bwrap: () => timedProgram([...bareSandbox(), "echo", "x"]),
    });
    return [
      createRow({
        name: "scale-exec/ended",
        unit: "ms",
        values: exec,
        against: { name: "the same command, started bare", values: program },
        goal: { of: "value", must: "<", be: 8 },
      }),
      createRow({
        name: "scale-exec/first-output",
        unit: "ms",
        values: first,
        against: { name: "the same in a bare bubblewrap", values: bwrap },
      }),
    ];
  },
};

/** @throws {Fault} `bench.scale` where it does not end well. */
async function execute(daemon: Daemon, run: string): Promise<void> {
  for await (const line of daemon.client.stream("run.exec", { run, argv: ["echo", "x"] })) {
    if (line.type === "ended" && line.code !== 0) {
      throw new Fault("bench.scale", `a command ended by ${JSON.stringify(line)}`);
    }
  }
}

async function firstOutput(daemon: Daemon, run: string): Promise<number> {
  const start = performance.now();
  let ms: number | undefined;
  for await (const line of daemon.client.stream("run.exec", { run, argv: ["echo", "x"] })) {
    if (line.type === "stdout") ms ??= performance.now() - start;
  }
  if (ms === undefined) throw new Fault("bench.scale", "a command that says nothing");
  return ms;
}
