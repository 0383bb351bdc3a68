/*
 * The spawner: forks launchers for the daemon. The daemon's own fork would copy the page tables of a grown
 * Node and stop it for that long (tens of milliseconds); this process has next to none. What it forks runs
 * the outer stage at once, without an execve.
 *
 * Orders are packets on descriptor 4:
 *
 *   launch ID    with four descriptors: the launcher's diagnostics, control stream, carrier, bubblewrap's notes
 *   kill ID
 *
 * Lines go back over descriptor 3: `born` with a pid, `unborn` with an errno, `gone` once it is reaped. The
 * number of a launcher stays its own until then, so `kill` never reaches another. It ends with the daemon.
 */
#define _GNU_SOURCE
#include "launcher.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GIVEN = 4, FIRST_GIVEN = 2, CLEAR = 64, LAUNCHERS_MAX = 16384, ORDER_BYTES_MAX = 64 };

static struct child {
  pid_t pid;
  long id;
} children[LAUNCHERS_MAX];
static int living = 0;

static void tell(const char *what, long id, const char *key, long value) {
  struct line line;
  line_open(&line, what);
  line_number(&line, "id", id);
  if (key != NULL) line_number(&line, key, value);
  line_send(&line);
}

/* The four become 2 to 5, and nothing else stays: not the spawner's own, nor those of other runs. */
__attribute__((noreturn)) static void become_launcher(const int *given) {
  int clear[GIVEN];
  for (int i = 0; i < GIVEN; i++) {
    clear[i] = fcntl(given[i], F_DUPFD, CLEAR);
    if (clear[i] < 0) _exit(REFUSED);
  }
  for (int i = 0; i < GIVEN; i++) {
    if (dup2(clear[i], FIRST_GIVEN + i) < 0) _exit(REFUSED);
  }
  if (syscall(SYS_close_range, FIRST_GIVEN + GIVEN, ~0U, 0) < 0) _exit(REFUSED);
  _exit(outer());
}

static void launch(long id, const int *given) {
  pid_t child = living < LAUNCHERS_MAX ? fork() : (errno = EAGAIN, -1);
  if (child == 0) become_launcher(given);
  if (child < 0) {
    tell("unborn", id, "errno", errno);
    return;
  }
  children[living++] = (struct child){.pid = child, .id = id};
  tell("born", id, "pid", child);
}

static void reap(void) {
  pid_t ended;
  while ((ended = waitpid(-1, NULL, WNOHANG)) > 0) {
    for (int i = 0; i < living; i++) {
      if (children[i].pid != ended) continue;
      tell("gone", children[i].id, NULL, 0);
      children[i] = children[--living];
      break;
    }
  }
}

static void kill_launcher(long id) {
  for (int i = 0; i < living; i++) {
    if (children[i].id == id) kill(children[i].pid, SIGKILL);
  }
}

/* Takes one order; 0 where the daemon is gone. */
static int obey(void) {
  char text[ORDER_BYTES_MAX];
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * GIVEN)];
  } control;
  struct iovec vector = {text, sizeof text - 1};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1,
                           .msg_control = control.space, .msg_controllen = sizeof control.space};
  ssize_t length = recvmsg(CARRIER_FD, &message, MSG_CMSG_CLOEXEC);
  if (length < 0 && (errno == EINTR || errno == EAGAIN)) return 1;
  if (length <= 0) return 0;
  text[length] = '\0';
  int given[GIVEN], count = 0;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header != NULL && header->cmsg_type == SCM_RIGHTS) {
    count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(given, CMSG_DATA(header), sizeof(int) * (size_t)count);
  }
  long id;
  if (sscanf(text, "launch %ld", &id) == 1 && count == GIVEN) launch(id, given);
  else if (sscanf(text, "launch %ld", &id) == 1) tell("unborn", id, "errno", EMFILE); /* cut off on the way */
  else if (sscanf(text, "kill %ld", &id) == 1) kill_launcher(id);
  for (int i = 0; i < count; i++) close(given[i]);
  return 1;
}

int spawner(void) {
  /* Out of the daemon's session: its Ctrl-C is not for the runs. */
  if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return REFUSED;
  sigset_t ended;
  sigemptyset(&ended);
  sigaddset(&ended, SIGCHLD);
  if (sigprocmask(SIG_SETMASK, &ended, NULL) < 0) return REFUSED;
  int signals = signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) return REFUSED;
  struct pollfd ready[2] = {{.fd = CARRIER_FD, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
  for (;;) {
    if (poll(ready, 2, -1) < 0 && errno != EINTR) return REFUSED;
    if (ready[1].revents) {
      struct signalfd_siginfo info;
      while (read(signals, &info, sizeof info) > 0) continue;
      reap();
    }
    if (ready[0].revents && !obey()) return 0;
  }
}
