/**
 * The watching thread: {@link Supervisor} between this thread's port and its wake-up.
 *
 * @module
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { assert } from "../base/index.ts";
import { forgetThreads } from "../sys/index.ts";
import type { Order, Report, WorkerSetup } from "./messages.ts";
import { Supervisor } from "./supervisor.ts";

/** Serves this thread's port until the main thread says that it is time to end. */
export function superviseThread(events: number | undefined): void {
  const port = parentPort;
  assert(port !== null, "only a worker is supervised so");
  const { wake, ending, reports } = workerData as WorkerSetup;
  const takeOrders = (): readonly Order[] => {
    const orders: Order[] = [];
    for (;;) {
      const message = receiveMessageOnPort(port);
      if (message === undefined) return orders;
      orders.push(message.message as Order);
    }
  };
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window.
  const post = (report: Report) => reports.postMessage(report);
  const supervisor = new Supervisor({ wake, post, takeOrders, events });
  supervisor.run(() => Atomics.load(ending, 0) !== 0);
  forgetThreads();
  process.exit(); // Of this thread only.
}
