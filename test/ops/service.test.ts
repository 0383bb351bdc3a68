/**
 * The unit under a real systemd, booted over a view of this machine that it cannot change (box.sh): a real run works
 * under every directive that is set, and those that are left out for a run's sake break one.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

const BIN = join(import.meta.dirname, "..", "..", "bin", "cofferdam");
const place = mkdtempSync(join(tmpdir(), "cofferdam-box-"));
chmodSync(place, 0o755);
after(() => rmSync(place, { recursive: true, force: true }));
const WORK = "/work-of-runs"; // In the box.
const unit = (...args: string[]) =>
  execFileSync(BIN, ["service", "print", ...args], { encoding: "utf8" });
let log = "";

/** Directives that break a run, with what is then said. */
const BREAKS = [
  ["ProtectKernelTunables=yes", /max_user_namespaces: EROFS/],
  ["ProcSubset=pid", /max_inotify_instances: ENOENT/],
  ["ProtectHostname=yes", /Can't set hostname/],
  ["RestrictNamespaces=yes", /unshare: EPERM/],
  ["SystemCallFilter=~@mount", /EPERM/],
  ["RestrictSUIDSGID=yes", /Operation not permitted/],
] as const;

before(() => {
  const units = join(place, "units");
  mkdirSync(join(units, "cofferdam.service.d"), { recursive: true });
  mkdirSync(join(place, "out"));
  writeFileSync(join(units, "cofferdam.service"), unit("--writable", WORK));
  // Nothing else of the box is a journal.
  const output = "[Service]\nStandardOutput=append:/out/daemon.log\nStandardError=inherit\n";
  writeFileSync(join(units, "cofferdam.service.d", "log.conf"), output);
  const script = `
mkdir -p ${WORK}/w; chown 64999:64999 ${WORK}/w; cd ${WORK}/w
printf 'task: t\\npurpose: proof\\n' >${WORK}/task.yaml
cof() { timeout 60 setpriv --reuid=64999 --regid=64999 --clear-groups env HOME=/nonexistent COFFERDAM_HOME=/var/lib/cofferdam ${BIN} "$@" 2>&1; }
run() { cof run --task ${WORK}/task.yaml -- /bin/bash -c 'mkdir -p d && chmod g+s d && echo ran; exec 3<>/dev/tcp/10.1.2.3/80'; }
with() { printf '[Service]\\n%s\\n' "$1" >/run/units/cofferdam.service.d/x.conf; systemctl daemon-reload; systemctl reset-failed cofferdam; timeout 60 systemctl restart cofferdam; }
echo "== start"; systemctl start cofferdam && echo active
P=$(systemctl show -P MainPID cofferdam); grep -E 'NoNewPrivs|CapBnd|^Seccomp:' /proc/$P/status; tail -1 /proc/$P/cgroup
echo "== run"; run
echo "== log"; cof log --json | grep '"denial"' | tail -1
echo "== doctor"; cof doctor
echo "== kill"; cof run --detach --task ${WORK}/task.yaml -- /bin/sleep 600
kill -KILL $P; for n in $(seq 100); do sleep 0.2; Q=$(systemctl show -P MainPID cofferdam); [ "$Q" != 0 ] && [ "$Q" != "$P" ] && systemctl is-active -q cofferdam && break; done
systemctl show -p NRestarts cofferdam; cof ps --all; pgrep -x sleep || echo no sleep
echo "== hang"; with WatchdogSec=2; P=$(systemctl show -P MainPID cofferdam); sleep 5; [ "$P" = "$(systemctl show -P MainPID cofferdam)" ] && echo fed
kill -STOP $P; for n in $(seq 100); do sleep 0.2; Q=$(systemctl show -P MainPID cofferdam); [ "$Q" != 0 ] && [ "$Q" != "$P" ] && systemctl is-active -q cofferdam && echo replaced && break; done
${BREAKS.map(([one]) => `echo "== ${one}"; with ${one}; run`).join("\n")}
echo "== stop"; with UMask=0077; systemctl stop cofferdam; systemctl show -p Result cofferdam; cof ps; echo "== end"
`;
  writeFileSync(join(place, "out", "drive.sh"), script);
  const box = join(import.meta.dirname, "box.sh");
  const { stderr } = spawnSync(box, [place], { encoding: "utf8", timeout: 540_000 });
  log = readFileSync(join(place, "out", "drive.log"), "utf8");
  assert.match(log, /^== end$/m, `${stderr}\n${log}`);
});

/** What was printed under a heading. */
const under = (heading: string) =>
  log.split(/^== /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";

test("INV-235: systemd hears that it is ready; it has no privilege, and a group of its own to divide", () => {
  const said = under("start");
  assert.match(said, /^active$/m);
  assert.match(said, /NoNewPrivs:\s1/);
  assert.match(said, /CapBnd:\s0{16}/);
  assert.match(said, /Seccomp:\s2/);
  assert.match(said, /cofferdam\.service\/daemon$/m);
});

test("a real run works under all of it, and what it tried is on record with who did", () => {
  assert.match(under("run"), /^ran$/m);
  const denial = JSON.parse(under("log").split("\n")[1] ?? "") as {
    target: string;
    process: { exe: string };
  };
  assert.equal(denial.target, "10.1.2.3");
  assert.match(denial.process.exe, /bash$/);
  assert.doesNotMatch(under("doctor"), /MISSING/);
});

test("INV-240: a daemon that is killed comes back, and its run is dead and on record as such", () => {
  const said = under("kill");
  assert.match(said, /NRestarts=1/);
  assert.match(said, /ended: daemon .* \/bin\/sleep 600/);
  assert.match(said, /^no sleep$/m);
});

test("INV-235: one that hangs is replaced; one that lives is not", () => {
  assert.match(under("hang"), /^fed$/m);
  assert.match(under("hang"), /^replaced$/m);
});

for (const [directive, message] of BREAKS) {
  test(`left out with reason: ${directive} breaks a run`, () =>
    assert.match(under(directive), message));
}

test("INV-240: stopped, it is stopped in order, and no command starts one beside it", () => {
  assert.match(under("stop"), /Result=success/);
  assert.match(under("stop"), /is a service, and does not answer/);
});

test("the units are units, and their exposure is what the notes say", () => {
  const kinds = [
    ["cofferdam", ["--writable", "/srv"], 42],
    ["cofferdam-metrics", ["metrics"], 25],
  ] as const;
  for (const [name, args, most] of kinds) {
    const file = join(place, `${name}.service`);
    writeFileSync(file, unit(...args));
    const verified = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
    assert.doesNotMatch(
      verified.stderr,
      new RegExp(`${name}\\.service:.*(Unknown|Invalid|Failed to parse)`),
    );
    const threshold = [`--threshold=${most}`, "--offline=yes", "--no-pager"];
    const { status, stdout } = spawnSync("systemd-analyze", ["security", ...threshold, file], {
      encoding: "utf8",
    });
    assert.equal(status, 0, stdout.split("\n").slice(-3).join("\n"));
  }
});
