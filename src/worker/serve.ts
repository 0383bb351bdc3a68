/**
 * A worker: the process in which what runs and their servers say is parsed. Loaded whole, then sealed,
 * then handed sockets. It ends with the daemon, and by any failure: another takes its place.
 *
 * @module
 */
import { Socket } from "node:net";
import { createLog, Fault } from "../base/index.ts";
import { createUpstreamTrust, loadBrokers, type UpstreamTrust } from "../gateway/index.ts";
import { allProtocols, loadProtocols } from "../protocols/index.ts";
import { Calls } from "./calls.ts";
import { describeHeld } from "./describe.ts";
import { CLOSED, Lines } from "./lines.ts";
import type { Order } from "./protocol.ts";
import { serveRun, type RemoteRun } from "./remote-run.ts";
import { seal } from "./seal.ts";

const CONTROL_FD = 3;
const CARRIER_FD = 4;

const log = createLog((line) => void process.stderr.write(line));
const runs = new Map<string, RemoteRun>();
let trust: UpstreamTrust | undefined;

const [canary = "", id = "", loads = "nothing"] = process.argv.slice(2);
const stream = new Socket({ fd: CONTROL_FD, readable: true, writable: true });
if (loads !== "nothing") await loadProtocols(allProtocols().keys());
if (loads === "brokers") await loadBrokers();
const sealed = await seal(canary, Number(id));
const lines = new Lines(stream, {
  lineBytesMax: Number.POSITIVE_INFINITY, // The daemon's own words.
  hear: (line) => (line as readonly Order[]).forEach(obey),
  ended(why) {
    if (why !== CLOSED) log.warn("worker.ended", { why });
    process.exit(why === CLOSED ? 0 : 1);
  },
});
const calls = new Calls(lines, CARRIER_FD);
lines.send({ sealed });

function obey(order: Order): void {
  switch (order.order) {
    case "begin":
      trust = createUpstreamTrust(() => order.authorities);
      return;
    case "serve":
      if (trust === undefined) throw new Fault("worker.order", "a run before the authorities");
      runs.set(order.run, serveRun(order, { calls, log, trust }));
      return;
    case "listen": {
      const fd = calls.takeDescriptor();
      const { gateway } = runOf(order.run);
      if (order.kind === "tcp") gateway.acceptTcp(fd);
      else gateway.acceptDns(fd);
      return;
    }
    case "recheck":
      calls.note({ say: "rechecked", run: order.run, cut: runOf(order.run).recheck(order) });
      return;
    case "perform":
      void runOf(order.run).perform(order);
      return;
    case "describe":
      calls.note(describeHeld(order));
      return;
    case "stop":
      void stop(order.run);
      return;
    case "ping":
      calls.note({ say: "pong" });
      return;
    default:
      calls.answered(order);
  }
}

async function stop(run: string): Promise<void> {
  await runOf(run).gateway.close();
  runs.delete(run);
  calls.note({ say: "stopped", run });
}

function runOf(id: string): RemoteRun {
  const run = runs.get(id);
  if (run === undefined) throw new Fault("worker.order", `no run ${id}`);
  return run;
}
