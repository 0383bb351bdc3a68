/*
 * The first half of a worker's seal: what must stand before its Node is loaded, since Landlock binds
 * only the thread that asks for it. Node itself does the other half when all its code is in (src/worker).
 *
 *   (limit RESOURCE SOFT HARD)... landlock ABI COUNT (PATH)... seccomp PROGRAM run ARGUMENT...
 *
 * The filter here is the one that a Node can be loaded under; a narrower one follows.
 */
#define _GNU_SOURCE
#include "inner.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 64 };

static void become_node(struct frame *plan) {
  char *arguments[ARGUMENTS_MAX + 1];
  char *environment[] = {NULL};
  const char *field;
  int count = 0;
  while ((field = next_field(plan, NULL)) != NULL) {
    if (count == ARGUMENTS_MAX) refuse("worker", "arguments", "too many");
    arguments[count++] = (char *)field;
  }
  arguments[count] = NULL;
  if (count == 0) refuse("worker", "arguments", "none");
  execve(arguments[0], arguments, environment);
  fail("worker", "execve", arguments[0]);
}

static void filter_calls(struct frame *plan) {
  uint32_t length = 0;
  const char *program = next_field(plan, &length);
  struct sock_fprog filter = {
      .len = (unsigned short)(length / sizeof(struct sock_filter)),
      .filter = (struct sock_filter *)program,
  };
  if (program == NULL) refuse("seccomp", "plan", "no program");
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0) fail("seccomp", "seccomp", "");
}

int worker(void) {
  struct frame plan;
  const char *key;
  int confined = 0, filtered = 0;
  sigset_t none;
  if (!read_frame(&plan)) return REFUSED;
  umask(077);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  /* Out of the daemon's session and group: no terminal, and no signal that is meant for it. */
  if (setsid() < 0) fail("session", "setsid", "");
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) fail("worker", "prctl", "pdeathsig");
  if (chdir("/") < 0) fail("worker", "chdir", "/");
  if (syscall(SYS_close_range, CARRIER_FD + 1, ~0U, 0) < 0) fail("descriptors", "close_range", "");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail("seal", "prctl", "no new privileges");
  while ((key = next_field(&plan, NULL)) != NULL) {
    if (strcmp(key, "limit") == 0) {
      set_limit(&plan);
    } else if (strcmp(key, "landlock") == 0) {
      long abi = need_number(&plan), count = need_number(&plan);
      restrict_to_reading(&plan, count, abi);
      confined = 1;
    } else if (strcmp(key, "seccomp") == 0) {
      filter_calls(&plan);
      filtered = 1;
    } else if (strcmp(key, "run") == 0) {
      if (!confined) refuse("landlock", "plan", "none");
      if (!filtered) refuse("seccomp", "plan", "none");
      become_node(&plan);
    } else {
      refuse("control", "key", key);
    }
  }
  refuse("control", "frame", "no command");
}
