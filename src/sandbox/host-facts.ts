/**
 * What this host is like, as far as sandboxes go: read, never guessed.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { isFault, type Fault } from "../base/index.ts";
import { landlockAbi } from "../sys/index.ts";
import { judgeHost, type HostCheck, type HostFacts } from "./doctor.ts";
import { writeEtc } from "./etc.ts";
import { bwrapPath, launcherPath } from "./prepare.ts";
import { launchSandbox } from "./sandbox.ts";

const BWRAP_WAIT_MS = 5_000;

/** Every prerequisite of this host. */
export async function examineHost(): Promise<readonly HostCheck[]> {
  return judgeHost(await readHostFacts());
}

/** Reads the facts, and makes one sandbox for a trial. */
export async function readHostFacts(): Promise<HostFacts> {
  return {
    platform: process.platform,
    architecture: process.arch,
    kernel: release(),
    root: process.geteuid?.() === 0,
    launcher: orAbsent(() => launcherPath()),
    bwrap: await bwrapVersion(),
    maxUserNamespaces: await readNumber("/proc/sys/user/max_user_namespaces"),
    unprivilegedClone: await readNumber("/proc/sys/kernel/unprivileged_userns_clone"),
    apparmorRestricts: await readNumber("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
    seccompActions: ((await readText("/proc/sys/kernel/seccomp/actions_avail")) ?? "").split(/\s+/),
    landlockAbi: landlockAbi(),
    fileSystems: ((await readText("/proc/filesystems")) ?? "").split(/\s+/),
    mountPoints: mountPointsOf((await readText("/proc/self/mountinfo")) ?? ""),
    trial: await tryLaunch(),
  };
}

/** Mount points in the text of /proc/self/mountinfo (proc(5): the fifth field, octal escapes kept). */
export function mountPointsOf(mountinfo: string): readonly string[] {
  return mountinfo.split("\n").flatMap((line) => line.split(" ")[4] ?? []);
}

async function bwrapVersion(): Promise<string | undefined> {
  const path = orAbsent(() => bwrapPath());
  if (path === undefined) return undefined;
  try {
    const { stdout } = await promisify(execFile)(path, ["--version"], { timeout: BWRAP_WAIT_MS });
    return stdout.trim().split(" ")[1];
  } catch {
    return "unknown"; // There, but it does not run: shown as such, and no version is good enough.
  }
}

/** One real sandbox up to its seal, taken down again; the fault where it cannot be made. */
async function tryLaunch(): Promise<Fault | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "cofferdam-doctor-"));
  try {
    for (const name of ["workspace", "public"]) await mkdir(join(folder, name));
    await writeEtc(join(folder, "etc"), "");
    const sandbox = await launchSandbox({
      workspace: { path: join(folder, "workspace"), mode: "overlay" },
      layer: join(folder, "layer"),
      home: join(folder, "home"),
      publicDir: join(folder, "public"),
      etc: join(folder, "etc"),
    });
    await sandbox.kill();
    sandbox.close();
    return undefined;
  } catch (error) {
    if (isFault(error)) return error;
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function orAbsent<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isFault(error)) return undefined;
    throw error;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined; // Not on this kernel, or closed: the check says what that means.
  }
}

async function readNumber(path: string): Promise<number | undefined> {
  const text = await readText(path);
  return text === undefined ? undefined : Number(text);
}
