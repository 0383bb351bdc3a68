/**
 * How soon what a finding leads to holds, while the agent floods: from the finding to the run being frozen and all of
 * its connections being cut, as the record has it.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../../src/base/index.ts";
import { startDaemon, type Daemon } from "../daemon.ts";
import type { Part } from "../part.ts";
import { createRow } from "../row.ts";
import { quantile } from "../statistics.ts";

const RUNS = 40;
const WAIT_MS_MAX = 30_000;
const LOOK_MS = 50;
const TASK = `task: bench
purpose: Measure how soon a finding is answered.
grants: []
respond: { scan: [cut, revoke, confirm-all, pause] }
`;
/** Connects to whatever is refused, by four processes, for as long as they are let. */
const FLOOD = `
const net = require("node:net");
const again = () => {
  const socket = net.connect({ host: "10.7." + (Math.random() * 250 | 0) + ".9", port: 80 });
  socket.on("error", again).on("close", () => {});
};
for (let n = 0; n < 50; n += 1) again();
`;

export const respond: Part = {
  name: "respond",
  async measure({ scratch, profiles }) {
    await using daemon = await startDaemon(scratch, { profiles });
    for (let n = 0; n < RUNS; n += 1) await answered(daemon);
    const within: number[] = [];
    for await (const { type, data } of daemon.client.stream("log.read", { follow: false })) {
      if (type === "response" && typeof data?.["withinMs"] === "number")
        within.push(data["withinMs"]);
    }
    if (within.length < RUNS)
      throw new Fault("bench.respond", `${within.length} of ${RUNS} answered`);
    return [
      createRow({ name: "respond/holds-p50", unit: "ms", values: [quantile(within, 0.5)] }),
      createRow({
        name: "respond/holds-p99",
        unit: "ms",
        values: [quantile(within, 0.99)],
        goal: { of: "value", must: "<", be: 1000 },
      }),
    ];
  },
};

/** One run that floods, until it is frozen. */
async function answered({ client, start }: Daemon): Promise<void> {
  const command = `for n in 1 2 3 4; do node -e '${FLOOD}' & done; wait`;
  const { run } = await start(["/bin/sh", "-c", command], { task: TASK, detach: true });
  for (const deadline = Date.now() + WAIT_MS_MAX; ; await sleep(LOOK_MS)) {
    const { state } = await client.call("run.show", { run });
    if (state === "paused") break;
    if (state === "ended" || Date.now() > deadline) {
      throw new Fault("bench.respond", `the run is ${state}, and was not frozen`);
    }
  }
  await client.call("run.kill", { run });
}
