/*
 * Probes of the seal, by a child of process 1 under the very same filter, domain and credentials as the
 * agent will have. Each says what it found; what it ought to be stands in src/sandbox/proofs.ts.
 *
 *   prove  CONNECT_ADDRESS CONNECT_PORT  (CANARY_PATH)...
 */
#define _GNU_SOURCE
#include "inner.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef AF_VSOCK
#define AF_VSOCK 40
#endif

static pid_t prover = 0;

static void found(const char *control, const char *what) {
  struct line line;
  line_open(&line, "proof");
  line_text(&line, "control", control);
  line_text(&line, "found", what);
  line_send(&line);
}

static void found_number(const char *control, long value) {
  char text[32];
  snprintf(text, sizeof text, "%ld", value);
  found(control, text);
}

/* The name of what a call that must fail came back with. */
static void found_result(const char *control, long result) {
  found(control, result >= 0 ? "succeeded" : strerrorname_np(errno));
}

/* Lines of /proc/self/status by their key. */
static void prove_status(void) {
  static const char *const keys[] = {"NoNewPrivs", "Seccomp", "Seccomp_filters", "CapInh", "CapPrm",
                                     "CapEff",     "CapBnd",  "CapAmb",          "Uid",    "Gid"};
  char text[8192];
  if (read_small_file("/proc/self/status", text, sizeof text) < 0) return;
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    size_t length = strlen(keys[i]);
    for (char *line = text; line != NULL; line = strchr(line, '\n')) {
      if (*line == '\n') line++;
      if (strncmp(line, keys[i], length) != 0 || line[length] != ':') continue;
      char value[256], control[64];
      size_t at = 0;
      for (char *c = line + length + 1; *c != '\n' && *c != '\0' && at + 1 < sizeof value; c++) {
        if (*c != '\t' || at > 0) value[at++] = *c == '\t' ? ' ' : *c;
      }
      value[at] = '\0';
      snprintf(control, sizeof control, "status.%s", keys[i]);
      found(control, value);
      break;
    }
  }
}

static void prove_namespaces(void) {
  static const char *const kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    char path[64], control[64], target[64];
    snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
    snprintf(control, sizeof control, "namespace.%s", kinds[i]);
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0) continue;
    target[length] = '\0';
    found(control, target);
  }
}

static long try_open(const char *path, int flags) {
  int file = open(path, flags | O_CLOEXEC | O_NOCTTY, 0600);
  if (file >= 0) close(file);
  return file;
}

static void prove_files(struct frame *order) {
  const char *canary;
  char control[64];
  for (int n = 0; (canary = next_field(order, NULL)) != NULL; n++) {
    snprintf(control, sizeof control, "file.canary.%d", n);
    found_result(control, try_open(canary, O_RDONLY));
  }
  found_result("file.core_pattern", try_open("/proc/sys/kernel/core_pattern", O_WRONLY));
  found_result("file.sysrq", try_open("/proc/sysrq-trigger", O_WRONLY));
  found_result("file.root", try_open("/cofferdam-probe", O_CREAT | O_WRONLY));
  found_result("file.system", try_open("/usr/cofferdam-probe", O_CREAT | O_WRONLY));
  found_result("file.public", try_open("/run/cofferdam/cofferdam-probe", O_CREAT | O_WRONLY));
  found_result("file.terminal", try_open("/dev/tty", O_RDWR));
  found_result("init.memory", try_open("/proc/1/mem", O_RDWR));
  found_result("init.ptrace", ptrace(PTRACE_SEIZE, 1, NULL, NULL));
}

/* Calls that the filter must answer. All arguments are such that a kernel without it would act or
 * complain in another way. */
static void prove_calls(void) {
  found_result("call.unshare", unshare(CLONE_NEWUSER));
  found_result("call.clone", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
  found_result("call.clone3", syscall(SYS_clone3, NULL, 0));
  found_result("call.setns", setns(-1, CLONE_NEWNET));
  found_result("call.mount", mount("none", "/tmp", "tmpfs", 0, NULL));
  found_result("call.open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */));
  found_result("call.keyctl", syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3 /* session */, 0));
  found_result("call.add_key", syscall(SYS_add_key, "user", "cofferdam", "x", 1, -3));
  found_result("call.io_uring_setup", syscall(SYS_io_uring_setup, 1, NULL));
  found_result("call.bpf", syscall(SYS_bpf, -1, NULL, 0));
  found_result("call.perf_event_open", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
  found_result("call.userfaultfd", syscall(SYS_userfaultfd, 0));
  found_result("call.process_vm_readv", syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0));
  found_result("call.unknown", syscall(100000));
  char typed = 'x';
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) == 0) {
    /* On a pipe the kernel itself would say ENOTTY. Twice: the high half of a request is nothing. */
    found_result("call.tiocsti", syscall(SYS_ioctl, pipe_ends[0], TIOCSTI, &typed));
    found_result("call.tiocsti.high", syscall(SYS_ioctl, pipe_ends[0], TIOCSTI | 1UL << 32, &typed));
    close(pipe_ends[0]);
    close(pipe_ends[1]);
  }
}

static long try_socket(int family, int type, int protocol) {
  int opened = socket(family, type | SOCK_CLOEXEC, protocol);
  if (opened >= 0) close(opened);
  return opened;
}

