import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "../base/index.ts";
import { isAtLeast, judgeHost, type HostFacts } from "./doctor.ts";
import { examineHost, mountPointsOf } from "./host-facts.ts";

const GOOD: HostFacts = {
  platform: "linux",
  architecture: "arm64",
  kernel: "6.12.3-arch1-1",
  root: false,
  launcher: "/opt/cofferdam/launcher-arm64",
  bwrap: "0.11.0",
  maxUserNamespaces: 60_000,
  unprivilegedClone: undefined,
  apparmorRestricts: undefined,
  seccompActions: ["kill_process", "errno", "user_notif", "allow"],
  landlockAbi: 6,
  fileSystems: ["nodev", "overlay"],
  mountPoints: ["/", "/proc", "/proc/sys/fs/binfmt_misc"],
  trial: undefined,
};
const failed = (message: string) => new Fault("sandbox.step", message);

// what differs, the check that must say so, a word of its fix, why
const ROWS: readonly (readonly [Partial<HostFacts>, string, RegExp, string])[] = [
  [{ platform: "darwin" }, "machine", /virtual/, "namespaces are Linux's"],
  [{ architecture: "riscv64" }, "machine", /virtual/, "no filter for it"],
  [{ kernel: "5.15.0-91-generic" }, "kernel", /newer kernel/, "no idmapped overlay"],
  [{ kernel: "6.0.19" }, "kernel", /newer kernel/, "just below"],
  [{ launcher: undefined }, "launcher", /npm run setup/, "not compiled"],
  [{ bwrap: undefined }, "bubblewrap", /apt-get install bubblewrap/, "not installed"],
  [{ bwrap: "0.4.1" }, "bubblewrap", /apt-get install bubblewrap/, "RHEL 9: no sized tmpfs"],
  [{ bwrap: "unknown" }, "bubblewrap", /apt-get install bubblewrap/, "it does not run"],
  [{ maxUserNamespaces: undefined }, "user-namespaces", /CONFIG_USER_NS/, "not in the kernel"],
  [{ maxUserNamespaces: 0 }, "user-namespaces", /user\.max_user_namespaces/, "switched off"],
  [{ unprivilegedClone: 0 }, "user-namespaces", /unprivileged_userns_clone=1/, "Debian's switch"],
  [
    { apparmorRestricts: 1, trial: failed("namespaces: mount of slave: EACCES") },
    "apparmor",
    /apparmor_parser -r .*apparmor_restrict_unprivileged_userns=0/,
    "stock Ubuntu",
  ],
  [{ seccompActions: ["errno", "allow"] }, "seccomp", /CONFIG_SECCOMP/, "no user notification"],
  [{ landlockAbi: 0 }, "landlock", /lsm=/, "not among the boot parameters"],
  [{ landlockAbi: 1 }, "landlock", /lsm=/, "too old for renames"],
  [{ trial: failed("overlay: mount of /x: EPERM") }, "overlay", /modprobe/, "it cannot be mounted"],
  [
    { trial: failed("redirect: netlink of message 03: ENOENT") },
    "netfilter",
    /modprobe -a nf_tables nft_redir nft_chain_nat/,
    "no module",
  ],
  [
    { mountPoints: ["/", "/proc", "/proc/kcore"], trial: failed("x") },
    "proc",
    /unmasked/,
    "inside a container",
  ],
  [
    { trial: failed("stage: mount of /run/x: EROFS") },
    "trial",
    /mend what is missing/,
    "anything else",
  ],
];
for (const [change, name, fix, why] of ROWS) {
  test(`doctor: ${name} is missing where ${JSON.stringify(change)}: ${why}`, () => {
    const checks = judgeHost({ ...GOOD, ...change });
    const check = checks.find((one) => one.name === name);
    assert.equal(check?.ok, false);
    assert.match(check?.fix ?? "", fix);
    assert.ok(check?.found !== "" && check?.needed !== "");
  });
}

test("doctor: a good host lacks nothing and needs no fix", () => {
  for (const { name, ok, fix } of judgeHost(GOOD))
    assert.deepEqual([name, ok, fix], [name, true, ""]);
});

test("doctor: a switch that a profile answers is no obstacle, for the trial shows it", () => {
  const checks = judgeHost({ ...GOOD, apparmorRestricts: 1, mountPoints: ["/proc/kcore"] });
  assert.ok(checks.every(({ ok }) => ok));
});

test("doctor: this very host, in which the tests run, lacks nothing", async () => {
  const checks = await examineHost();
  assert.deepEqual(
    checks.filter(({ ok }) => !ok),
    [],
  );
});

const VERSIONS: readonly (readonly [string, boolean])[] = [
  ["6.1", true],
  ["6.1.0-18-amd64", true],
  ["6.10", true],
  ["7", true],
  ["10.0", true],
  ["6", false],
  ["6.0.99", false],
  ["5.99", false],
  ["", false],
  ["v6.1", false],
];
for (const [version, enough] of VERSIONS) {
  test(`version ${JSON.stringify(version)} is ${enough ? "" : "not "}at least 6.1`, () =>
    assert.equal(isAtLeast(version, [6, 1]), enough));
}

test("mount points are the fifth field of mountinfo", () => {
  const line =
    "36 35 98:0 /mnt1 /proc/kcore rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
  assert.deepEqual(mountPointsOf(`${line}\n`), ["/proc/kcore"]);
});
