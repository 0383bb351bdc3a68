/**
 * Every step that narrows access, made to fail: the launch ends with the step's name, and no process is
 * left. A step that failed quietly would start an agent with one wall less.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { Fault } from "../base/index.ts";
import type { Field } from "./control.ts";
import { Launcher } from "./launch.ts";
import { launcherPath, prepareLaunch } from "./prepare.ts";
import { makePlace } from "./sandbox.fixture.ts";
import { encodeFilter } from "./seccomp.ts";

const isRoot = process.geteuid?.() === 0;
const filter = encodeFilter(process.arch === "arm64" ? "arm64" : "x64");
const SEAL: readonly Field[] = ["landlock", 2, 1, "/tmp", "seccomp", filter];
type Outer = readonly (string | number)[];

/** Replaces the first `from` in a plan. */
const swap = (outer: Outer, from: string | number, to: string | number): Outer =>
  outer.with(outer.indexOf(from), to);

/** The plan from `word` on: what an ordinary user's begins with. */
const startingAt = (outer: Outer, word: string): Outer => outer.slice(outer.indexOf(word));

interface Row {
  readonly why: string;
  readonly outer?: (outer: Outer) => Outer;
  readonly seal?: readonly Field[];
  readonly message: RegExp;
  readonly asRoot?: true;
}

const ROWS: readonly Row[] = [
  {
    why: "a limit that cannot be set",
    seal: ["limit", 7, 1 << 30, 1 << 30, ...SEAL],
    message: /^limits: setrlimit: EPERM$/,
  },
  {
    why: "a Landlock older than needed",
    seal: ["landlock", 999, 0, "seccomp", filter],
    message: /^landlock: create_ruleset of ABI$/,
  },
  {
    why: "a writable place that is not there",
    seal: ["landlock", 2, 1, "/nowhere", "seccomp", filter],
    message: /^landlock: open of \/nowhere: ENOENT$/,
  },
  { why: "no filter", seal: ["landlock", 2, 1, "/tmp"], message: /^seccomp: plan of no program/ },
  {
    why: "half an instruction",
    seal: ["landlock", 2, 1, "/tmp", "seccomp", Buffer.alloc(4)],
    message: /^seccomp: program of length$/,
  },
  {
    why: "a filter that the kernel refuses",
    seal: ["landlock", 2, 1, "/tmp", "seccomp", Buffer.alloc(8, 255)],
    message: /^seccomp: seccomp: EINVAL$/,
  },
  { why: "a word that means nothing", seal: ["relax", ...SEAL], message: /^control: key of relax/ },
  {
    why: "a number that is none",
    seal: ["landlock", "two", 0, ...SEAL],
    message: /^control: number of two$/,
  },
  {
    why: "a frame that ends too soon",
    seal: ["limit", 7],
    message: /^control: frame of a field is missing$/,
  },
  {
    why: "an overlay without its upper folder",
    outer: (outer) => outer.map((word) => String(word).replace(/\/upper$/, "/none")),
    message: /^overlay: open of .*\/none: ENOENT$/,
  },
  {
    why: "no bubblewrap",
    outer: (outer) => swap(outer, "/usr/bin/bwrap", "/usr/bin/none"),
    message: /^bwrap: execve of \/usr\/bin\/none: ENOENT$/,
  },
  {
    why: "a plan without an end",
    outer: (outer) => outer.slice(0, outer.indexOf("bwrap")),
    message: /^control: frame of no command$/,
  },
  {
    why: "root with nothing to become",
    outer: (outer) => startingAt(outer, "stage-on"),
    message: /^drop: plan of root without an id to become$/,
    asRoot: true,
  },
  {
    why: "root to become root",
    outer: (outer) => ["drop", 0, 0, ...startingAt(outer, "stage-on")],
    message: /^drop: plan of root without an id to become$/,
    asRoot: true,
  },
  {
    why: "a source that is not there",
    outer: (outer) => swap(outer, "/usr", "/nowhere"),
    message: /^stage: open_tree of \/nowhere: ENOENT$/,
    asRoot: true,
  },
  {
    why: "a place to stage that is not there",
    outer: (outer) => swap(outer, "/run/cofferdam-stage", "/nowhere"),
    message: /^stage: mount of \/nowhere: ENOENT$/,
    asRoot: true,
  },
];
for (const { why, outer, seal, message, asRoot } of ROWS) {
  test(
    `INV-5: ${why} ends the launch: ${message.source}`,
    { skip: asRoot && !isRoot },
    async (t) => {
      const place = await makePlace();
      t.after(() => place.remove());
      const plan = await prepareLaunch(place.spec);
      // Its orders may still be on the way when the launcher ends: the reset can then overtake its last
      // words. It ended closed all the same; what is held here is which step it was.
      for (let tries = 0; ; tries += 1) {
        const launcher = new Launcher(launcherPath());
        launcher.order(outer?.(plan.outer) ?? plan.outer);
        launcher.order(seal ?? SEAL);
        const fault: unknown = await launcher
          .until("sealed", 5_000)
          .catch((error: unknown) => error);
        await launcher.gone;
        assert.ok(!existsSync(`/proc/${launcher.pid}`));
        assert.ok(fault instanceof Fault, "sealed although a step failed");
        if (fault.code !== "sandbox.step" && tries < 5) continue;
        assert.equal(fault.code, "sandbox.step");
        assert.match(fault.message, message);
        return;
      }
    },
  );
}

test("the same plan, unspoilt, is sealed", async (t) => {
  const place = await makePlace();
  t.after(() => place.remove());
  const launcher = new Launcher(launcherPath());
  launcher.order((await prepareLaunch(place.spec)).outer);
  launcher.order(SEAL);
  await launcher.until("sealed", 5_000);
  launcher.kill();
  await launcher.gone;
});

test(
  "fault sandbox.overlay: a file system that cannot map owners is told, with what to do",
  { skip: !isRoot },
  async (t) => {
    const place = await makePlace();
    t.after(() => place.remove());
    const workspace = { path: "/sys/kernel", mode: "read-only" } as const;
    const launcher = new Launcher(launcherPath());
    launcher.order((await prepareLaunch({ ...place.spec, workspace })).outer);
    launcher.order(SEAL);
    await assert.rejects(launcher.until("sealed", 5_000), {
      code: "sandbox.overlay",
      message: "idmap: mount_setattr of /sys/kernel: EINVAL",
      hint: /start Cofferdam as the workspace's owner/,
    });
    await launcher.gone;
  },
);
