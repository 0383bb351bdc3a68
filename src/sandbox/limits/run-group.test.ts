/** Groups whose files are ordinary ones: what is written, and what is said where nothing obeys. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { NO_CGROUPS, type CgroupHost } from "./cgroup-host.ts";
import type { CgroupVersion } from "./limits.ts";
import { RunGroup } from "./run-group.ts";

const folder = mkdtempSync(join(tmpdir(), "cofferdam-run-group-"));
after(() => rmSync(folder, { recursive: true }));

function pretend(name: string, version: CgroupVersion): { host: CgroupHost; place: string } {
  const place = join(folder, name);
  const controllers = {
    cpu: version,
    memory: version,
    pids: version,
    freezer: version,
    kill: version,
  };
  const v1 = new Map(
    (["cpu", "memory", "pids", "freezer", "cpuacct"] as const).map((one) => [one, place] as const),
  );
  mkdirSync(join(place, "run"), { recursive: true });
  writeFileSync(join(place, "run", "memory.swap.max"), "max\n");
  writeFileSync(join(place, "run", "memory.memsw.limit_in_bytes"), "9223372036854771712\n");
  const host =
    version === "v2"
      ? { controllers, v2: place, v1: new Map() }
      : { controllers, v2: undefined, v1 };
  return { host, place: join(place, "run") };
}

const LIMITS = { cpus: 1.5, memoryBytes: 2 ** 26, pids: 40 };
const FILES = [
  // version, file, content, why
  ["v2", "cpu.max", "150000 100000", "quota and period"],
  ["v2", "memory.max", "67108864", "memory"],
  ["v2", "memory.swap.max", "0", "no swap beyond it"],
  ["v2", "pids.max", "40", "processes and threads"],
  ["v1", "cpu.cfs_quota_us", "150000", "quota"],
  ["v1", "cpu.cfs_period_us", "100000", "of this period"],
  ["v1", "memory.limit_in_bytes", "67108864", "memory"],
  ["v1", "memory.memsw.limit_in_bytes", "67108864", "memory with swap"],
  ["v1", "pids.max", "40", "processes and threads"],
] as const;
for (const [version, file, content, why] of FILES) {
  test(`${version} writes ${file}: ${why}`, () => {
    const { host, place } = pretend(`files-${version}`, version);
    new RunGroup(host, "run").limit(LIMITS);
    assert.equal(readFileSync(join(place, file), "utf8"), content);
  });
}

const USES = [
  // version, files, what it comes to
  [
    "v2",
    {
      "cpu.stat": "usage_usec 1500000\nuser_usec 1\n",
      "memory.current": "1000\n",
      "memory.peak": "2000\n",
      "pids.current": "3\n",
      "io.stat": "8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2 rios=1\n",
      "memory.events": "oom 1\noom_kill 2\n",
    },
    {
      cpuMs: 1500,
      memoryBytes: 1000,
      memoryPeakBytes: 2000,
      pids: 3,
      readBytes: 11,
      writtenBytes: 22,
      oomKills: 2,
    },
  ],
  [
    "v1",
    {
      "cpuacct.usage": "1500000000\n",
      "memory.usage_in_bytes": "1000\n",
      "memory.max_usage_in_bytes": "2000\n",
      "pids.current": "3\n",
      "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    },
    {
      cpuMs: 1500,
      memoryBytes: 1000,
      memoryPeakBytes: 2000,
      pids: 3,
      readBytes: undefined,
      writtenBytes: undefined,
      oomKills: 2,
    },
  ],
] as const;
for (const [version, files, expected] of USES) {
  test(`${version}: what was used is read from the group's files`, () => {
    const { host, place } = pretend(`use-${version}`, version);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text);
    assert.deepEqual(new RunGroup(host, "run").usage(), expected);
  });
}

test("sandbox.pause, sandbox.kill: where processes do not obey, that is said", async () => {
  const busy = spawn("/bin/sh", ["-c", "while :; do :; done"], { stdio: "ignore" });
  const { host, place } = pretend("deaf", "v2");
  writeFileSync(join(place, "cgroup.procs"), `${busy.pid}\n`);
  const group = new RunGroup(host, "run");
  const [pause, kill] = await Promise.allSettled([group.freeze(), group.kill()]);
  busy.kill("SIGKILL");
  const codes = [pause, kill].map((one) =>
    one.status === "rejected" ? one.reason.code : "obeyed",
  );
  assert.deepEqual(codes, ["sandbox.pause", "sandbox.kill"]);
});

test("sandbox.cgroup: groups that cannot be made are no groups", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  const host = { ...NO_CGROUPS, v2: file };
  assert.throws(() => new RunGroup(host, "run"), { code: "sandbox.cgroup" });
});
