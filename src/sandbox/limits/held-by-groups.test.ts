/** Limits held by the control groups of this very host, where this user may make some. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { TaskCompute } from "../../policy/index.ts";
import { closeCgroups, groupNames, openCgroups, type CgroupHost } from "./cgroup-host.ts";
import { createLimits, type Limits } from "./create-limits.ts";
import { planLimits, type Controllers } from "./limits.ts";
import { reapGroups, RunGroup } from "./run-group.ts";
import { bomb, hog, startLimited, until, type LimitedTarget } from "./target.fixture.ts";

const MIB = 2 ** 20;
const host = openCgroups(`test-${process.pid}`);
const { cpu, memory, pids } = host.controllers;
const skip = [cpu, memory, pids].includes("none") && "this user has no control groups here";
const folder = mkdtempSync(join(tmpdir(), "cofferdam-groups-"));
after(() => {
  closeCgroups(host);
  rmSync(folder, { recursive: true });
});
let runs = 0;

interface Held {
  readonly limits: Limits;
  readonly target: LimitedTarget;
  readonly group: RunGroup;
}

/** Runs `script` under `compute`, as the daemon does, and ends it after `use`. */
async function hold(
  compute: Partial<TaskCompute>,
  script: string,
  use: (held: Held) => Promise<void>,
  controllers: Partial<Controllers> = {},
): Promise<void> {
  runs += 1;
  const id = `run-${runs}`;
  const there: CgroupHost = { ...host, controllers: { ...host.controllers, ...controllers } };
  const plan = planLimits(
    { controllers: there.controllers, gpus: [] },
    { gpu: "none", ...compute },
  );
  const limits = createLimits(there, plan, { id, folders: [] });
  const target = await startLimited(script);
  await limits.admit(target.launcherPid);
  // The launcher's children follow it; this one was made before.
  await limits.admit(target.initPid);
  limits.place(target.initPid);
  try {
    await use({ limits, target, group: new RunGroup(there, id) });
  } finally {
    await limits.close().finally(() => target.end());
  }
  assert.ok(!groupNames(host).includes(id), "its groups are given back");
}

test("INV-17: a fork bomb ends at the limit, and its twin passes", { skip }, async () => {
  await hold({ pids: 40 }, bomb("wait"), async ({ limits, target }) => {
    target.go();
    await until(() => target.output() !== "");
    const count = Number(target.output());
    assert.ok(count > 20 && count < 60, `it got ${count} of 300`);
    assert.ok((limits.usage().pids ?? 0) > 20);
  });
  await hold({ pids: 400 }, bomb("wait"), async ({ target }) => {
    target.go();
    await until(() => target.output() !== "");
    assert.equal(target.output().trim(), "300");
  });
});

test("INV-17: a memory hog is ended by the kernel, and its twin passes", { skip }, async () => {
  await hold({ memoryBytes: 64 * MIB }, `${hog(200)}; echo code $?`, async ({ limits, target }) => {
    target.go();
    await target.ended;
    assert.equal(target.output(), "code 137\n", "killed, while the shell beside it goes on");
    const usage = limits.usage();
    assert.ok((usage.oomKills ?? 0) > 0);
    assert.ok((usage.memoryPeakBytes ?? 0) <= 64 * MIB);
  });
  await hold(
    { memoryBytes: 256 * MIB },
    `${hog(100)}; echo code $?`,
    async ({ limits, target }) => {
      target.go();
      await target.ended;
      assert.equal(target.output(), "took\ncode 0\n");
      assert.ok((limits.usage().memoryPeakBytes ?? 0) > 100 * MIB);
    },
  );
});

test("INV-17: a quota of processor time is written, and holds", { skip }, async () => {
  const spin = "while :; do :; done";
  await hold({ cpus: 0.2 }, spin, async ({ limits, target, group }) => {
    assert.ok(group.holds(target.initPid));
    target.go();
    const before = limits.usage().cpuMs ?? 0;
    const since = performance.now();
    await sleep(600);
    const used = (limits.usage().cpuMs ?? 0) - before;
    // Alone it would take nearly all of one processor; at most a period more than its share.
    assert.ok(used < 0.2 * (performance.now() - since) + 100, `${used} ms`);
    assert.ok(used > 0, "and it is counted");
  });
});

const FREEZERS = [
  // freezer, kill, why
  [{}, "what this host offers best"],
  [{ freezer: "v1", kill: "v1" }, "the freezer of v1"],
] as const;
for (const [controllers, why] of FREEZERS) {
  const absent = "freezer" in controllers && !host.v1.has("freezer") && "no such freezer here";
  test(
    `pause stops a counter, resume lets it go on: ${why}`,
    { skip: skip || absent },
    async () => {
      const path = join(folder, `counter-${runs}`);
      const count = `i=0; while :; do i=$((i+1)); echo $i > ${path}; done`;
      const read = () => readFileSync(path, "utf8");
      await hold(
        {},
        count,
        async ({ limits, target }) => {
          target.go();
          await until(() => Number(safely(read)) > 10);
          await limits.pause();
          const stopped = read();
          await sleep(50);
          assert.equal(read(), stopped, "not one instruction more");
          await limits.resume();
          await until(() => Number(safely(read)) > Number(stopped));
          await limits.pause();
          await limits.kill(); // Also what is paused.
          await target.ended;
        },
        controllers,
      );
    },
  );
}

/** Between truncation and write the file is empty. */
function safely(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

test(
  "INV-24: kill ends every process, also one that left its session and parent",
  { skip },
  async () => {
    for (const controllers of [{}, { freezer: "v1", kill: "v1" }, { kill: "none" }] as const) {
      await hold(
        {},
        "(setsid sleep 1000 &) ; (setsid sh -c 'sleep 1000 & sleep 1000' &) ; echo started; sleep 1000",
        async ({ limits, target, group }) => {
          target.go();
          await until(() => target.output().includes("started"));
          await until(() => group.pids().length > 5);
          await limits.kill();
          assert.deepEqual(group.pids(), []);
        },
        controllers,
      );
    }
  },
);

test(
  "what runs of a dead daemon left is ended and removed, the living are not",
  { skip },
  async () => {
    const [left, living] = ["left-behind", "still-alive"].map((name) => new RunGroup(host, name));
    const orphan = await startLimited("sleep 1000");
    const other = await startLimited("sleep 1000");
    await left?.place(orphan.initPid);
    await living?.place(other.initPid);
    assert.deepEqual(await reapGroups(host, new Set(["still-alive"])), ["left-behind"]);
    await orphan.ended;
    assert.deepEqual(living?.pids(), [other.initPid]);
    await other.end();
    await living?.remove();
  },
);

test("sandbox.cgroup: a process that is not in the groups is not taken", { skip }, async () => {
  const plan = planLimits({ controllers: host.controllers, gpus: [] }, { gpu: "none" });
  const limits = createLimits(host, plan, { id: "empty", folders: [] });
  assert.throws(() => limits.place(process.pid), { code: "sandbox.cgroup" });
  await limits.close();
});