static void prove_sockets(const char *address, long port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  found_result("socket.raw", try_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
  found_result("socket.icmp", try_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
  found_result("socket.packet", try_socket(AF_PACKET, SOCK_RAW, 0));
  found_result("socket.vsock", try_socket(AF_VSOCK, SOCK_STREAM, 0));
  found_result("socket.netfilter", try_socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));
  found_result("socket.sctp", try_socket(AF_INET, SOCK_STREAM, 132));
  found_result("socket.unix", try_socket(AF_UNIX, SOCK_STREAM, 0));
  found_result("socket.tcp", try_socket(AF_INET, SOCK_STREAM, 0));
  if (inet_pton(AF_INET, address, &to.sin_addr) != 1) return;
  int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (tcp < 0) return;
  /* Whoever answers the connect must be able to read its address, as of any agent. */
  if (prctl(PR_SET_DUMPABLE, 1) < 0) return;
  found_result("connect.fastopen", sendto(tcp, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (void *)&to, sizeof to));
  /* Through the daemon: the answer shows that someone holds the listener and refuses by default. */
  found_result("connect.canary", connect(tcp, (void *)&to, sizeof to));
  prctl(PR_SET_DUMPABLE, 0);
  close(tcp);
}

static void prove_network(void) {
  char text[4096], names[256] = "";
  if (read_small_file("/proc/net/dev", text, sizeof text) > 0) {
    char *line = text;
    while ((line = strchr(line, '\n')) != NULL) {
      char name[32];
      line++;
      if (sscanf(line, " %31[^:|]:", name) == 1 && strchr(name, ' ') == NULL && strlen(names) < 200) {
        if (names[0] != '\0') strcat(names, " ");
        strcat(names, name);
      }
    }
    found("network.devices", names);
  }
  if (read_small_file("/proc/sys/net/ipv4/tcp_fastopen", text, sizeof text) > 0) {
    text[strcspn(text, "\n")] = '\0';
    found("network.fastopen", text);
  }
}

/* What an execve would leave open beyond the three streams. */
static void prove_descriptors(void) {
  char names[512] = "";
  DIR *folder = opendir("/proc/self/fd");
  if (folder == NULL) return;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    int fd = atoi(entry->d_name);
    if (fd <= 2 || entry->d_name[0] == '.' || (fcntl(fd, F_GETFD) & FD_CLOEXEC)) continue;
    if (strlen(names) < 480) {
      strcat(names, " ");
      strcat(names, entry->d_name);
    }
  }
  closedir(folder);
  found("descriptors", names[0] == '\0' ? "none" : names + 1);
}

static void prove_limits(void) {
  for (int resource = 0; resource < (int)RLIMIT_NLIMITS; resource++) {
    struct rlimit limit;
    char control[32], value[64];
    if (getrlimit((__rlimit_resource_t)resource, &limit) < 0) continue;
    snprintf(control, sizeof control, "limit.%d", resource);
    snprintf(value, sizeof value, "%lld %lld", (long long)limit.rlim_cur, (long long)limit.rlim_max);
    found(control, value);
  }
}

/* A child that dies of a call in a foreign ABI; SIGSYS is the filter's kill. */
static void prove_foreign(const char *control, void (*call)(void)) {
  pid_t child = fork();
  int status;
  if (child < 0) return;
  if (child == 0) {
    signal(SIGSYS, SIG_DFL);
    signal(SIGSEGV, SIG_DFL);
    call();
    _exit(0);
  }
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFSIGNALED(status)) found(control, sigabbrev_np(WTERMSIG(status)));
  else found(control, "succeeded");
}

#ifdef __x86_64__
static void call_i386(void) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20 /* i386 getpid */) : "memory");
}
static void call_x32(void) { syscall(0x40000000 | SYS_getpid); }
#endif

/*
 * Landlock alone: /proc/self/comm may be written by its process as far as mounts and modes go, and lies
 * in no folder that the rules allow. Needs a dumpable process, else its mode says no first.
 */
static void prove_landlock(void) {
  found_number("landlock.abi", syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION));
  if (prctl(PR_SET_DUMPABLE, 1) < 0) return;
  found_result("landlock.write", try_open("/proc/self/comm", O_WRONLY));
  prctl(PR_SET_DUMPABLE, 0);
}

__attribute__((noreturn)) static void prove(struct frame *order) {
  const char *address = need_field(order);
  long port = need_number(order);
  struct utsname names;
  prove_status();
  found_number("init.dumpable", prctl(PR_GET_DUMPABLE));
  prove_namespaces();
  if (uname(&names) == 0) found("hostname", names.nodename);
  long variables = 0;
  for (char **variable = environ; variable != NULL && *variable != NULL; variable++) variables++;
  found_number("environment", variables);
  prove_descriptors();
  prove_files(order);
  prove_calls();
  prove_network();
  prove_sockets(address, port);
  prove_limits();
  prove_landlock();
#ifdef __x86_64__
  prove_foreign("abi.i386", call_i386);
  prove_foreign("abi.x32", call_x32);
#else
  (void)prove_foreign;
#endif
  _exit(0);
}

void start_prover(struct frame *order) {
  if (prover != 0) refuse("prove", "order", "twice");
  prover = fork();
  if (prover < 0) fail("prove", "fork", "");
  if (prover == 0) prove(order);
}

int prover_ended(pid_t ended, int status) {
  if (ended != prover) return 0;
  struct line line;
  line_open(&line, "proved");
  line_number(&line, "status", status);
  line_send(&line);
  return 1;
}
