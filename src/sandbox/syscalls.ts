/**
 * Numbers of the system calls that the filter names, for both architectures.
 *
 * From the kernel's asm/unistd_64.h (x64) and asm-generic/unistd.h (arm64); a call that an
 * architecture never had is `undefined`.
 *
 * @module
 */

/** The architectures that a run can have, by Node's names. */
export type Architecture = "x64" | "arm64";

/** Highest number that is known here (Linux 6.18, file_setattr). Whatever is newer does not exist in a run. */
export const HIGHEST_CALL = 469;

// [x64, arm64]
export const CALLS = {
  socket: [41, 198],
  connect: [42, 203],
  sendto: [44, 206],
  sendmsg: [46, 211],
  sendmmsg: [307, 269],
  setsockopt: [54, 208],
  clone: [56, 220],
  clone3: [435, 435],
  unshare: [272, 97],
  setns: [308, 268],
  execve: [59, 221],
  execveat: [322, 281],
  ioctl: [16, 29],
  personality: [135, 92],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  userfaultfd: [323, 282],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  move_mount: [429, 429],
  open_tree: [428, 428],
  mount_setattr: [442, 442],
  open_tree_attr: [467, 467],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  pidfd_getfd: [438, 438],
  kcmp: [312, 272],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  create_module: [174, undefined],
  query_module: [178, undefined],
  get_kernel_syms: [177, undefined],
  swapon: [167, 224],
  swapoff: [168, 225],
  reboot: [169, 142],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  acct: [163, 89],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  clock_adjtime: [305, 266],
  open_by_handle_at: [304, 265],
  name_to_handle_at: [303, 264],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  syslog: [103, 116],
  vhangup: [153, 58],
  fanotify_init: [300, 262],
  lookup_dcookie: [212, 18],
  nfsservctl: [180, 42],
  uselib: [134, undefined],
  ustat: [136, undefined],
  sysfs: [139, undefined],
  _sysctl: [156, undefined],
  ioperm: [173, undefined],
  iopl: [172, undefined],
  modify_ldt: [154, undefined],
  mbind: [237, 235],
  get_mempolicy: [239, 236],
  set_mempolicy: [238, 237],
  set_mempolicy_home_node: [450, 450],
  migrate_pages: [256, 238],
  move_pages: [279, 239],
  lsm_set_self_attr: [460, 460],
  socketpair: [53, 199],
  setrlimit: [160, 164],
  prlimit64: [302, 261],
} as const;

export type CallName = keyof typeof CALLS;

/** The number of `name` on `architecture`, or `undefined` where it has none. */
export function callNumber(name: CallName, architecture: Architecture): number | undefined {
  return CALLS[name][architecture === "x64" ? 0 : 1];
}
