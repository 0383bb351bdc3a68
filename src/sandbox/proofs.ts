/**
 * What must be found from inside before an agent may start, and how findings are judged. Pure.
 *
 * The launcher's prover (native/prove.c) reports what it found under a control's name; the daemon adds
 * what only the host can see. Each control has one right answer here; another answer, or none, means
 * that the run does not start.
 *
 * @module
 */
import { Fault } from "../base/index.ts";

/** One finding: the control's name and what came back, as text. */
export interface Finding {
  readonly control: string;
  readonly found: string;
}

/** A finding beside what it had to be. */
export interface Proof extends Finding {
  readonly wanted: string;
  readonly ok: boolean;
}

/** What a control's finding is held against. */
interface Expectation {
  readonly wanted: string;
  readonly accepts: (found: string) => boolean;
  readonly fix: string;
}

/** What differs from run to run. */
export interface ProofContext {
  readonly architecture: "x64" | "arm64";
  /** Host uid and gid that the run has: the daemon's user, or RUN_UID where root launched. */
  readonly hostUid: number;
  readonly hostGid: number;
  /** Whether root launched: then no group of the host may be left. */
  readonly dropped: boolean;
  /** The account inside. */
  readonly uid: number;
  readonly gid: number;
  readonly hostName: string;
  /** The daemon's own namespaces, `user:[4026531837]` by kind. */
  readonly namespaces: Readonly<Record<string, string>>;
  /** How many canary files the prover was told to read. */
  readonly canaries: number;
  readonly landlockAbiMin: number;
  /** Soft and hard value by resource number; -1 for no limit. */
  readonly limits: ReadonlyMap<number, readonly [soft: number, hard: number]>;
}

/** Kinds of namespace that every run has of its own. */
export const NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"] as const;

const NO_CAPABILITIES = "0000000000000000";

const FIX_FILTER =
  "the system-call filter is not the one planned: rebuild the launcher (`npm run setup`)";
const FIX_VIEW =
  "bubblewrap did not build the view as told: see `cofferdam doctor` for its version";
const FIX_NAMESPACES = "see `cofferdam doctor`: user namespaces must be allowed";
const FIX_GATEWAY = "the gateway did not refuse an ungranted address: report this as a bug";
const FIX_REPORT = "report this as a bug, with the output of `cofferdam doctor --json`";

function is(wanted: string, fix: string): Expectation {
  return { wanted, accepts: (found) => found === wanted, fix };
}

function oneOf(wanted: readonly string[], fix: string): Expectation {
  return { wanted: wanted.join(" or "), accepts: (found) => wanted.includes(found), fix };
}

/** All controls of a run, by name, with what each must find. */
export function expectProofs(context: ProofContext): ReadonlyMap<string, Expectation> {
  return new Map([
    ...expectIdentity(context),
    ...expectNamespaces(context),
    ...expectFiles(context),
    ...expectCalls(context),
    ...expectNetwork(),
    ...expectLimits(context),
  ]);
}

function expectIdentity(context: ProofContext): [string, Expectation][] {
  const four = (id: number) => Array.from({ length: 4 }, () => id).join(" ");
  const host = "start Cofferdam as another user, or report this as a bug";
  const rows: [string, Expectation][] = [
    ["status.Uid", is(four(context.uid), FIX_VIEW)],
    ["status.Gid", is(four(context.gid), FIX_VIEW)],
    ["host.Uid", is(four(context.hostUid), host)],
    ["host.Gid", is(four(context.hostGid), host)],
    // The whole map as the host sees it: one id, and it is not root's.
    ["host.uid_map", is(`${context.uid} ${context.hostUid} 1`, host)],
    ["host.gid_map", is(`${context.gid} ${context.hostGid} 1`, host)],
    ["host.not_root", is("yes", host)],
    ["status.NoNewPrivs", is("1", FIX_REPORT)],
    ["init.dumpable", is("0", FIX_REPORT)],
    ["init.memory", oneOf(["EACCES", "EPERM"], FIX_REPORT)],
    ["init.ptrace", oneOf(["EPERM", "EACCES"], FIX_REPORT)],
    ["environment", is("0", FIX_REPORT)],
    ["descriptors", is("none", FIX_REPORT)],
  ];
  for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
    rows.push([`status.${set}`, is(NO_CAPABILITIES, FIX_VIEW)]);
  }
  if (context.dropped) rows.push(["host.Groups", is("", host)]);
  return rows;
}

function expectNamespaces(context: ProofContext): [string, Expectation][] {
  const rows: [string, Expectation][] = NAMESPACES.map((kind) => {
    const ours = context.namespaces[kind];
    const accepts = (found: string) =>
      ours !== undefined && found !== ours && found.startsWith(`${kind}:[`);
    return [
      `namespace.${kind}`,
      { wanted: `another than the host's ${ours ?? "(unknown)"}`, accepts, fix: FIX_NAMESPACES },
    ];
  });
  return [...rows, ["hostname", is(context.hostName, FIX_VIEW)]];
}

