/*
 * Outer stage: from the daemon's user on the host to bubblewrap. The plan is one frame of fields, a key
 * and its values each:
 *
 *   drop UID GID                     only as root: what to become
 *   stage-on DIR                     only as root: where the staging tmpfs goes, in a mount namespace of ours
 *   stage SOURCE NAME KIND UID GID   only as root: clone of SOURCE at DIR/NAME; KIND directory | file | device; UID and
 *                                    GID on disk that shall appear as the run's, or -1
 *   overlay LOWER UPPER WORK MERGED  copy-on-write mount, made in the run's user namespace
 *   bwrap ARGUMENT...                the rest: what to become
 */
#define _GNU_SOURCE
#include "launcher.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 4096 };

/*
 * A session keyring of the run's own, from which no other can be reached; its filter refuses all calls on
 * keys. Made by who launches: the id of runs has a quota of 200 keys, over all runs, and asking there for
 * the keyring before would make two more in each run's user namespace.
 */
static void leave_keyring(void) {
  long before = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
  long joined = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
  /* A kernel without keys has none to keep apart. */
  if (joined < 0 && errno != ENOSYS) fail("keyring", "keyctl", "join session keyring");
  if (joined >= 0 && joined == before) refuse("keyring", "keyctl", "the host's session keyring");
}

static void drop_root(uid_t uid, gid_t gid) {
  if (setgroups(0, NULL) < 0) fail("drop", "setgroups", "");
  if (setresgid(gid, gid, gid) < 0) fail("drop", "setresgid", "");
  if (setresuid(uid, uid, uid) < 0) fail("drop", "setresuid", "");
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2];
  memset(none, 0, sizeof none);
  if (syscall(SYS_capset, &header, none) < 0) fail("drop", "capset", "");
  /* Leaving root made us undumpable, and so the owner of our own /proc/self/uid_map. */
  if (prctl(PR_SET_DUMPABLE, 1) < 0) fail("drop", "prctl", "dumpable");
  if (setuid(0) == 0) refuse("drop", "setuid", "root could be taken back");
}

enum { OOM_SCORE = 500, SHARE = 2 };

/*
 * What the kernel counts by user would be the daemon's user's own: a run that used it up would take it from
 * every program of that person. It gets a half. And where the host's memory ends, the run ends first.
 */
static const char *const COUNTED[] = {
    "/proc/sys/user/max_inotify_instances",
    "/proc/sys/user/max_inotify_watches",
};
enum { COUNTED_FILES = sizeof COUNTED / sizeof *COUNTED };

static void halve_limit(__rlimit_resource_t resource) {
  struct rlimit value;
  if (getrlimit(resource, &value) < 0) fail("share", "getrlimit", "");
  if (value.rlim_max == RLIM_INFINITY) return;
  value.rlim_max /= SHARE;
  if (value.rlim_cur > value.rlim_max) value.rlim_cur = value.rlim_max;
  if (setrlimit(resource, &value) < 0) fail("share", "setrlimit", "");
}

static void volunteer_for_oom(void) {
  char text[16];
  if (read_small_file("/proc/self/oom_score_adj", text, sizeof text) < 0) {
    fail("share", "read", "oom_score_adj");
  }
  if (atoi(text) >= OOM_SCORE) return;
  snprintf(text, sizeof text, "%d", OOM_SCORE);
  write_file("share", "/proc/self/oom_score_adj", text);
}

/* Maps one id to itself: the run holds no other id, so nothing in it can become host uid 0. */
static void enter_namespaces(void) {
  uid_t uid = getuid();
  gid_t gid = getgid();
  char map[64], shares[COUNTED_FILES][32];
  for (int i = 0; i < COUNTED_FILES; i++) {
    char text[32];
    if (read_small_file(COUNTED[i], text, sizeof text) < 0) fail("share", "read", COUNTED[i]);
    snprintf(shares[i], sizeof shares[i], "%ld", atol(text) / SHARE);
  }
  /* A user namespace remembers these two of its maker, for all of its processes together. */
  halve_limit(RLIMIT_SIGPENDING);
  halve_limit(RLIMIT_MSGQUEUE);
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0) fail("namespaces", "unshare", "");
  write_file("namespaces", "/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "%u %u 1", uid, uid);
  write_file("namespaces", "/proc/self/uid_map", map);
  snprintf(map, sizeof map, "%u %u 1", gid, gid);
  write_file("namespaces", "/proc/self/gid_map", map);
  if (mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) fail("namespaces", "mount", "slave");
  /* Bubblewrap makes two user namespaces inside this one (the first, as id 0 of it, mounts devpts);
   * whoever asks for a third gets ENOSPC. */
  write_file("namespaces", "/proc/sys/user/max_user_namespaces", "2");
  for (int i = 0; i < COUNTED_FILES; i++) write_file("share", COUNTED[i], shares[i]);
}

