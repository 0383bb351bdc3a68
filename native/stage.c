/*
 * Staging, as root only: what the run shall see is cloned (open_tree) onto a tmpfs in a mount namespace
 * of ours while root can still reach it, since the id that the run gets may not pass through a private
 * home. A clone may be idmapped, so that files of the workspace's owner appear as the run's own.
 */
#define _GNU_SOURCE
#include "launcher.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* glibc's sys/mount.h and linux/mount.h clash in some releases; these two come from mount(2). */
int mount(const char *, const char *, const char *, unsigned long, const void *);
enum { MS_NOSUID_ = 2, MS_NODEV_ = 4, MS_REC_ = 16384, MS_SLAVE_ = 1 << 19 };

static void become_slave(void) {
  if (unshare(CLONE_NEWNS) < 0) fail("stage", "unshare", "mount");
  if (mount("none", "/", NULL, MS_REC_ | MS_SLAVE_, NULL) < 0) fail("stage", "mount", "slave");
}

/* A user namespace with the map `on disk -> run`, held by a child that waits until we have it. */
static int mapping(long uid, long gid, long run_uid, long run_gid) {
  int ready[2];
  char path[64], map[64], byte;
  if (pipe2(ready, O_CLOEXEC) < 0) fail("idmap", "pipe", "");
  pid_t child = fork();
  if (child < 0) fail("idmap", "fork", "");
  if (child == 0) {
    if (unshare(CLONE_NEWUSER) < 0) _exit(1);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  close(ready[1]);
  if (read(ready[0], &byte, 1) != 1) fail("idmap", "unshare", "user");
  close(ready[0]);
  snprintf(path, sizeof path, "/proc/%d/uid_map", child);
  snprintf(map, sizeof map, "%ld %ld 1", uid, run_uid);
  write_file("idmap", path, map);
  snprintf(path, sizeof path, "/proc/%d/gid_map", child);
  snprintf(map, sizeof map, "%ld %ld 1", gid, run_gid);
  write_file("idmap", path, map);
  snprintf(path, sizeof path, "/proc/%d/ns/user", child);
  int namespace = open(path, O_RDONLY | O_CLOEXEC);
  if (namespace < 0) fail("idmap", "open", path);
  kill(child, SIGKILL);
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
  return namespace;
}

static void make_place(const char *path, int is_directory) {
  if (is_directory) {
    if (mkdir(path, 0755) < 0) fail("stage", "mkdir", path);
    return;
  }
  int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
  if (file < 0) fail("stage", "create", path);
  close(file);
}

static void stage_one(struct frame *plan, const char *on, long run_uid, long run_gid) {
  char place[4096];
  const char *source = need_field(plan), *name = need_field(plan), *kind = need_field(plan);
  long uid = need_number(plan), gid = need_number(plan);
  /* The daemon names real paths; a link that took a place since then is not followed. */
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW;
  /* An idmapped clone takes its own file system only: what is mounted below may not support it. */
  if (uid < 0) flags |= AT_RECURSIVE;
  int tree = (int)syscall(SYS_open_tree, AT_FDCWD, source, flags);
  if (tree < 0) fail("stage", "open_tree", source);
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
  if (strcmp(kind, "device") == 0) attributes.attr_set = MOUNT_ATTR_NOSUID;
  if (uid >= 0) {
    attributes.attr_set |= MOUNT_ATTR_IDMAP;
    attributes.userns_fd = (uint64_t)mapping(uid, gid, run_uid, run_gid);
  }
  if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | (uid < 0 ? AT_RECURSIVE : 0), &attributes,
              sizeof attributes) < 0) {
    fail(uid >= 0 ? "idmap" : "stage", "mount_setattr", source);
  }
  if (uid >= 0) close((int)attributes.userns_fd);
  if (snprintf(place, sizeof place, "%s/%s", on, name) >= (int)sizeof place) {
    errno = ENAMETOOLONG;
    fail("stage", "name", name);
  }
  make_place(place, strcmp(kind, "directory") == 0);
  if (syscall(SYS_move_mount, tree, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) < 0) {
    fail("stage", "move_mount", place);
  }
  close(tree);
}

void stage_mounts(struct frame *plan) {
  const char *on = need_field(plan);
  long run_uid = need_number(plan), run_gid = need_number(plan), count = need_number(plan);
  become_slave();
  if (mount("cofferdam", on, "tmpfs", MS_NOSUID_ | MS_NODEV_, "mode=0755,size=1m,nr_inodes=8k") < 0) {
    fail("stage", "mount", on);
  }
  while (count-- > 0) stage_one(plan, on, run_uid, run_gid);
}
