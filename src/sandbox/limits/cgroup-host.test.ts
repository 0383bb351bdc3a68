import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { readCgroupKey, readCgroupNumber, writeCgroup } from "./cgroup-files.ts";
import { groupFolder, openCgroups, parseHierarchies, closeCgroups } from "./cgroup-host.ts";

const mount = (point: string, type: string, options: string, root = "/") =>
  `31 23 0:28 ${root} ${point} rw,nosuid shared:9 - ${type} ${type} ${options}`;

const CASES = [
  // mountinfo, membership, v2 folder, memory folder of v1, why
  [
    [mount("/sys/fs/cgroup", "cgroup2", "rw,nsdelegate")],
    "0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.scope",
    "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/a.scope",
    undefined,
    "an ordinary host of today",
  ],
  [
    [
      mount("/sys/fs/cgroup/unified", "cgroup2", "rw"),
      mount("/sys/fs/cgroup/memory", "cgroup", "rw,memory"),
    ],
    "4:memory:/jobs/one\n0::/",
    "/sys/fs/cgroup/unified",
    "/sys/fs/cgroup/memory/jobs/one",
    "both at once",
  ],
  [
    [mount("/sys/fs/cgroup/cpu,cpuacct,memory", "cgroup", "rw,cpu,cpuacct,memory")],
    "2:cpu,cpuacct,memory:/a",
    undefined,
    "/sys/fs/cgroup/cpu,cpuacct,memory/a",
    "controllers that share a hierarchy",
  ],
  [
    [mount("/sys/fs/cgroup", "cgroup2", "rw", "/docker/abc")],
    "0::/docker/abc/inner",
    "/sys/fs/cgroup/inner",
    undefined,
    "a container's mount shows a part of the hierarchy",
  ],
  [
    [mount("/sys/fs/cgroup", "cgroup2", "rw", "/docker/abc")],
    "0::/docker/abcdef",
    undefined,
    undefined,
    "a group that only begins alike is not beneath",
  ],
  [
    [mount(String.raw`/mnt/c\040g`, "cgroup2", "rw")],
    "0::/a:b",
    "/mnt/c g/a:b",
    undefined,
    "spaces in a mount point, a colon in a group",
  ],
  [[mount("/mnt", "ext4", "rw")], "", undefined, undefined, "none"],
] as const;
for (const [mounts, membership, v2, memory, why] of CASES) {
  test(`hierarchies are found: ${why}`, () => {
    const found = parseHierarchies(mounts.join("\n"), membership);
    assert.equal(found.v2 && groupFolder(found.v2), v2);
    const v1 = found.v1.get("memory");
    assert.equal(v1 && groupFolder(v1), memory);
  });
}

test("no text of /proc breaks the parser", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (mountinfo, membership) => {
      parseHierarchies(mountinfo, membership);
    }),
  );
});

test("sandbox.cgroup: a value that does not hold is a failure, not a hope", () => {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-cgroup-"));
  const path = join(folder, "pids.max");
  writeCgroup(path, "5");
  assert.throws(() => writeCgroup(path, "5", (found) => found === "6"), { code: "sandbox.cgroup" });
  assert.throws(() => writeCgroup(join(folder, "no", "file"), "5"), { code: "sandbox.cgroup" });
  writeFileSync(join(folder, "memory.events"), "low 0\noom_kill 3\n");
  assert.equal(readCgroupKey(join(folder, "memory.events"), "oom_kill"), 3);
  assert.equal(readCgroupKey(join(folder, "memory.events"), "oom"), undefined);
  writeFileSync(join(folder, "memory.max"), "max\n");
  assert.equal(readCgroupNumber(join(folder, "memory.max")), undefined, "no limit is no number");
  assert.equal(readCgroupNumber(join(folder, "absent")), undefined);
  rmSync(folder, { recursive: true });
});

test("what this host offers is found without harm, and given back", () => {
  const host = openCgroups(`test-${process.pid}`);
  for (const version of Object.values(host.controllers)) assert.match(version, /^(v1|v2|none)$/);
  closeCgroups(host);
});