/* Descriptor paths, since a comma or colon in a name would be read as overlay syntax. */
static void mount_overlay(const char *lower, const char *upper, const char *work, const char *merged) {
  const char *paths[3] = {lower, upper, work};
  int open_paths[3];
  char options[256];
  for (int i = 0; i < 3; i++) {
    open_paths[i] = open(paths[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (open_paths[i] < 0) fail("overlay", "open", paths[i]);
  }
  snprintf(options, sizeof options,
           "lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d,"
           /* Pinned, since a distribution may have set other defaults (src/workspace/layer.ts). */
           "userxattr,redirect_dir=nofollow,metacopy=off,index=off",
           open_paths[0], open_paths[1], open_paths[2]);
  if (mount("overlay", merged, "overlay", MS_NOSUID | MS_NODEV, options) < 0) {
    fail("overlay", "mount", lower);
  }
  for (int i = 0; i < 3; i++) close(open_paths[i]);
}

/*
 * Leaves a process behind that outlives bubblewrap by one act: it kills what is left of our process group.
 * Bubblewrap's child waits for its parent before it asks to die with it, and waits for ever where the
 * parent is killed in between (bubblewrap 0.8: eventfd, then PR_SET_PDEATHSIG). What the agent starts has
 * groups of its own, and ends with process 1, which is in ours.
 */
static void leave_guard(void) {
  pid_t group = getpid(); /* The session's leader, and so the group's. */
  int self = (int)syscall(SYS_pidfd_open, group, 0);
  if (self < 0) fail("guard", "pidfd_open", "");
  pid_t guard = fork();
  if (guard < 0) fail("guard", "fork", "");
  if (guard > 0) {
    close(self);
    return;
  }
  /* No descriptor may stay with it: the daemon waits for their end. Failing, it must not look like a run. */
  if (setpgid(0, 0) < 0 || dup2(self, 0) < 0 || syscall(SYS_close_range, 1, ~0U, 0) < 0) _exit(REFUSED);
  struct pollfd end = {.fd = 0, .events = POLLIN};
  while (poll(&end, 1, -1) < 0 && errno == EINTR) continue;
  kill(-group, SIGKILL);
  _exit(0);
}

static void become_bubblewrap(struct frame *plan) {
  static char *arguments[ARGUMENTS_MAX + 1];
  static char *environment[] = {"PATH=/usr/bin:/bin", NULL};
  int count = 0;
  const char *field;
  while ((field = next_field(plan, NULL)) != NULL) {
    if (count == ARGUMENTS_MAX) refuse("bwrap", "arguments", "too many");
    arguments[count++] = (char *)field;
  }
  if (count == 0) refuse("bwrap", "arguments", "none");
  if (chdir("/") < 0) fail("bwrap", "chdir", "/");
  leave_guard();
  execve(arguments[0], arguments, environment);
  fail("bwrap", "execve", arguments[0]);
}

int outer(void) {
  struct frame plan;
  if (!read_frame(&plan)) return REFUSED;
  umask(022);
  /* The daemon's mask and dispositions are not the run's. */
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  /* Out of the daemon's session: /dev/tty would be its terminal, and its Ctrl-C ours. */
  if (setsid() < 0) fail("session", "setsid", "");
  leave_keyring();
  volunteer_for_oom();

  uid_t uid = 0;
  gid_t gid = 0;
  int inside = 0;
  const char *key;
  while ((key = next_field(&plan, NULL)) != NULL) {
    if (strcmp(key, "drop") == 0) {
      uid = (uid_t)need_number(&plan);
      gid = (gid_t)need_number(&plan);
      continue;
    }
    if (strcmp(key, "stage-on") == 0) {
      stage_mounts(&plan);
      continue;
    }
    if (!inside) {
      /* All that needs the host's rights is done: leave them before anything else happens. */
      if (geteuid() == 0) {
        if (uid == 0 || gid == 0) refuse("drop", "plan", "root without an id to become");
        drop_root(uid, gid);
      }
      enter_namespaces();
      prepare_network();
      inside = 1;
    }
    if (strcmp(key, "overlay") == 0) {
      const char *lower = need_field(&plan), *upper = need_field(&plan);
      const char *work = need_field(&plan), *merged = need_field(&plan);
      mount_overlay(lower, upper, work, merged);
    } else if (strcmp(key, "bwrap") == 0) {
      become_bubblewrap(&plan);
    } else {
      refuse("control", "key", key);
    }
  }
  refuse("control", "frame", "no command");
}
