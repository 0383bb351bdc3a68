/**
 * The system calls that a sealed worker has left (docs/decisions/0121): reading and writing what it was
 * handed, waiting, memory, time. Everything else is refused, so that a new call of a new kernel is too.
 * Pure: bytes for the kernel come out.
 *
 * @module
 */
import { constants } from "node:os";
import { bpf, type Architecture } from "../sandbox/index.ts";

const { low, when } = bpf;
type Block = bpf.Block;
type Numbers = readonly [x64: number | undefined, arm64: number | undefined];

// asm/unistd_64.h (x64), asm-generic/unistd.h (arm64); the busiest first.
const PLAIN: Readonly<Record<string, Numbers>> = {
  epoll_pwait: [281, 22],
  epoll_wait: [232, undefined],
  read: [0, 63],
  write: [1, 64],
  writev: [20, 66],
  readv: [19, 65],
  recvmsg: [47, 212],
  recvfrom: [45, 207],
  recvmmsg: [299, 243],
  futex: [202, 98],
  epoll_ctl: [233, 21],
  accept4: [288, 242],
  close: [3, 57],
  shutdown: [48, 210],
  // Of a socket that was handed over listening; none can be bound, so none listens that was not.
  listen: [50, 201],
  getsockname: [51, 204],
  getpeername: [52, 205],
  getsockopt: [55, 209],
  munmap: [11, 215],
  mprotect: [10, 226],
  mremap: [25, 216],
  madvise: [28, 233],
  brk: [12, 214],
  pkey_mprotect: [329, 288],
  pkey_alloc: [330, 289],
  pkey_free: [331, 290],
  membarrier: [324, 283],
  getrandom: [318, 278],
  clock_gettime: [228, 113],
  clock_getres: [229, 114],
  gettimeofday: [96, 169],
  clock_nanosleep: [230, 115],
  nanosleep: [35, 101],
  poll: [7, undefined],
  ppoll: [271, 73],
  sched_yield: [24, 124],
  sched_getparam: [143, 121],
  sched_getscheduler: [145, 120],
  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  rt_sigreturn: [15, 139],
  sigaltstack: [131, 132],
  restart_syscall: [219, 128],
  fstat: [5, 80],
  getpid: [39, 172],
  gettid: [186, 178],
  getuid: [102, 174],
  geteuid: [107, 175],
  getgid: [104, 176],
  getegid: [108, 177],
  getrusage: [98, 165],
  sysinfo: [99, 179],
  exit: [60, 93],
  exit_group: [231, 94],
};

const ALLOW: Block = [bpf.give(bpf.ALLOW)];
const REFUSE: Block = [bpf.give(bpf.ERRNO | constants.errno.EPERM)];

// A fast open sends to a new peer with no connect(2): a closed upstream's socket could do that.
const MSG_FASTOPEN = 0x2000_0000;
/** Refuses where argument `argument` has any of `bits`. */
const without = (argument: number, bits: number): Block => [
  low(argument),
  bpf.jump(bpf.JUMP_BITS, bits, 0, 1),
  ...REFUSE,
  ...ALLOW,
];
const onlyWhere = (argument: number, values: readonly number[]): Block => [
  low(argument),
  ...when(values, ALLOW),
  ...REFUSE,
];

const MAP_SHARED = 1;
const MAP_GROWSDOWN = 0x100;

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2; // libuv, on a UDP socket that it takes over.
const SO_KEEPALIVE = 9;
const SO_LINGER = 13;
const IPPROTO_TCP = 6;
const TCP_OPTIONS = [1, 4, 5, 6]; // NODELAY, KEEPIDLE, KEEPINTVL, KEEPCNT

const setsockoptRules: Block = [
  low(1),
  ...when(
    [SOL_SOCKET],
    [low(2), ...when([SO_REUSEADDR, SO_KEEPALIVE, SO_LINGER], ALLOW), ...REFUSE],
  ),
  ...when([IPPROTO_TCP], onlyWhere(2, TCP_OPTIONS)),
  ...REFUSE,
];

const BY_ARGUMENT: readonly (readonly [Numbers, Block])[] = [
  [[46, 211], without(2, MSG_FASTOPEN)], // sendmsg
  [[44, 206], without(3, MSG_FASTOPEN)], // sendto
  [[307, 269], without(3, MSG_FASTOPEN)], // sendmmsg
  // mmap: shared memory and stacks that grow are not counted by RLIMIT_DATA.
  [[9, 222], without(3, MAP_SHARED | MAP_GROWSDOWN)],
  [[54, 208], setsockoptRules],
  // F_GETFD, F_SETFD, F_GETFL, F_SETFL. Not F_SETOWN: a socket's owner is sent signals.
  [[72, 25], onlyWhere(1, [1, 2, 3, 4])],
  [[16, 29], onlyWhere(1, [0x5421, 0x5451, 0x541b])], // ioctl: FIONBIO, FIOCLEX, FIONREAD
  [[157, 167], onlyWhere(0, [0x5356_4d41])], // prctl: PR_SET_VMA, names of memory
  [[262, 79], onlyWhere(3, [0x1000])], // newfstatat with AT_EMPTY_PATH, which is the C library's fstat
];

/**
 * What a worker's Node is loaded under: no ring of io_uring, whose operations no filter sees. libuv makes
 * one for itself where it can, and then keeps to it.
 */
export function encodeLoadingFilter(architecture: Architecture): Buffer {
  const RINGS = [425, 426, 427]; // io_uring_setup, _enter, _register, on every architecture
  const absent = [bpf.give(bpf.ERRNO | constants.errno.ENOSYS)];
  return bpf.encodeProgram([...bpf.onlyNative(architecture), ...when(RINGS, absent), ...ALLOW]);
}

/** The filter for `architecture`, as the kernel reads it. */
export function encodeWorkerFilter(architecture: Architecture): Buffer {
  const program: bpf.Instruction[] = [...bpf.onlyNative(architecture)];
  const add = ([x64, arm64]: Numbers, block: Block) => {
    const number = architecture === "x64" ? x64 : arm64;
    if (number !== undefined) program.push(...when([number], block));
  };
  for (const numbers of Object.values(PLAIN)) add(numbers, ALLOW);
  for (const [numbers, block] of BY_ARGUMENT) add(numbers, block);
  program.push(...REFUSE);
  return bpf.encodeProgram(program);
}