function expectFiles(context: ProofContext): [string, Expectation][] {
  const canaries = Array.from({ length: context.canaries }, (_, n): [string, Expectation] => [
    `file.canary.${n}`,
    is("ENOENT", FIX_VIEW), // Not merely unreadable: it must not exist.
  ]);
  // A mount says EROFS, a mode EACCES, Landlock EACCES: whichever comes first.
  const closed = ["EACCES", "EPERM", "EROFS"];
  return [
    ...canaries,
    ["file.core_pattern", oneOf(closed, FIX_VIEW)],
    ["file.sysrq", oneOf([...closed, "ENOENT"], FIX_VIEW)],
    ["file.root", oneOf(closed, FIX_VIEW)],
    ["file.system", oneOf(closed, FIX_VIEW)],
    ["file.public", oneOf(closed, FIX_VIEW)],
    ["file.terminal", is("ENXIO", FIX_REPORT)], // No controlling terminal of the host's.
    [
      "landlock.abi",
      {
        wanted: `${context.landlockAbiMin} or higher`,
        accepts: (found) => Number(found) >= context.landlockAbiMin,
        fix: "boot with `lsm=landlock,...`, on a kernel that has Landlock",
      },
    ],
    ["landlock.write", is("EACCES", "boot with `lsm=landlock,...`, on a kernel that has Landlock")],
  ];
}

function expectCalls(context: ProofContext): [string, Expectation][] {
  const rows: [string, Expectation][] = [
    ["status.Seccomp", is("2", FIX_FILTER)],
    [
      "status.Seccomp_filters",
      { wanted: "1 or more", accepts: (n) => Number(n) >= 1, fix: FIX_FILTER },
    ],
    ["call.clone3", is("ENOSYS", FIX_FILTER)],
    ["call.io_uring_setup", is("ENOSYS", FIX_FILTER)],
    ["call.unknown", is("ENOSYS", FIX_FILTER)],
  ];
  const refused = [
    "unshare clone setns mount open_tree keyctl add_key bpf perf_event_open userfaultfd",
    "process_vm_readv tiocsti tiocsti.high",
  ];
  for (const name of refused.join(" ").split(" ")) {
    rows.push([`call.${name}`, is("EPERM", FIX_FILTER)]);
  }
  if (context.architecture === "x64") {
    // A kernel built without the ABI answers with a fault of its own.
    rows.push(["abi.i386", oneOf(["SYS", "SEGV"], FIX_FILTER)]);
    rows.push(["abi.x32", is("SYS", FIX_FILTER)]);
  }
  return rows;
}

function expectNetwork(): [string, Expectation][] {
  return [
    ["network.devices", is("lo", FIX_NAMESPACES)],
    ["network.fastopen", is("0", FIX_NAMESPACES)],
    ["socket.raw", is("EPERM", FIX_FILTER)],
    ["socket.icmp", is("EPERM", FIX_FILTER)],
    ["socket.packet", is("EPERM", FIX_FILTER)],
    ["socket.vsock", is("EAFNOSUPPORT", FIX_FILTER)],
    ["socket.netfilter", is("EPROTONOSUPPORT", FIX_FILTER)],
    ["socket.sctp", is("EPROTONOSUPPORT", FIX_FILTER)],
    ["socket.unix", is("succeeded", FIX_FILTER)],
    ["socket.tcp", is("succeeded", FIX_FILTER)],
    ["connect.fastopen", is("EOPNOTSUPP", FIX_FILTER)],
    ["connect.canary", oneOf(["ECONNREFUSED", "EACCES"], FIX_GATEWAY)],
  ];
}

function expectLimits(context: ProofContext): [string, Expectation][] {
  return [...context.limits].map(([resource, [soft, hard]]) => [
    `limit.${resource}`,
    is(`${soft} ${hard}`, "raise the daemon's own limit (`ulimit -H`), or lower the task's"),
  ]);
}

/** Holds findings against expectations: one proof for each control, found or not. */
export function judgeProofs(
  findings: readonly Finding[],
  expectations: ReadonlyMap<string, Expectation>,
): readonly Proof[] {
  const found = new Map(findings.map((finding) => [finding.control, finding.found]));
  return [...expectations].map(([control, { wanted, accepts }]) => {
    const what = found.get(control);
    return { control, found: what ?? "nothing", wanted, ok: what !== undefined && accepts(what) };
  });
}

/**
 * Lets a run start only where every control was found as it must be.
 *
 * @throws {Fault} `sandbox.unproved` naming the controls, with the first one's fix.
 */
export function requireProofs(
  proofs: readonly Proof[],
  expectations: ReadonlyMap<string, Expectation>,
): void {
  const broken = proofs.filter((proof) => !proof.ok);
  const [first] = broken;
  if (first === undefined && proofs.length > 0) return;
  const list = broken.map(({ control, found, wanted }) => `${control} is ${found}, not ${wanted}`);
  throw new Fault(
    "sandbox.unproved",
    `not started, since not every control holds: ${list.join("; ") || "nothing was proved"}`,
    { hint: expectations.get(first?.control ?? "")?.fix ?? FIX_REPORT },
  );
}
