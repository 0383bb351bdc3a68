/*
 * Inner stage: process 1 of the run. One frame says how to seal; after that it obeys `prove`,
 * `start`, `exec`, `signal` and `sockets`, and ends with the daemon.
 */
#define _GNU_SOURCE
#include "inner.h"
#include "launcher.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t agent = 0;

static void report_end(int status) {
  struct line line;
  line_open(&line, "exited");
  line_status(&line, status);
  line_send(&line);
  _exit(0); /* Takes every other process of the namespace along (pid_namespaces(7)). */
}

static void reap(void) {
  int status;
  for (;;) {
    pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended <= 0) return;
    if (ended == agent) report_end(status);
    if (prover_ended(ended, status) || exec_ended(ended, status)) continue;
  }
}

/*
 * A socket of this network namespace for each family, not connected: the daemon connects it, so that
 * process 1 never waits for whoever listens here. Only loopback is reachable from it, as from any.
 */
static void hand_out_sockets(const char *label) {
  int sockets[2];
  int count = 0;
  for (int i = 0; i < 2; i++) {
    int one = socket(i == 0 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (one >= 0) sockets[count++] = one;
  }
  /* Out of memory, or too many descriptors of this user under way: one connection is lost, not the run. */
  if (count == 0 || offer_descriptors(label, sockets, count) < 0) {
    struct line line;
    line_open(&line, "no-socket");
    line_text(&line, "label", label);
    line_send(&line);
  }
  while (count > 0) close(sockets[--count]);
}

static void obey(struct frame *order) {
  const char *verb = need_field(order);
  if (strcmp(verb, "prove") == 0) {
    start_prover(order);
  } else if (strcmp(verb, "start") == 0) {
    if (agent != 0) refuse("start", "order", "twice");
    agent = start_agent(order);
  } else if (strcmp(verb, "exec") == 0) {
    start_exec(order);
  } else if (strcmp(verb, "signal") == 0) {
    int number = (int)need_number(order);
    /* To the group, as a terminal would; the agent made itself its leader. */
    if (agent != 0) kill(-agent, number);
  } else if (strcmp(verb, "sockets") == 0) {
    hand_out_sockets(need_field(order));
  } else {
    refuse("control", "verb", verb);
  }
}

static void serve(void) {
  sigset_t all;
  sigfillset(&all);
  if (sigprocmask(SIG_SETMASK, &all, NULL) < 0) fail("serve", "sigprocmask", "");
  int signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) fail("serve", "signalfd", "");
  struct pollfd ready[2] = {{.fd = CONTROL_FD, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
  for (;;) {
    if (poll(ready, 2, -1) < 0 && errno != EINTR) fail("serve", "poll", "");
    if (ready[1].revents) {
      struct signalfd_siginfo info;
      while (read(signals, &info, sizeof info) > 0) continue;
      reap();
    }
    if (ready[0].revents) {
      struct frame order;
      if (!read_frame(&order)) _exit(REFUSED); /* No daemon, no run. */
      obey(&order);
      free(order.bytes);
    }
  }
}

int inner(void) {
  struct frame plan;
  if (getpid() != 1) {
    fputs("cofferdam launcher: not process 1\n", stderr);
    return REFUSED;
  }
  /* In case bubblewrap dies before us; the control stream's end covers the daemon. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) fail("seal", "prctl", "pdeathsig");
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL); /* Also for all that it forks. */
  clearenv(); /* Bubblewrap leaves PWD. */
  if (!read_frame(&plan)) return REFUSED;
  seal(&plan);
  free(plan.bytes);
  struct line line;
  line_open(&line, "sealed");
  line_send(&line);
  serve();
  return REFUSED;
}
