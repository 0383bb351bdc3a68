/**
 * What this host must have for a run to start: each with what was found, what is needed, and the fix.
 * Pure; `readHostFacts` reads.
 *
 * @module
 */
import { describeError, type Fault } from "../base/index.ts";

/** The oldest long-term kernel with everything: killable notifications, Landlock ABI 2, idmapped overlay (5.19). */
export const KERNEL_MIN = [6, 1] as const;
/** The oldest bubblewrap that Cofferdam is tested with: sized tmpfs, permissions, a cleared environment. */
export const BWRAP_MIN = [0, 8] as const;
/** Rights that the second layer needs: renames across folders. */
export const LANDLOCK_ABI_MIN = 2;

/** One prerequisite. */
export interface HostCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  readonly needed: string;
  /** What to do where it is missing; empty where nothing is. */
  readonly fix: string;
}

/** What was read from the host; `undefined` where it has no such thing. */
export interface HostFacts {
  readonly platform: string;
  readonly architecture: string;
  readonly kernel: string;
  readonly root: boolean;
  readonly launcher: string | undefined;
  readonly bwrap: string | undefined;
  readonly maxUserNamespaces: number | undefined;
  readonly unprivilegedClone: number | undefined;
  readonly apparmorRestricts: number | undefined;
  readonly seccompActions: readonly string[];
  readonly landlockAbi: number;
  readonly fileSystems: readonly string[];
  readonly mountPoints: readonly string[];
  /** Why a trial sandbox could not be made; `undefined` where it was. */
  readonly trial: Fault | undefined;
}

/** All prerequisites, in the order in which one would mend them. */
export function judgeHost(facts: HostFacts): readonly HostCheck[] {
  return [
    machine(facts),
    kernel(facts),
    launcher(facts),
    bubblewrap(facts),
    userNamespaces(facts),
    apparmor(facts),
    seccomp(facts),
    landlock(facts),
    overlay(facts),
    netfilter(facts),
    procfs(facts),
    trial(facts),
  ];
}

function check(name: string, ok: boolean, found: string, needed: string, fix: string): HostCheck {
  return { name, ok, found, needed, fix: ok ? "" : fix };
}

function machine({ platform, architecture }: HostFacts): HostCheck {
  const ok = platform === "linux" && ["x64", "arm64"].includes(architecture);
  const found = `${platform} on ${architecture}`;
  return check(
    "machine",
    ok,
    found,
    "linux on x64 or arm64",
    "use such a machine, or a virtual one",
  );
}

function kernel(facts: HostFacts): HostCheck {
  const ok = isAtLeast(facts.kernel, KERNEL_MIN);
  const needed = `Linux ${KERNEL_MIN.join(".")} or later`;
  return check("kernel", ok, facts.kernel, needed, "install a newer kernel and boot it");
}

function launcher(facts: HostFacts): HostCheck {
  const ok = facts.launcher !== undefined;
  return check(
    "launcher",
    ok,
    facts.launcher ?? "none",
    "the native launcher",
    "run `npm run setup`",
  );
}

function bubblewrap(facts: HostFacts): HostCheck {
  const ok = isAtLeast(facts.bwrap ?? "", BWRAP_MIN);
  const fix = "apt-get install bubblewrap, dnf install bubblewrap, or build it from its releases";
  const needed = `bubblewrap ${BWRAP_MIN.join(".")} or later`;
  return check("bubblewrap", ok, facts.bwrap ?? "not installed", needed, fix);
}

function userNamespaces(facts: HostFacts): HostCheck {
  const { maxUserNamespaces: max, unprivilegedClone: clone } = facts;
  const needed = "user namespaces for ordinary users";
  const name = "user-namespaces";
  if (max === undefined) {
    return check(name, false, "not in this kernel", needed, "use a kernel with CONFIG_USER_NS");
  }
  if (max === 0) {
    const found = "user.max_user_namespaces is 0";
    return check(name, false, found, needed, "sysctl -w user.max_user_namespaces=15000");
  }
  const found = `at most ${max}${clone === 0 ? ", but kernel.unprivileged_userns_clone is 0" : ""}`;
  return check(name, clone !== 0, found, needed, "sysctl -w kernel.unprivileged_userns_clone=1");
}

