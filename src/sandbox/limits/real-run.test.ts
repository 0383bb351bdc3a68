/** Limits around a real sandbox of the real launcher, by whatever this host offers this user. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hold, makePlace, runCommand } from "../sandbox.fixture.ts";
import { closeCgroups, openCgroups } from "./cgroup-host.ts";
import { createLimits } from "./create-limits.ts";
import { planLimits } from "./limits.ts";
import { bomb } from "./target.fixture.ts";

for (const [pids, holds] of [
  [50, true],
  [400, false],
] as const) {
  const title = holds ? "a fork bomb in a sandbox ends at its limit" : "its benign twin passes";
  test(`INV-17: ${title}`, async () => {
    const host = openCgroups(`real-${process.pid}-${pids}`);
    const plan = planLimits({ controllers: host.controllers, gpus: [] }, { gpu: "none", pids });
    const limits = createLimits(host, plan, { id: "run", folders: [] });
    const place = await makePlace();
    const held = await hold({
      ...place.spec,
      limits: plan.rlimits,
      admit: (pid) => limits.admit(pid),
    });
    limits.place(held.sandbox.initPid);
    const { stdout } = await runCommand(held, ["/bin/sh", "-c", bomb("end")]);
    const count = Number(stdout);
    assert.ok(holds ? count > 30 && count < 70 : count === 300, `it got ${count} of 300`);
    await held.end();
    await limits.close();
    closeCgroups(host);
    await place.remove();
  });
}
