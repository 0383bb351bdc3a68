/*
 * The seal of process 1, inherited by every process of the run: no descriptors,
 * limits, Landlock, no new privileges, no capabilities, the seccomp filter. In this order, since each
 * step may take away what the one before needed.
 */
#define _GNU_SOURCE
#include "inner.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/capability.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif

static void close_descriptors(void) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) fail("descriptors", "open", "/dev/null");
  for (int fd = 0; fd < 3; fd++) {
    if (dup2(null, fd) < 0) fail("descriptors", "dup2", "/dev/null");
  }
  if (null > 2) close(null);
  if (syscall(SYS_close_range, CARRIER_FD + 1, ~0U, 0) < 0) fail("descriptors", "close_range", "");
  /* The run's own children never see the control stream or the carrier. */
  if (fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC) < 0) fail("descriptors", "fcntl", "control");
  if (fcntl(CARRIER_FD, F_SETFD, FD_CLOEXEC) < 0) fail("descriptors", "fcntl", "carrier");
}

void set_limit(struct frame *plan) {
  int resource = (int)need_number(plan);
  struct rlimit value = {(rlim_t)need_number(plan), (rlim_t)need_number(plan)};
  if (setrlimit(resource, &value) < 0) fail("limits", "setrlimit", "");
}

static void drop_capabilities(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2];
  memset(none, 0, sizeof none);
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) {
    fail("capabilities", "prctl", "ambient");
  }
  if (syscall(SYS_capset, &header, none) < 0) fail("capabilities", "capset", "");
}

static void install_filter(const char *program, uint32_t length) {
  struct sock_fprog filter = {
      .len = (unsigned short)(length / sizeof(struct sock_filter)),
      .filter = (struct sock_filter *)program,
  };
  if (length == 0 || length % sizeof(struct sock_filter) != 0) refuse("seccomp", "program", "length");
  int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                              SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
                              &filter);
  if (listener < 0) fail("seccomp", "seccomp", "");
  send_descriptors("notify", &listener, 1);
  close(listener);
}

void seal(struct frame *plan) {
  const char *key, *program = NULL;
  uint32_t program_length = 0;
  close_descriptors();
  umask(022);
  /* Undumpable: no process of the run may trace process 1 or open its memory, and with it the control
   * stream. Children lose this at their first execve. */
  if (prctl(PR_SET_DUMPABLE, 0) < 0) fail("seal", "prctl", "dumpable");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail("seal", "prctl", "no new privileges");
  while ((key = next_field(plan, NULL)) != NULL) {
    if (strcmp(key, "limit") == 0) {
      set_limit(plan);
    } else if (strcmp(key, "landlock") == 0) {
      long abi = need_number(plan), count = need_number(plan);
      restrict_paths(plan, count, abi);
    } else if (strcmp(key, "seccomp") == 0) {
      program = next_field(plan, &program_length);
      if (program == NULL) refuse("control", "frame", "a field is missing");
    } else {
      refuse("control", "key", key);
    }
  }
  drop_capabilities();
  if (program == NULL) refuse("seccomp", "plan", "no program");
  install_filter(program, program_length);
}
