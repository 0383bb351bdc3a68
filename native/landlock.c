/*
 * Landlock, the second and independent layer: reads anywhere in the view, writes only below the named
 * paths, no abstract Unix socket and no signal out of the run.
 *
 *   landlock ABI COUNT (PATH)...
 *
 * A worker reads below the named paths, and has neither writes nor TCP of its own.
 */
#define _GNU_SOURCE
#include "inner.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than some distributions' headers; values from include/uapi/linux/landlock.h. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* ABI 3 */
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#endif
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0) /* ABI 6 */
#define SCOPE_SIGNAL (1ULL << 1)               /* ABI 6 */
#define NET_BIND_TCP (1ULL << 0)               /* ABI 4 */
#define NET_CONNECT_TCP (1ULL << 1)            /* ABI 4 */

struct ruleset {
  uint64_t handled_access_fs;
  uint64_t handled_access_net; /* ABI 4; a run has none: its network namespace holds every address */
  uint64_t scoped;             /* ABI 6 */
};

static const uint64_t READ =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t FILE_RIGHTS = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |
                                    LANDLOCK_ACCESS_FS_IOCTL_DEV;

static void allow(int ruleset, const char *path, uint64_t access) {
  struct stat about;
  int place = open(path, O_PATH | O_CLOEXEC);
  if (place < 0) fail("landlock", "open", path);
  if (fstat(place, &about) < 0) fail("landlock", "stat", path);
  struct landlock_path_beneath_attr rule = {
      .allowed_access = S_ISDIR(about.st_mode) ? access : access & FILE_RIGHTS,
      .parent_fd = place,
  };
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0) {
    fail("landlock", "add_rule", path);
  }
  close(place);
}

/* A ruleset that handles every right of the kernel's ABI, with `network` from ABI 4 on. */
static int create_ruleset(long abi_wanted, uint64_t network, uint64_t *all) {
  long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < abi_wanted) refuse("landlock", "create_ruleset", "ABI");
  *all = (LANDLOCK_ACCESS_FS_REFER << 1) - 1; /* every right of ABI 2, the floor */
  if (abi >= 3) *all |= LANDLOCK_ACCESS_FS_TRUNCATE;
  if (abi >= 5) *all |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
  struct ruleset attributes = {.handled_access_fs = *all};
  size_t size = sizeof attributes.handled_access_fs;
  if (abi >= 4) {
    attributes.handled_access_net = network;
    size += sizeof attributes.handled_access_net;
  }
  if (abi >= 6) {
    attributes.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
    size = sizeof attributes;
  }
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
  if (ruleset < 0) fail("landlock", "create_ruleset", "");
  return ruleset;
}

static void enforce(int ruleset) {
  if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) fail("landlock", "restrict_self", "");
  close(ruleset);
}

void restrict_to_reading(struct frame *plan, long count, long abi_wanted) {
  uint64_t all;
  int ruleset = create_ruleset(abi_wanted, NET_BIND_TCP | NET_CONNECT_TCP, &all);
  while (count-- > 0) allow(ruleset, need_field(plan), READ);
  enforce(ruleset);
}

void restrict_paths(struct frame *plan, long count, long abi_wanted) {
  uint64_t all;
  int ruleset = create_ruleset(abi_wanted, 0, &all);
  allow(ruleset, "/", READ);
  while (count-- > 0) {
    const char *path = need_field(plan);
    /* Nobody in a run has a use for new device nodes, nor for devices outside of /dev. */
    uint64_t access = all & ~(LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK);
    if (strcmp(path, "/dev") != 0) access &= ~LANDLOCK_ACCESS_FS_IOCTL_DEV;
    allow(ruleset, path, access);
  }
  enforce(ruleset);
}
