/**
 * How fast runs are made: one whose sandbox waits, to its first output; and as many as there can be in a row, each to
 * its end, beside as many bare sandboxes.
 *
 * @module
 */
import { connectedRun } from "../first-output.ts";
import { startDaemon, type Daemon } from "../daemon.ts";
import type { Part } from "../part.ts";
import { createRow } from "../row.ts";
import { inTurns } from "../statistics.ts";
import { timed, timedProgram } from "../timing.ts";
import { runProgram } from "../program.ts";
import { bareSandbox } from "./start.ts";

const ROUNDS = 41;
/** A trainer's daemon has made thousands: what Node has not compiled yet is not what is measured. */
const WARMING = 100;
const SERIES = 2;
const AT_ONCE = 8;
const SUSTAINED = 150;
const ECHO = ["echo", "x"];

export const scaleCreate: Part = {
  name: "scale-create",
  group: "scale",
  async measure({ scratch, profiles }) {
    await using daemon = await startDaemon(scratch, { profiles });
    for (let n = 0; n < WARMING; n += 1) await daemon.run(ECHO);
    const { bwrap, first } = await inTurns(ROUNDS, {
      bwrap: () => timedProgram([...bareSandbox(), ...ECHO]),
      first: async () => {
        await daemon.settle();
        return connectedRun(daemon, ECHO);
      },
    });
    const { bare, ours } = await inTurns(SERIES, {
      bare: async () => (SUSTAINED * 1000) / (await timed(bareSandboxes)),
      ours: async () => (SUSTAINED * 1000) / (await timed(() => runAll(daemon))),
    });
    return [
      createRow({
        name: "scale-create/first-output",
        unit: "ms",
        values: first,
        against: { name: "bare bubblewrap, to the end", values: bwrap },
        goal: { of: "value", must: "<", be: 15 },
      }),
      createRow({
        name: "scale-create/sustained",
        unit: "runs/s",
        values: ours,
        against: { name: `bare bubblewraps, ${AT_ONCE} at once`, values: bare },
        goal: { of: "value", must: ">=", be: 60 },
      }),
    ];
  },
};

async function runAll(daemon: Daemon): Promise<void> {
  let left = SUSTAINED;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await daemon.run(ECHO);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

async function bareSandboxes(): Promise<void> {
  const one = [...bareSandbox(), ...ECHO].join(" ");
  const script = `seq ${SUSTAINED} | xargs -P ${AT_ONCE} -I '{}' ${one}`;
  await runProgram(["/bin/sh", "-c", script]);
}
