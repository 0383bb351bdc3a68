import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { TaskCompute } from "../../policy/index.ts";
import { planLimits, type CgroupVersion, type Controllers, type LimitName } from "./limits.ts";
import { limitsTable } from "./table.ts";

const all = (version: CgroupVersion): Controllers => ({
  cpu: version,
  memory: version,
  pids: version,
  freezer: version,
  kill: version,
});
const HYBRID: Controllers = { ...all("v1"), freezer: "v2", kill: "v2" };
const everything: TaskCompute = {
  cpus: 2,
  memoryBytes: 2 ** 30,
  pids: 100,
  diskBytes: 2 ** 30,
  gpu: "none",
};

const HELD = [
  // controllers, limit, how, hard, why
  [all("v2"), "cpus", "cgroup2", true, "a quota of the kernel's"],
  [all("v1"), "cpus", "cgroup1", true, "the same on v1"],
  [all("v2"), "memory", "cgroup2", true, "the kernel ends the largest process"],
  [all("v1"), "memory", "cgroup1", true, "the same on v1"],
  [all("v2"), "pids", "cgroup2", true, "a fork fails"],
  [all("v1"), "disk", "poll", false, "nothing of the kernel's counts a folder"],
  [HYBRID, "pause", "cgroup2", true, "a v2 without controllers still freezes"],
  [HYBRID, "kill", "cgroup2", true, "and kills"],
  [all("v1"), "pause", "cgroup1", true, "the freezer of v1"],
] as const;
for (const [controllers, limit, how, hard, why] of HELD) {
  test(`${limit} is held by ${how}, ${hard ? "hard" : "soft"}: ${why}`, () => {
    const plan = planLimits({ controllers, gpus: [] }, everything);
    const held = plan.held.find((one) => one.limit === limit);
    assert.deepEqual([held?.how, held?.hard], [how, hard]);
  });
}

const FALLBACKS = [
  // limit, how, hard, why
  ["memory", "poll", false, "looked at from outside, and ended"],
  ["pids", "rlimit", true, "RLIMIT_NPROC counts within the run's user namespace"],
  ["pause", "signals", false, "SIGSTOP can be noticed"],
  ["kill", "namespace", true, "process 1 takes all along"],
] as const;
for (const [limit, how, hard, why] of FALLBACKS) {
  test(`without control groups ${limit} is held by ${how}: ${why}`, () => {
    const { cpus: _, ...compute } = everything;
    const plan = planLimits({ controllers: all("none"), gpus: [] }, compute);
    const held = plan.held.find((one) => one.limit === limit);
    assert.deepEqual([held?.how, held?.hard], [how, hard]);
  });
}

test("INV-17: memory that no task names is half of the host's, where a control group holds it", () => {
  const memoryBytes = 2 ** 34;
  for (const [version, held] of [
    ["v2", 2 ** 33],
    ["v1", 2 ** 33],
    ["none", undefined],
  ] as const) {
    const host = { controllers: all(version), gpus: [], memoryBytes };
    const plan = planLimits(host, { gpu: "none" });
    assert.equal(plan.cgroup.memoryBytes, held, version);
    assert.equal(plan.polled.memoryBytes, undefined, "no run is polled unasked");
    const named = planLimits(host, { gpu: "none", memoryBytes: 2 ** 20 });
    assert.equal(
      named.cgroup.memoryBytes ?? named.polled.memoryBytes,
      2 ** 20,
      "a task's own word",
    );
  }
});

const REFUSED = [
  // compute, named, why
  [{ cpus: 2, gpu: "none" }, "compute.cpus", "a priority or an affinity is no limit"],
  [{ gpu: [3] }, "compute.gpu", "there is no such device"],
  [{ gpu: "all" }, "compute.gpu", "there is no device at all"],
  [{ cpus: 1, gpu: [0] }, "compute.cpus, compute.gpu", "all are named at once"],
] as const;
for (const [compute, named, why] of REFUSED) {
  test(`INV-17: sandbox.limit: ${named} is refused where nothing holds it: ${why}`, () => {
    assert.throws(
      () => planLimits({ controllers: all("none"), gpus: [] }, compute),
      (error: { code: string; message: string; hint: string }) => {
        assert.equal(error.code, "sandbox.limit");
        assert.equal(error.message, `this host cannot hold ${named}`);
        assert.match(error.hint, /root|systemd-run|nvidia/);
        return true;
      },
    );
  });
}

test("INV-17: on any host, what a task names is held by something, or refused by name", () => {
  const version = fc.constantFrom<CgroupVersion>("v2", "v1", "none");
  const controllers = fc.record({
    cpu: version,
    memory: version,
    pids: version,
    freezer: version,
    kill: version,
  });
  const amount = fc.option(fc.integer({ min: 1, max: 2 ** 40 }), { nil: undefined });
  const amounts = fc.record({ cpus: amount, memoryBytes: amount, pids: amount, diskBytes: amount });
  fc.assert(
    fc.property(controllers, amounts, (host, named) => {
      const compute = JSON.parse(JSON.stringify({ ...named, gpu: "none" })) as TaskCompute;
      if (host.cpu === "none" && compute.cpus !== undefined) {
        assert.throws(() => planLimits({ controllers: host, gpus: [] }, compute));
        return;
      }
      const plan = planLimits({ controllers: host, gpus: [] }, compute);
      const by = (limit: LimitName) => plan.held.find((one) => one.limit === limit)?.how;
      for (const limit of ["cpus", "memory", "disk"] as const) {
        const key = limit === "cpus" ? limit : (`${limit}Bytes` as const);
        assert.equal(by(limit) === "nothing", compute[key] === undefined, limit);
      }
      assert.notEqual(by("pids"), "nothing", "there is always one");
      // Each amount goes to exactly one place that holds it.
      assert.equal(plan.cgroup.pids === undefined, plan.rlimits.has(6));
      const places = [plan.cgroup.memoryBytes, plan.polled.memoryBytes];
      assert.deepEqual(
        places.filter((one) => one !== undefined),
        [compute.memoryBytes].filter((one) => one !== undefined),
      );
    }),
  );
});

test("docs/reference/limits.md shows the table as it is", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/reference/limits.md"), "utf8");
  assert.ok(page.includes(limitsTable()), `the page must contain:\n${limitsTable()}`);
});
