/*
 * Starting a command: a session of its own, a terminal of the run's own devpts or three pipes, and
 * nothing else. The daemon's ends go out over the carrier; pipes and not sockets, so that
 * /dev/stdout can be reopened, and made here, so that the run owns them.
 *
 *   start  COMMAND       the agent: a step that fails ends the run
 *   COMMAND = TTY(0|1) COLUMNS ROWS CWD  COUNT ENV...  ARGV...
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

enum { STRINGS_MAX = 65536, FIELD_BYTES_MIN = sizeof(uint32_t) + 1, NOT_FOUND = 127, NOT_EXECUTABLE = 126 };

static int fails(const char **call, const char *name) {
  *call = name;
  return -1;
}

static int open_terminal(struct stream_ends *ends, unsigned short columns, unsigned short rows,
                         const char **call) {
  struct winsize size = {.ws_col = columns, .ws_row = rows};
  char path[64];
  /* Not blocking, for the daemon: a write to a full terminal must not hold it. */
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (master < 0) return fails(call, "open /dev/ptmx");
  ends->outside[0] = master;
  ends->count = 1;
  if (unlockpt(master) < 0) return fails(call, "unlockpt");
  int error = ptsname_r(master, path, sizeof path);
  if (error != 0) {
    errno = error;
    return fails(call, "ptsname");
  }
  int slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) return fails(call, "open the terminal");
  for (int i = 0; i < 3; i++) ends->inside[i] = slave;
  return ioctl(slave, TIOCSWINSZ, &size) < 0 ? fails(call, "ioctl size") : 0;
}

static int open_pipes(struct stream_ends *ends, const char **call) {
  ends->count = 3;
  for (int i = 0; i < 3; i++) {
    int both[2];
    if (pipe2(both, O_CLOEXEC) < 0) return fails(call, "pipe2");
    ends->inside[i] = i == 0 ? both[0] : both[1];
    ends->outside[i] = i == 0 ? both[1] : both[0];
  }
  return 0;
}

int open_streams(const struct command *command, struct stream_ends *ends, const char **call) {
  *ends = (struct stream_ends){.inside = {-1, -1, -1}, .outside = {-1, -1, -1}, .count = 0};
  return command->terminal ? open_terminal(ends, command->columns, command->rows, call)
                           : open_pipes(ends, call);
}

void close_inside(const struct stream_ends *ends) {
  for (int i = 0; i < 3; i++) {
    if (ends->inside[i] >= 0 && (i == 0 || ends->inside[i] != ends->inside[0])) close(ends->inside[i]);
  }
}

void close_outside(const struct stream_ends *ends) {
  for (int i = 0; i < ends->count; i++) {
    if (ends->outside[i] >= 0) close(ends->outside[i]);
  }
}

static const char **take_strings(struct frame *order, long count) {
  /* No more than the frame can hold: what process 1 has touched, each fork of it has to copy the tables of. */
  size_t room = (order->length - order->at) / FIELD_BYTES_MIN;
  const char **strings = calloc((room < STRINGS_MAX ? room : STRINGS_MAX) + 1, sizeof *strings);
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

void read_command(struct frame *order, struct command *command) {
  command->terminal = (int)need_number(order);
  command->columns = (unsigned short)need_number(order);
  command->rows = (unsigned short)need_number(order);
  command->cwd = need_field(order);
  long count = need_number(order);
  command->environment = take_strings(order, count);
  command->arguments = take_strings(order, -1);
  if (command->arguments[0] == NULL) refuse("start", "arguments", "none");
}

void forget_command(struct command *command) {
  free(command->environment);
  free(command->arguments);
}

void become_command(const struct stream_ends *ends, const struct command *command, const char *label) {
  const char *what = "setsid";
  if (setsid() < 0) goto failed;
  what = "TIOCSCTTY";
  if (ends->count == 1 && ioctl(ends->inside[0], TIOCSCTTY, 0) < 0) goto failed;
  what = "dup2";
  for (int fd = 0; fd < 3; fd++) {
    if (dup2(ends->inside[fd], fd) < 0) goto failed;
  }
  what = command->cwd;
  if (chdir(command->cwd) < 0) goto failed;
  sigset_t none; /* Handlers there are none, and what was ignored is not since inner.c. */
  sigemptyset(&none);
  what = "sigprocmask";
  if (sigprocmask(SIG_SETMASK, &none, NULL) < 0) goto failed;
  /* The command's PATH, not ours. Where nothing is found, or will not start, execvp's own search says why. */
  environ = (char **)command->environment;
  char file[PATH_MAX];
  what = command->arguments[0];
  if (find_program(what, file, sizeof file)) execvp(file, (char **)command->arguments);
  execvp(what, (char **)command->arguments);
failed:;
  int error = errno;
  struct line line;
  line_open(&line, "not-started");
  line_text(&line, "command", what);
  line_number(&line, "errno", error);
  if (label != NULL) line_text(&line, "label", label);
  line_send(&line);
  _exit(error == ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
}

pid_t start_agent(struct frame *order) {
  struct command command;
  struct stream_ends ends;
  const char *call;
  read_command(order, &command);
  if (open_streams(&command, &ends, &call) < 0) fail("start", call, "");
  send_descriptors(command.terminal ? "terminal" : "pipes", ends.outside, ends.count);
  close_outside(&ends);
  /* Nothing is copied. Process 1 stands until the agent is judged and begins; that it can be killed is all it is needed
   * for until then. */
  pid_t child = vfork();
  if (child < 0) fail("start", "vfork", "");
  if (child == 0) become_command(&ends, &command, NULL);
  environ = NULL; /* The agent's, in our memory until it began. */
  close_inside(&ends);
  forget_command(&command);
  return child;
}
