/**
 * The watching thread's entry: {@link Supervisor} between this thread's port and its wake-up.
 *
 * @module
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { assert } from "../base/index.ts";
import type { Order, WorkerSetup } from "./messages.ts";
import { Supervisor } from "./supervisor.ts";

const port = parentPort;
assert(port !== null, "worker.ts is the entry of a worker");
const { wake, ending } = workerData as WorkerSetup;

function takeOrders(): readonly Order[] {
  const orders: Order[] = [];
  for (;;) {
    const message = receiveMessageOnPort(port as NonNullable<typeof port>);
    if (message === undefined) return orders;
    orders.push(message.message as Order);
  }
}

const supervisor = new Supervisor({
  wake,
  post: (report) => port.postMessage(report),
  takeOrders,
});
supervisor.run(() => Atomics.load(ending, 0) !== 0);
process.exit(); // Of this thread only.
