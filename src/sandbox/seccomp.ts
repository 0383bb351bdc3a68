/**
 * The system-call filter of a run, for both architectures (docs/decisions/0052).
 *
 * Everything is allowed but what stands here: a deny list as strict as a container's, foreign ABIs
 * killed, calls newer than we know absent, and the few calls that tell who goes out (connect, a
 * datagram to an address, execve) held for the daemon's answer. Pure: bytes for the kernel come out.
 *
 * @module
 */
import { constants } from "node:os";
import { assert } from "../base/index.ts";
import * as bpf from "./bpf.ts";
import { callNumber, HIGHEST_CALL, type Architecture, type CallName } from "./syscalls.ts";

const { EPERM, ENOSYS, EAFNOSUPPORT, EPROTONOSUPPORT, EOPNOTSUPP } = constants.errno;

// linux/sched.h: namespaces that clone can make. CLONE_NEWTIME lies among clone's signal bits, so
// only unshare and clone3 know it.
const CLONE_NAMESPACES = 0x7e02_0000; // NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
const CLONE_NEWTIME = 0x80;

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const AF_PACKET = 17;
const NETLINK_ROUTE = 0;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_TYPE_MASK = 0xf;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const TCP_FASTOPEN_CONNECT = 30;
const MSG_FASTOPEN = 0x2000_0000;
const TIOCSTI = 0x5412; // Types into the terminal as if the person had.
const TIOCLINUX = 0x541c; // Does so by pasting on a console.
const RLIMIT_CORE = 4;

/** What a container's default profile permits of personality(2). */
const PERSONALITIES = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff] as const;

/** Refused whatever the arguments: the call, and the errno that lets programs fall back best. */
export const REFUSED: readonly (readonly [CallName, number])[] = [
  // Bypasses every other rule here: its operations are never seen by seccomp.
  ["io_uring_setup", ENOSYS],
  ["io_uring_enter", ENOSYS],
  ["io_uring_register", ENOSYS],
  // Its flags lie in memory, where a filter cannot look; the C library falls back to clone.
  ["clone3", ENOSYS],
  // Keys are shared by uid, not by namespace.
  ["add_key", EPERM],
  ["request_key", EPERM],
  ["keyctl", EPERM],
  // Kernel attack surface that no ordinary tool needs.
  ["userfaultfd", EPERM],
  ["bpf", EPERM],
  ["perf_event_open", EPERM],
  ["fanotify_init", EPERM],
  ["kexec_load", EPERM],
  ["kexec_file_load", EPERM],
  ["init_module", EPERM],
  ["finit_module", EPERM],
  ["delete_module", EPERM],
  ["create_module", EPERM],
  ["query_module", EPERM],
  ["get_kernel_syms", EPERM],
  ["lookup_dcookie", EPERM],
  ["nfsservctl", EPERM],
  ["uselib", EPERM],
  ["ustat", EPERM],
  ["sysfs", EPERM],
  ["_sysctl", EPERM],
  ["ioperm", EPERM],
  ["iopl", EPERM],
  ["modify_ldt", EPERM],
  ["lsm_set_self_attr", EPERM],
  // Namespaces and mounts: the view stays as it was made.
  ["setns", EPERM],
  ["mount", EPERM],
  ["umount2", EPERM],
  ["pivot_root", EPERM],
  ["chroot", EPERM],
  ["fsopen", EPERM],
  ["fsconfig", EPERM],
  ["fsmount", EPERM],
  ["fspick", EPERM],
  ["move_mount", EPERM],
  ["open_tree", EPERM],
  ["open_tree_attr", EPERM],
  ["mount_setattr", EPERM],
  ["open_by_handle_at", EPERM],
  ["name_to_handle_at", EPERM],
  // Another process's memory and descriptors. ptrace itself stays, for debuggers and leak checkers;
  // process 1 is undumpable (docs/decisions/0053).
  ["process_vm_readv", EPERM],
  ["process_vm_writev", EPERM],
  ["process_madvise", EPERM],
  ["pidfd_getfd", EPERM],
  ["kcmp", EPERM],
  // The machine: clocks, names, swap, quotas, accounting, its log.
  ["swapon", EPERM],
  ["swapoff", EPERM],
  ["reboot", EPERM],
  ["quotactl", EPERM],
  ["quotactl_fd", EPERM],
  ["acct", EPERM],
  ["settimeofday", EPERM],
  ["clock_settime", EPERM],
  ["clock_adjtime", EPERM],
  ["sethostname", EPERM],
  ["setdomainname", EPERM],
  ["syslog", EPERM],
  ["vhangup", EPERM],
  // Placement of memory on nodes: a container refuses it too.
  ["mbind", EPERM],
  ["get_mempolicy", EPERM],
  ["set_mempolicy", EPERM],
  ["set_mempolicy_home_node", EPERM],
  ["migrate_pages", EPERM],
  ["move_pages", EPERM],
];

/** Held until the daemon answers. `sendto` only where it names an address; some of `socket`. */
export const NOTIFIED: readonly CallName[] = ["connect", "execve", "execveat"];

type Block = bpf.Block;
const { low, when } = bpf;

const refuse = (errno: number): Block => [bpf.give(bpf.ERRNO | errno)];
const ALLOWED: Block = [bpf.give(bpf.ALLOW)];
const NOTIFY: Block = [bpf.give(bpf.USER_NOTIFY)];
/** Returns 0 to the caller, and does nothing. */
const PRETEND: Block = [bpf.give(bpf.ERRNO)];

