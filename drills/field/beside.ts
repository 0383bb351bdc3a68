/**
 * What a person or an operator does beside a run.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Companion } from "./drill.ts";

/** How often the run is looked at, in milliseconds. */
const LOOK_EVERY_MS = 150;

/** Calls `look` until it says true, or the run has ended. */
export async function until(
  { ended }: Pick<Companion, "ended">,
  look: () => Promise<boolean>,
): Promise<void> {
  const over = { yes: false };
  const end = () => {
    over.yes = true;
  };
  void ended.then(end, end);
  while (!over.yes && !(await look())) await sleep(LOOK_EVERY_MS);
}

/** Ends a run as soon as a response has paused it: nobody is there to let it go on. */
export async function endWhenPaused(companion: Companion): Promise<undefined> {
  const { cofferdam, run } = companion;
  await until(companion, async () => {
    const { stdout } = await cofferdam.call(["ps", "--json"]);
    return stdout.split("\n").some((line) => line.includes(run) && line.includes('"paused"'));
  });
  await cofferdam.call(["kill", run]);
  return undefined;
}
