/** What stands in for control groups, tried as an ordinary user. */
import assert from "node:assert/strict";
import {
  chmodSync,
  closeSync,
  linkSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { TaskCompute } from "../../policy/index.ts";
import { NO_CGROUPS } from "./cgroup-host.ts";
import { createLimits, type Limits } from "./create-limits.ts";
import { countDisk } from "./disk.ts";
import { planLimits } from "./limits.ts";
import { RunTree } from "./run-tree.ts";
import { bomb, hog, startLimited, until, type LimitedTarget } from "./target.fixture.ts";

const MIB = 2 ** 20;
const folder = mkdtempSync(join(tmpdir(), "cofferdam-limits-"));
chmodSync(folder, 0o777);
after(() => rmSync(folder, { recursive: true }));

/** Runs `script` under `compute` as an ordinary user, and ends it after `use`. */
async function hold(
  compute: Partial<TaskCompute>,
  script: string,
  use: (limits: Limits, target: LimitedTarget, told: string[]) => Promise<void>,
  folders: readonly string[] = [],
): Promise<void> {
  const { controllers } = NO_CGROUPS;
  const plan = planLimits({ controllers, gpus: [] }, { gpu: "none", ...compute });
  const nproc = plan.rlimits.get(6)?.[0];
  const target = await startLimited(script, { user: true, ...(nproc !== undefined && { nproc }) });
  const limits = createLimits(NO_CGROUPS, plan, { id: "run", folders });
  const told: string[] = [];
  limits.onExceeded((what) => void told.push(what));
  await limits.admit(target.launcherPid);
  limits.place(target.initPid);
  try {
    await use(limits, target, told);
  } finally {
    await limits.close();
    await target.end();
  }
}

test("INV-17: RLIMIT_NPROC in its own user namespace ends a fork bomb, and its twin passes", async () => {
  await hold({ pids: 40 }, bomb("wait"), async (limits, target) => {
    target.go();
    await until(() => target.output() !== "");
    const count = Number(target.output());
    assert.ok(count > 20 && count < 60, `it got ${count} of 300`);
    assert.ok((limits.usage().pids ?? 0) > 20);
  });
  await hold({ pids: 400 }, bomb("wait"), async (_, target) => {
    target.go();
    await until(() => target.output() !== "");
    assert.equal(target.output().trim(), "300");
  });
});

test("INV-17: a memory hog is seen and told, and its twin is not", async () => {
  const keep = (mib: number) => `${hog(mib).slice(0, -1)}; import time; time.sleep(1000)"`;
  await hold({ memoryBytes: 64 * MIB }, keep(150), async (limits, target, told) => {
    target.go();
    await until(() => told.length > 0);
    assert.match(told[0] ?? "", /^memory: \d+ of 67108864 bytes$/);
    await limits.kill();
    await target.ended;
  });
  await hold({ memoryBytes: 256 * MIB }, keep(50), async (limits, target, told) => {
    target.go();
    await until(() => target.output().includes("took"));
    await until(() => (limits.usage().memoryPeakBytes ?? 0) > 50 * MIB);
    assert.deepEqual(told, []);
  });
});

test("INV-17: memory of a process whose first thread ended counts as well", async () => {
  const script = `python3 -c "
import ctypes, threading, time
kept = []
def take():
    b = bytearray(150 << 20); b[::4096] = b'x' * len(b[::4096]); kept.append(b)
    print('took', flush=True); time.sleep(1000)
threading.Thread(target=take).start()
time.sleep(0.1)
ctypes.CDLL(None).pthread_exit(None)"`;
  await hold({ memoryBytes: 64 * MIB }, script, async (_, target, told) => {
    target.go();
    await until(() => told.length > 0);
  });
});

test("INV-17: what is written beyond the limit is seen, also deleted files that stay open", async () => {
  const write = (mib: number) => `dd if=/dev/zero of=${folder}/big bs=1M count=${mib} status=none`;
  const hidden = `exec 5> ${folder}/hidden; rm ${folder}/hidden; dd if=/dev/zero bs=1M count=30 status=none >&5`;
  for (const script of [write(30), hidden]) {
    await hold(
      { diskBytes: 20 * MIB },
      `${script}; echo done; sleep 1000`,
      async (_, target, told) => {
        target.go();
        await until(() => told.length > 0);
        assert.match(told[0] ?? "", /^disk: \d+ of 20971520 bytes$/);
      },
      [folder],
    );
    rmSync(join(folder, "big"), { force: true });
  }
  await hold(
    { diskBytes: 20 * MIB },
    `${write(10)}; echo done; sleep 1000`,
    async (_, target, told) => {
      target.go();
      await until(() => target.output().includes("done"));
      assert.equal((await countDisk([folder], [])) > 10 * MIB, true);
      assert.deepEqual(told, []);
    },
    [folder],
  );
});

test("what is on disk is counted once, however many names it has", async () => {
  const place = mkdtempSync(join(folder, "count-"));
  writeFileSync(join(place, "one"), Buffer.alloc(MIB));
  const alone = await countDisk([place], []);
  linkSync(join(place, "one"), join(place, "two"));
  symlinkSync("/", join(place, "root"));
  assert.equal(await countDisk([place], []), alone, "neither twice, nor what a link leads to");
  assert.equal(await countDisk([join(place, "absent")], []), 0);
});

test("pause stops a counter by signals, and resume leaves stopped what the agent had stopped", async () => {
  const path = join(folder, "counter");
  const script = `sleep 1000 & kill -STOP $!; echo $!; i=0; while :; do i=$((i+1)); echo $i > ${path}; done`;
  const count = () => Number(readFileSync(path, "utf8"));
  await hold({}, script, async (limits, target) => {
    target.go();
    await until(() => target.output() !== "" && exists(path) && count() > 10);
    await limits.pause();
    const stopped = readFileSync(path, "utf8");
    await sleep(50);
    assert.equal(readFileSync(path, "utf8"), stopped, "not one instruction more");
    await limits.resume();
    await until(() => count() > Number(stopped));
    const tree = new RunTree(target.initPid);
    const states = tree
      .pids()
      .map((pid) => readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[2]);
    tree.close();
    assert.ok(states.includes("T"), "its own stopped job stays stopped");
    await limits.pause();
    await limits.kill();
    await target.ended;
  });
});

test("INV-24: kill ends every process, also one that left its session and parent", async () => {
  const script = "(setsid sleep 1000 &) ; echo started; sleep 1000";
  await hold({}, script, async (limits, target) => {
    target.go();
    await until(() => target.output().includes("started"));
    const tree = new RunTree(target.initPid);
    await until(() => tree.pids().length >= 3);
    const pids = tree.pids();
    await limits.kill();
    assert.deepEqual(
      pids.filter((pid) => exists(`/proc/${pid}`)),
      [],
    );
    assert.deepEqual(tree.pids(), [], "and nobody else is taken for one of them");
    await tree.kill();
    tree.close();
  });
});

function exists(path: string): boolean {
  try {
    closeSync(openSync(path, "r"));
    return true;
  } catch {
    return false;
  }
}

test("processor time is counted, and remembered when the run has ended", async () => {
  const script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; sleep 1000";
  await hold({}, script, async (limits, target) => {
    target.go();
    await until(() => target.output().includes("done"));
    const used = limits.usage().cpuMs ?? 0;
    assert.ok(used > 0);
    await limits.kill();
    assert.ok((limits.usage().cpuMs ?? 0) >= used);
  });
});