/** Refuses with `errno` where argument `n` has any of `bits`, else runs `otherwise`. */
function refuseBits(argument: number, bits: number, errno: number, otherwise: Block): Block {
  return [low(argument), bpf.jump(bpf.JUMP_BITS, bits, 0, 1), ...refuse(errno), ...otherwise];
}

/** Runs `block`, one instruction, where pointer argument `n` is not null; else allows. */
function whenPointer(argument: number, block: Block): Block {
  assert(block.length === 1, "the jump below goes over one instruction");
  return [
    low(argument),
    bpf.jump(bpf.JUMP_EQUAL, 0, 1, 0),
    ...block,
    bpf.load(bpf.offsetOf(argument, "high")),
    ...when([0], ALLOWED),
    ...block,
  ];
}

/**
 * socket(family, type, protocol): Unix; IPv4 and IPv6 as TCP or UDP only (raw, ICMP, SCTP, MPTCP and
 * the rest have no grant to judge them by); netlink only for routes, which getaddrinfo reads. Raw
 * packets, ICMP and frames are refused by the daemon, which puts the process on record.
 */
function socketRules(): Block {
  const type: Block = [low(1), { code: bpf.AND, jt: 0, jf: 0, k: SOCK_TYPE_MASK }];
  const tcp: Block = [low(2), ...when([0, IPPROTO_TCP], ALLOWED), ...refuse(EPROTONOSUPPORT)];
  const udp: Block = [low(2), ...when([0, IPPROTO_UDP], ALLOWED), ...NOTIFY];
  const inet: Block = [...type, ...when([SOCK_STREAM], tcp), ...when([SOCK_DGRAM], udp), ...NOTIFY];
  const netlink: Block = [low(2), ...when([NETLINK_ROUTE], ALLOWED), ...refuse(EPROTONOSUPPORT)];
  return [
    low(0),
    ...when([AF_UNIX], ALLOWED),
    ...when([AF_INET, AF_INET6], inet),
    ...when([AF_NETLINK], netlink),
    ...when([AF_PACKET], NOTIFY),
    ...refuse(EAFNOSUPPORT),
  ];
}

/** Rules that look at arguments. */
function byArgument(): readonly (readonly [CallName, Block])[] {
  return [
    ["clone", refuseBits(0, CLONE_NAMESPACES, EPERM, ALLOWED)],
    ["unshare", refuseBits(0, CLONE_NAMESPACES | CLONE_NEWTIME, EPERM, ALLOWED)],
    ["ioctl", [low(1), ...when([TIOCSTI, TIOCLINUX], refuse(EPERM)), ...ALLOWED]],
    ["personality", [low(0), ...when(PERSONALITIES, ALLOWED), ...refuse(EPERM)]],
    ["socket", socketRules()],
    ["socketpair", [low(0), ...when([AF_UNIX], ALLOWED), ...refuse(EAFNOSUPPORT)]],
    // A fast open sends data to a new peer with no connect(2) that could be judged.
    ["sendmsg", refuseBits(2, MSG_FASTOPEN, EOPNOTSUPP, ALLOWED)],
    ["sendmmsg", refuseBits(3, MSG_FASTOPEN, EOPNOTSUPP, ALLOWED)],
    ["sendto", refuseBits(3, MSG_FASTOPEN, EOPNOTSUPP, whenPointer(4, NOTIFY))],
    ["setsockopt", setsockoptRules()],
    // A core limit of 1 keeps the host's core handler, which runs as root, away from crashes in here;
    // 0 would call it (core(5)). Programs that set 0 are told that they did.
    ["setrlimit", [low(0), ...when([RLIMIT_CORE], PRETEND), ...ALLOWED]],
    ["prlimit64", [low(1), ...when([RLIMIT_CORE], whenPointer(2, PRETEND)), ...ALLOWED]],
  ];
}

function setsockoptRules(): Block {
  const option: Block = [low(2), ...when([TCP_FASTOPEN_CONNECT], refuse(EOPNOTSUPP)), ...ALLOWED];
  return [low(1), ...when([IPPROTO_TCP], option), ...ALLOWED];
}

/** The filter for `architecture`, as instructions. */
export function buildFilter(architecture: Architecture): readonly bpf.Instruction[] {
  const program: bpf.Instruction[] = [
    ...bpf.onlyNative(architecture),
    bpf.jump(bpf.JUMP_GREATER, HIGHEST_CALL, 0, 1),
    ...refuse(ENOSYS),
  ];
  const rules: readonly (readonly [CallName, Block])[] = [
    ...NOTIFIED.map((name) => [name, NOTIFY] as const),
    ...byArgument(),
    ...REFUSED.map(([name, errno]) => [name, refuse(errno)] as const),
  ];
  for (const [name, block] of rules) {
    const number = callNumber(name, architecture);
    if (number !== undefined) program.push(...when([number], block));
  }
  program.push(...ALLOWED);
  assert(program.length <= bpf.INSTRUCTIONS_MAX, "the filter must fit the kernel's limit");
  return program;
}

/** The filter for `architecture`, as the bytes that the launcher installs. */
export function encodeFilter(architecture: Architecture): Buffer {
  return bpf.encodeProgram(buildFilter(architecture));
}
