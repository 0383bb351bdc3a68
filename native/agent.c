/*
 * Starting the agent: a session of its own, a terminal of the run's own devpts or three pipes, and
 * nothing else. The daemon's ends go out over the carrier; pipes and not sockets, so that
 * /dev/stdout can be reopened, and made here, so that the run owns them.
 *
 *   start  TTY(0|1) COLUMNS ROWS CWD  COUNT ENV...  ARGV...
 */
#define _GNU_SOURCE
#include "inner.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STRINGS_MAX = 65536, NOT_FOUND = 127, NOT_EXECUTABLE = 126 };

struct stream_ends {
  int inside[3];
  int outside[3];
  int count; /* of outside: 1 for a terminal, 3 for pipes */
};

static struct stream_ends open_terminal(unsigned short columns, unsigned short rows) {
  struct winsize size = {.ws_col = columns, .ws_row = rows};
  /* Not blocking, for the daemon: a write to a full terminal must not hold it. */
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (master < 0) fail("terminal", "open", "/dev/ptmx");
  if (unlockpt(master) < 0) fail("terminal", "unlockpt", "");
  char path[64];
  if (ptsname_r(master, path, sizeof path) != 0) fail("terminal", "ptsname", "");
  int slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) fail("terminal", "open", path);
  if (ioctl(slave, TIOCSWINSZ, &size) < 0) fail("terminal", "ioctl", "size");
  return (struct stream_ends){.inside = {slave, slave, slave}, .outside = {master}, .count = 1};
}

static struct stream_ends open_pipes(void) {
  struct stream_ends ends = {.count = 3};
  for (int i = 0; i < 3; i++) {
    int both[2];
    if (pipe2(both, O_CLOEXEC) < 0) fail("pipes", "pipe2", "");
    ends.inside[i] = i == 0 ? both[0] : both[1];
    ends.outside[i] = i == 0 ? both[1] : both[0];
  }
  return ends;
}

static const char **take_strings(struct frame *order, long count) {
  const char **strings = calloc((size_t)STRINGS_MAX + 1, sizeof *strings);
  if (strings == NULL) fail("start", "calloc", "");
  long taken = 0;
  const char *field;
  while (taken != count && (field = next_field(order, NULL)) != NULL) {
    if (taken == STRINGS_MAX) refuse("start", "strings", "too many");
    strings[taken++] = field;
  }
  if (count >= 0 && taken != count) refuse("start", "strings", "too few");
  return strings;
}

/* Whether PATH leads to `name`, and where: looked up before it is tried, since every execve is held until
 * the daemon has judged it, also those of the three or four folders where there is nothing. */
static int find_program(const char *name, char *file, size_t size) {
  const char *folder = strchr(name, '/') == NULL ? getenv("PATH") : NULL;
  while (folder != NULL) {
    size_t length = strcspn(folder, ":");
    int wanted = snprintf(file, size, "%.*s%s%s", (int)length, folder, length == 0 ? "" : "/", name);
    struct stat about;
    if (wanted > 0 && (size_t)wanted < size && stat(file, &about) == 0 && S_ISREG(about.st_mode) &&
        access(file, X_OK) == 0) {
      return 1;
    }
    folder = folder[length] == ':' ? folder + length + 1 : NULL;
  }
  return 0;
}

__attribute__((noreturn)) static void become_agent(const struct stream_ends *ends, const char *cwd,
                                                   const char **environment, const char **arguments) {
  if (setsid() < 0) fail("start", "setsid", "");
  if (ends->count == 1 && ioctl(ends->inside[0], TIOCSCTTY, 0) < 0) fail("start", "ioctl", "TIOCSCTTY");
  for (int fd = 0; fd < 3; fd++) {
    if (dup2(ends->inside[fd], fd) < 0) fail("start", "dup2", "");
  }
  if (chdir(cwd) < 0) fail("start", "chdir", cwd);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  if (sigprocmask(SIG_SETMASK, &none, NULL) < 0) fail("start", "sigprocmask", "");
  /* The agent's PATH, not ours. Where nothing is found, or will not start, execvp's own search says why. */
  environ = (char **)environment;
  char file[PATH_MAX];
  if (find_program(arguments[0], file, sizeof file)) execvp(file, (char **)arguments);
  execvp(arguments[0], (char **)arguments);
  struct line line;
  line_open(&line, "not-started");
  line_text(&line, "command", arguments[0]);
  line_number(&line, "errno", errno);
  int status = errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
  line_send(&line);
  _exit(status);
}

pid_t start_agent(struct frame *order) {
  long terminal = need_number(order);
  unsigned short columns = (unsigned short)need_number(order);
  unsigned short rows = (unsigned short)need_number(order);
  const char *cwd = need_field(order);
  long count = need_number(order);
  const char **environment = take_strings(order, count);
  const char **arguments = take_strings(order, -1);
  if (arguments[0] == NULL) refuse("start", "arguments", "none");
  struct stream_ends ends = terminal ? open_terminal(columns, rows) : open_pipes();
  send_descriptors(terminal ? "terminal" : "pipes", ends.outside, ends.count);
  for (int i = 0; i < ends.count; i++) close(ends.outside[i]);
  pid_t child = fork();
  if (child < 0) fail("start", "fork", "");
  if (child == 0) become_agent(&ends, cwd, environment, arguments);
  for (int i = 0; i < 3; i++) {
    if (i == 0 || ends.inside[i] != ends.inside[0]) close(ends.inside[i]);
  }
  free(environment);
  free(arguments);
  return child;
}
