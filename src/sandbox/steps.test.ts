/**
 * Every step that narrows access, made to fail: the launch ends with the step's name, and no process is
 * left. A step that failed quietly would start an agent with one wall less.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { closeDescriptor, createSocketPair } from "../sys/index.ts";
import type { Field } from "./control.ts";
import { launch, Launcher } from "./launch.ts";
import { launcherPath, prepareLaunch } from "./prepare.ts";
import { makePlace } from "./sandbox.fixture.ts";
import { encodeFilter } from "./seccomp.ts";
import type { Birth } from "./spawner.ts";

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
      const launcher = launch(launcherPath());
      launcher.order(outer?.(plan.outer) ?? plan.outer);
      // The step has failed before the next order is written: the words must outlive the broken stream.
      if (outer !== undefined) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      launcher.order(seal ?? SEAL);
      await assert.rejects(launcher.until("sealed", 5_000), { code: "sandbox.step", message });
      await launcher.gone;
      assert.ok(!existsSync(`/proc/${launcher.pid}`));
    },
  );
}

test("the same plan, unspoilt, is sealed", async (t) => {
  const place = await makePlace();
  t.after(() => place.remove());
  const launcher = launch(launcherPath());
  launcher.order((await prepareLaunch(place.spec)).outer);
  launcher.order(SEAL);
  await launcher.until("sealed", 5_000);
  launcher.kill();
  await launcher.gone;
});

test("INV-15: what does not ask to die with bubblewrap dies with it all the same", async (t) => {
  const place = await makePlace();
  t.after(() => place.remove());
  const { outer } = await prepareLaunch(place.spec);
  const launcher = launch(launcherPath());
  // In the place of bubblewrap, whose child waits for its parent before it asks.
  launcher.order([
    ...outer.slice(0, outer.indexOf("bwrap")),
    ...["bwrap", "/bin/sh", "-c", "sleep 3600 & wait"],
  ]);
  const sleeper = await until(() =>
    childrenOf(launcher.pid).find((pid) => commandOf(pid).startsWith("sleep\0")),
  );
  process.kill(launcher.pid, "SIGKILL");
  await launcher.gone;
  await until(() => commandOf(sleeper) === "" || undefined);
});

const readOf = (path: string) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // Ended.
  }
};
const commandOf = (pid: number) => readOf(`/proc/${pid}/cmdline`);
const childrenOf = (pid: number) =>
  readOf(`/proc/${pid}/task/${pid}/children`).trim().split(" ").map(Number);

/** What `probe` gives once it gives something; a minute at most. */
async function until<T>(probe: () => T | undefined): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const value = probe();
    if (value !== undefined) return value;
    assert.ok(Date.now() < deadline, "in time");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test(
  "fault sandbox.overlay: a file system that cannot map owners is told, with what to do",
  { skip: !isRoot },
  async (t) => {
    const place = await makePlace();
    t.after(() => place.remove());
    const workspace = { path: "/sys/kernel", mode: "read-only" } as const;
    const launcher = launch(launcherPath());
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

/** Starts a program as the spawner starts a launcher. */
function startAlone(program: string): Birth {
  const [carrier, theirs] = createSocketPair("packet");
  const stdio = ["ignore", "ignore", "pipe", "pipe", theirs, "pipe"] as const;
  const child = spawn(program, { stdio: [...stdio] });
  closeDescriptor(theirs);
  const [, , diagnostics, control, , notes] = child.stdio as unknown as readonly Socket[];
  assert.ok(diagnostics && control && notes);
  return {
    born: Promise.resolve(child.pid ?? -1),
    gone: once(child, "close").then(() => {}),
    ...{ diagnostics, control, notes, carrier },
    kill: () => void child.kill("SIGKILL"),
  };
}

test("a step's words that come after the end of bubblewrap's notes are heard all the same", async () => {
  // What a slow machine does, in the launcher's place: its notes (5) close first, its words (3) come late.
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-late-"));
  const late = join(folder, "launcher");
  const failed = '{"type":"failed","step":"idmap","call":"mount_setattr","about":"/w","errno":22}';
  const script = `(sleep 0.3; printf '%s\\n' '${failed}' >&3) 5>&- &\nexec 5>&-\nwait\n`;
  writeFileSync(late, `#!/bin/sh\n${script}`, { mode: 0o755 });
  const launcher = new Launcher(startAlone(late));
  await assert.rejects(launcher.sealed(10_000), /^Fault: idmap: mount_setattr of \/w: EINVAL$/);
  launcher.kill();
  await launcher.gone;
  rmSync(folder, { recursive: true });
});
