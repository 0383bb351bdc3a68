/* What a run may try, one line each: name, then `ok` or the errno's name. Arguments: the abstract socket
 * of the host, then files to read. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *name, long result) {
  printf("%s %s\n", name, result >= 0 ? "ok" : strerrorname_np(errno));
  fflush(stdout);
}

static long opens(const char *path, int flags) {
  int file = open(path, flags | O_CLOEXEC, 0600);
  if (file >= 0) close(file);
  return file;
}

static void in_child(const char *name, void (*call)(void)) {
  int status;
  pid_t child = fork();
  if (child == 0) {
    call();
    _exit(0);
  }
  waitpid(child, &status, 0);
  printf("%s %s\n", name, WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "ok");
  fflush(stdout);
}

#ifdef __x86_64__
static void call_i386(void) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
}
static void call_x32(void) { syscall(0x40000000 | SYS_getpid); }
#endif
static void call_getpid(void) { syscall(SYS_getpid); }

static void abstract_sockets(const char *host) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  strncpy(name.sun_path + 1, host, sizeof name.sun_path - 2);
  struct sockaddr_un own = {.sun_family = AF_UNIX, .sun_path = "\0cofferdam-test-own"};
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  say("abstract.host", connect(client, (void *)&name, sizeof(sa_family_t) + 1 + strlen(host)));
  int server = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(server, (void *)&own, sizeof own) < 0 || listen(server, 1) < 0) say("abstract.bind", -1);
  say("abstract.own", connect(client, (void *)&own, sizeof own));
}

static void fast_open(void) {
  int on = 1;
  struct sockaddr_in to = {.sin_family = AF_INET};
  socklen_t length = sizeof to;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int server = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(server, (void *)&to, sizeof to) < 0 || listen(server, 4) < 0) say("fastopen.bind", -1);
  getsockname(server, (void *)&to, &length);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  say("fastopen.sendto", sendto(client, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (void *)&to, sizeof to));
  struct iovec vector = {"x", 1};
  struct mmsghdr message = {{.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &vector, .msg_iovlen = 1}, 0};
  say("fastopen.sendmsg", sendmsg(client, &message.msg_hdr, MSG_FASTOPEN | MSG_NOSIGNAL));
  say("fastopen.sendmmsg", sendmmsg(client, &message, 1, MSG_FASTOPEN | MSG_NOSIGNAL));
  say("fastopen.option", setsockopt(client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on));
  say("fastopen.other-option", setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  say("fastopen.connect", connect(client, (void *)&to, sizeof to));
  say("fastopen.send", send(client, "x", 1, MSG_NOSIGNAL));
}

static void tracing(void) {
  say("ptrace.init", ptrace(PTRACE_SEIZE, 1, NULL, NULL));
  pid_t child = fork();
  if (child == 0) for (;;) pause();
  say("ptrace.child", ptrace(PTRACE_SEIZE, child, NULL, NULL));
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

static void descriptors(void) {
  DIR *folder = opendir("/proc/self/fd");
  printf("descriptors");
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(folder)) printf(" %s", entry->d_name);
  }
  printf("\n");
  closedir(folder);
}

int main(int argc, char **argv) {
  char ring[128];
  struct winsize size;
  memset(ring, 0, sizeof ring);
  for (int i = 2; i < argc; i++) say(argv[i], opens(argv[i], O_RDONLY));
  descriptors();
  say("core_pattern.write", opens("/proc/sys/kernel/core_pattern", O_WRONLY));
  say("core_pattern.read", opens("/proc/sys/kernel/core_pattern", O_RDONLY));
  say("init.mem", opens("/proc/1/mem", O_RDWR));
  say("self.mem", opens("/proc/self/mem", O_RDONLY));
  say("init.environ", opens("/proc/1/environ", O_RDONLY));
  say("init.fd", opens("/proc/1/fd", O_RDONLY | O_DIRECTORY));
  say("self.environ", opens("/proc/self/environ", O_RDONLY));
  say("io_uring", syscall(SYS_io_uring_setup, 1, ring));
  say("userns.unshare", unshare(CLONE_NEWUSER));
  long forked = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (forked == 0) _exit(0);
  say("userns.clone", forked);
  forked = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (forked == 0) _exit(0);
  say("fork.clone", forked);
  say("clone3", syscall(SYS_clone3, ring, 64));
  say("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
  say("keyring.keyctl", syscall(SYS_keyctl, 0, -3, 0));
  say("keyring.add_key", syscall(SYS_add_key, "user", "x", "x", 1, -3));
  say("keyring.request_key", syscall(SYS_request_key, "user", "x", NULL, -3));
  say("proc.keys", opens("/proc/keys", O_RDONLY));
  say("tty.sti", ioctl(0, TIOCSTI, "x"));
  say("tty.sti.high", syscall(SYS_ioctl, 0, TIOCSTI | 0x100000000UL, "x"));
  say("tty.linux", ioctl(0, TIOCLINUX, "\2"));
  say("tty.size", ioctl(0, TIOCGWINSZ, &size));
  say("socket.raw", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
  say("socket.ping", socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
  say("socket.packet", socket(AF_PACKET, SOCK_RAW, 0));
  say("socket.vsock", socket(40, SOCK_STREAM, 0));
  say("socket.alg", socket(AF_ALG, SOCK_SEQPACKET, 0));
  say("socket.netlink.route", socket(AF_NETLINK, SOCK_RAW, 0));
  say("socket.netlink.audit", socket(AF_NETLINK, SOCK_RAW, 9));
  say("socket.udp", socket(AF_INET6, SOCK_DGRAM, 0));
  say("write.workspace", opens("written", O_CREAT | O_WRONLY));
  say("write.home", opens("/home/agent/written", O_CREAT | O_WRONLY));
  say("write.tmp", opens("/tmp/written", O_CREAT | O_WRONLY));
  say("write.root", opens("/written", O_CREAT | O_WRONLY));
  say("write.usr", opens("/usr/written", O_CREAT | O_WRONLY));
  say("write.etc", opens("/etc/written", O_CREAT | O_WRONLY));
  say("write.public", opens("/run/cofferdam/written", O_CREAT | O_WRONLY));
  say("write.comm", opens("/proc/self/comm", O_WRONLY));
  say("kill.init", kill(1, SIGKILL)); /* allowed and without effect: process 1 takes none from inside */
  tracing();
  abstract_sockets(argv[1]);
  fast_open();
#ifdef __x86_64__
  in_child("abi.i386", call_i386);
  in_child("abi.x32", call_x32);
#endif
  in_child("abi.native", call_getpid);
  return 0;
}