/** Ubuntu 23.10 and later: a new user namespace has no rights unless a profile grants `userns`. */
function apparmor(facts: HostFacts): HostCheck {
  const restricted = facts.apparmorRestricts === 1;
  const found = restricted ? "kernel.apparmor_restrict_unprivileged_userns is 1" : "no restriction";
  const path = facts.launcher ?? "/path/to/launcher";
  const profile = `profile cofferdam ${path} flags=(unconfined) { userns, }`;
  return check(
    "apparmor",
    // With a profile for the launcher in place the trial succeeds in spite of the switch.
    !restricted || facts.trial === undefined,
    found,
    "no AppArmor rule against user namespaces, or a profile for the launcher",
    `as root: echo 'abi <abi/4.0>, ${profile}' > /etc/apparmor.d/cofferdam && ` +
      "apparmor_parser -r /etc/apparmor.d/cofferdam; " +
      "or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
  );
}

function seccomp(facts: HostFacts): HostCheck {
  const ok = facts.seccompActions.includes("user_notif");
  const found = facts.seccompActions.join(" ") || "none";
  const fix = "use a kernel with CONFIG_SECCOMP_FILTER";
  return check("seccomp", ok, found, "seccomp with the action user_notif", fix);
}

function landlock(facts: HostFacts): HostCheck {
  const ok = facts.landlockAbi >= LANDLOCK_ABI_MIN;
  const found = facts.landlockAbi === 0 ? "off" : `ABI ${facts.landlockAbi}`;
  const fix =
    "add landlock to the kernel's lsm= parameter (see /sys/kernel/security/lsm) and reboot";
  return check("landlock", ok, found, `Landlock ABI ${LANDLOCK_ABI_MIN} or later`, fix);
}

function overlay(facts: HostFacts): HostCheck {
  // A module that is not loaded yet is not listed, and loads itself on the first mount.
  const failed = facts.trial?.message.startsWith("overlay:") === true;
  const listed = facts.fileSystems.includes("overlay");
  const found = failed ? describeError(facts.trial) : listed ? "there" : "not loaded";
  const ok = !failed && (listed || facts.trial === undefined);
  return check(
    "overlay",
    ok,
    found,
    "overlayfs, mountable in a user namespace",
    "modprobe overlay",
  );
}

function netfilter(facts: HostFacts): HostCheck {
  const failed = facts.trial?.message.startsWith("redirect:") === true;
  const found = failed ? describeError(facts.trial) : facts.trial ? "not tried" : "there";
  const fix = "modprobe -a nf_tables nft_redir nft_chain_nat";
  return check("netfilter", !failed, found, "nf_tables with nat redirect", fix);
}

function procfs(facts: HostFacts): HostCheck {
  const covered = facts.mountPoints.filter(
    (place) => place.startsWith("/proc/") && place !== "/proc/sys/fs/binfmt_misc",
  );
  // Inside a container: the kernel then refuses a fresh /proc to whoever makes a user namespace.
  const ok = covered.length === 0 || facts.trial === undefined;
  const found = covered.length === 0 ? "whole" : `covered at ${covered.join(" ")}`;
  const fix =
    "start the container with its /proc unmasked (docker: --security-opt systempaths=unconfined)";
  return check("proc", ok, found, "a /proc with nothing mounted over it", fix);
}

function trial(facts: HostFacts): HostCheck {
  const found = facts.trial === undefined ? "made and sealed" : describeError(facts.trial);
  const fix = "mend what is missing above; if nothing is, report this";
  return check("trial", facts.trial === undefined, found, "one sandbox, made and sealed", fix);
}

/** Reports whether the leading numbers of `version` (`6.18.44-generic`) reach `least`. */
export function isAtLeast(version: string, least: readonly number[]): boolean {
  const numbers = (/^\d+(\.\d+)*/.exec(version)?.[0] ?? "").split(".").map(Number);
  if (Number.isNaN(numbers[0])) return false;
  for (const [n, wanted] of least.entries()) {
    const have = numbers[n] ?? 0;
    if (have !== wanted) return have > wanted;
  }
  return version !== "";
}
