/**
 * A thread that answers about task files, one job after another; see solver.ts.
 *
 * @module
 */
import { parentPort, workerData } from "node:worker_threads";
import { assert, describeError, isFault } from "../../base/index.ts";
import { Desk, type Job, type Places } from "./jobs.ts";
import type { Report } from "./solver.ts";

assert(parentPort, "this is a thread");
const port = parentPort;
const desk = new Desk(workerData as Places);

port.on("message", (job: Job) => {
  void report(job).then((said) => port.postMessage(said, []));
});

async function report(job: Job): Promise<Report> {
  try {
    return { answer: await desk.answer(job) };
  } catch (error) {
    if (!isFault(error)) return { bug: describeError(error) };
    const { code, message, hint } = error;
    return { fault: { code, message, ...(hint !== undefined && { hint }) } };
  }
}
