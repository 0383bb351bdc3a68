/**
 * Nothing widens by itself, and a finding narrows by itself: when something is found in a run whose task lets anything pass
 * without a person, that leave is taken from the run and from the task, until a person gives it back (INV-185).
 *
 * @module
 */
import { givesLeave, withoutLeave } from "../autonomy/index.ts";
import { describeError } from "../base/index.ts";
import type { Handlers } from "./server.ts";
import type { Runs } from "./runs.ts";
import type { World } from "./world.ts";

/** Takes leave from now on; the returned function ends it. */
export function takeLeave({ ledger, unattended, clock }: World, runs: Runs): () => void {
  return ledger.subscribe(({ event }) => {
    if (event.type !== "finding") return;
    const run = runs.live.find(({ id }) => id === event.run);
    if (run === undefined || !givesLeave(run.task)) return;
    const { finding, detail } = event.data ?? {};
    const why = [finding, detail].filter((one) => typeof one === "string").join(": ");
    try {
      unattended.take(run.task.task, { atMs: clock.now().wallMs, run: run.id, why });
      const said = { by: "finding", why, leave: "taken" };
      run.narrow(withoutLeave(run.task), said).catch((error: unknown) => {
        if (run.alive) run.stop("finding", `its leave could not be taken: ${describeError(error)}`);
      });
    } catch (error) {
      run.stop("finding", `its leave could not be taken: ${describeError(error)}`);
    }
  });
}

/** What answers the endpoints on leave. */
export function leaveHandlers({
  unattended,
  ledger,
  clock,
}: World): Pick<Handlers, "autonomy.taken" | "autonomy.restore"> {
  return {
    "autonomy.taken": async ({ task }) => {
      const taken = unattended.takenFrom(task);
      if (taken === undefined) return {};
      const { atMs, run, why } = taken;
      return { taken: { at: new Date(atMs).toISOString(), run, why } };
    },
    "autonomy.restore": async ({ task }) => {
      if (unattended.takenFrom(task) === undefined) return { restored: false };
      const { wallMs, monoMs } = clock.now();
      const data = { task, leave: "restored", reason: `a person gave ${task} its leave back` };
      // On record before it holds, since it widens.
      await ledger.append(
        { type: "policy", at: new Date(wallMs).toISOString(), monoMs, data },
        { sync: true },
      );
      unattended.giveBack(task);
      return { restored: true };
    },
  };
}
