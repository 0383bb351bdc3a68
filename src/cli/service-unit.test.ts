/** The units as text; that a real systemd runs them is shown by `npm run test:ops`. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { NOTIFIED } from "../sandbox/index.ts";
import { listenAddress } from "./listen.ts";
import { daemonUnit, metricsUnit } from "./service-unit.ts";

const BIN = join(import.meta.dirname, "..", "..", "bin", "cofferdam");
const place = mkdtempSync(join(tmpdir(), "cofferdam-unit-"));
after(() => rmSync(place, { recursive: true }));
const options = {
  isUser: false,
  account: "trainer",
  home: "/var/lib/cofferdam",
  program: ["/opt/node", "/opt/my cofferdam/100%/$HOME.mjs"],
  writable: ["/srv/rollouts", "/srv/with space"],
};
const call = (args: readonly string[], env: Record<string, string> = {}) =>
  spawnSync(BIN, ["service", ...args], {
    encoding: "utf8",
    env: { ...process.env, HOME: place, XDG_CONFIG_HOME: join(place, "config"), ...env },
  });

test("paths are words of a unit, whatever is in them", () => {
  const unit = daemonUnit(options);
  assert.match(unit, /^ExecStart=\/opt\/node "\/opt\/my cofferdam\/100%%\/\$\$HOME\.mjs" serve$/m);
  assert.match(unit, /^ReadWritePaths=\/srv\/rollouts "\/srv\/with space"$/m);
  assert.match(unit, /^User=trainer$/m);
});

test("INV-240: what ends the daemon ends its runs, and it comes back after a failure only", () => {
  for (const isUser of [true, false]) {
    const unit = daemonUnit({ ...options, isUser });
    for (const line of [
      "Type=notify",
      "NotifyAccess=main",
      "Restart=on-failure",
      "KillMode=mixed",
      "WatchdogSec=60",
      "Delegate=yes",
      "NoNewPrivileges=yes",
      "LimitCORE=1",
    ]) {
      assert.ok(unit.split("\n").includes(line), line);
    }
    assert.equal(/^User=/m.test(unit), !isUser);
    assert.equal(/^ProtectSystem=strict$/m.test(unit), !isUser);
  }
});

test("the filter that runs inherit takes no call whose attempt is put on record", () => {
  const [, filter = ""] = /^SystemCallFilter=~(.*)$/m.exec(daemonUnit(options)) ?? [];
  assert.deepEqual(filter.split(" "), [
    "@clock",
    "@cpu-emulation",
    "@module",
    "@obsolete",
    "@raw-io",
    "@reboot",
    "@swap",
  ]);
  assert.deepEqual(NOTIFIED, ["connect", "execve", "execveat"], "none of them is in a set above");
  assert.match(daemonUnit(options), /^RestrictAddressFamilies=.* AF_PACKET$/m);
});

test("`service`: printed and installed, once, and only for what a unit may name", () => {
  const printed = call(["print", "--user"]);
  assert.equal(printed.status, 0, printed.stderr);
  assert.match(printed.stdout, /^WantedBy=default\.target$/m);
  assert.match(call(["print", "metrics"]).stdout, /metrics --listen 127\.0\.0\.1:9464$/m);
  const installed = call(["install", "--user"]);
  assert.match(installed.stdout, /systemctl --user enable --now cofferdam/);
  const file = join(place, "config", "systemd", "user", "cofferdam.service");
  assert.ok(existsSync(file));
  assert.equal(readFileSync(file, "utf8"), printed.stdout);
  const again = call(["install", "--user"]);
  assert.equal(again.status, 125);
  assert.match(again.stderr, /there is a unit already/, "fault cli.service_there");
  for (const args of [
    ["start"],
    ["print", "console"],
    ["print", "--run-as", "a b"],
    ["print", "--writable", "here"],
    ["print", "--home", "/a\nUser=root"],
    ["print", "metrics", "--listen", "localhost:1"],
  ]) {
    assert.notEqual(call(args).status, 0, args.join(" "));
  }
});

test("the unit of the metrics may make nothing", () => {
  const unit = metricsUnit(options, "127.0.0.1:9464");
  for (const line of [
    "RestrictNamespaces=yes",
    "PrivateDevices=yes",
    "ProtectKernelTunables=yes",
  ]) {
    assert.ok(unit.split("\n").includes(line), line);
  }
});

const ADDRESSES = [
  ["127.0.0.1:9464", true],
  ["127.9.9.9:1", true],
  ["[::1]:9464", true],
  ["0.0.0.0:9464", false],
  ["[::]:9464", false],
  ["10.0.0.1:9464", false],
] as const;
for (const [text, isLoopback] of ADDRESSES) {
  test(`${text} is ${isLoopback ? "" : "not "}this machine's alone`, () =>
    assert.equal(listenAddress(text).isLoopback, isLoopback));
}
for (const text of [
  "9464",
  "localhost:1",
  "127.0.0.1",
  "127.0.0.1:70000",
  "[127.0.0.1]:1",
  "::1:1",
  "1.2.3:4",
]) {
  test(`fault cli.listen: ${text}`, () =>
    assert.throws(() => listenAddress(text), { code: "cli.listen" }));
}
