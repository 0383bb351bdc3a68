/*
 * Commands for a run that lives. Between process 1 and each stands a keeper: a subreaper (prctl(2)), so that
 * whatever the command leaves behind on its way comes to the keeper and all of one command can be ended,
 * and nothing else of the run. The keeper leaves with the command; what still runs then is the run's own.
 *
 *   exec  LABEL COMMAND
 *
 * Under LABEL go out the daemon's ends of the streams, the keeper's gate and a handle of the keeper, by which
 * the daemon knows its number outside. The gate takes bytes: GO starts the command, any other is a signal for its
 * process group, and its end ends all of it. So a daemon that asks no more lets nothing begin or go on.
 */
#define _GNU_SOURCE
#include "inner.h"
#include "launcher.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GO = 0xff, EXECS_MAX = 256, LABEL_BYTES_MAX = 32, ROUND_MS = 5 };

static struct {
  pid_t keeper; /* 0: free */
  char label[LABEL_BYTES_MAX];
} execs[EXECS_MAX];

static void report(const char *type, const char *label, const char *call) {
  struct line line;
  int error = errno;
  line_open(&line, type);
  line_text(&line, "label", label);
  line_text(&line, "call", call);
  line_number(&line, "errno", error);
  line_send(&line);
}

int exec_ended(pid_t ended, int status) {
  for (int i = 0; i < EXECS_MAX; i++) {
    if (execs[i].keeper != ended) continue;
    struct line line;
    line_open(&line, "exec-ended");
    line_text(&line, "label", execs[i].label);
    line_status(&line, status);
    line_send(&line);
    execs[i].keeper = 0;
    return 1;
  }
  return 0;
}

static pid_t parent_of(const char *pid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
  if (read_small_file(path, text, sizeof text) < 0) return -1;
  const char *name_end = strrchr(text, ')'); /* proc(5): a name may hold anything, also this. */
  int parent;
  return name_end != NULL && sscanf(name_end + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

/* Ends every descendant. Those of the children that end become children: round by round until none is left. */
static void end_all(void) {
  pid_t self = getpid();
  for (;;) {
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    while (processes != NULL && (entry = readdir(processes)) != NULL) {
      if (isdigit((unsigned char)entry->d_name[0]) && parent_of(entry->d_name) == self) {
        kill(atoi(entry->d_name), SIGKILL);
      }
    }
    if (processes != NULL) closedir(processes);
    pid_t ended;
    while ((ended = waitpid(-1, NULL, WNOHANG)) > 0) continue;
    if (ended < 0 && errno == ECHILD) return;
    poll(NULL, 0, ROUND_MS); /* What was killed has not ended yet. */
  }
}

/* Ends as the command did, so that process 1 reports that. */
__attribute__((noreturn)) static void end_like(int status) {
  if (WIFSIGNALED(status)) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, WTERMSIG(status));
    signal(WTERMSIG(status), SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    kill(getpid(), WTERMSIG(status));
  }
  _exit(WIFSIGNALED(status) ? REFUSED : WEXITSTATUS(status));
}

__attribute__((noreturn)) static void keep(const struct stream_ends *ends, const struct command *command,
                                           int gate, const char *label) {
  pid_t child = 0;
  sigset_t ends_of_children; /* Everything is blocked already: process 1 has signals read to it. */
  sigemptyset(&ends_of_children);
  sigaddset(&ends_of_children, SIGCHLD);
  int signals = signalfd(-1, &ends_of_children, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
    report("exec-failed", label, "keeper");
    _exit(REFUSED);
  }
  prctl(PR_SET_NAME, "cofferdam-exec");
  struct pollfd ready[2] = {{.fd = gate, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
  for (;;) {
    if (poll(ready, 2, -1) < 0 && errno != EINTR) _exit(REFUSED);
    if (ready[1].revents) {
      struct signalfd_siginfo info;
      int status;
      pid_t ended;
      while (read(signals, &info, sizeof info) > 0) continue;
      while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
        if (ended == child) end_like(status);
      }
    }
    if (!ready[0].revents) continue;
    unsigned char word;
    ssize_t got = read(gate, &word, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      end_all();
      end_like(SIGKILL);
    }
    if (word != GO) {
      /* Not the leader of a group yet: then it has all signals blocked, and has this one when it lets them come. */
      if (child > 0 && kill(-child, word) < 0) kill(child, word);
    } else if (child == 0) {
      /* No vfork: the keeper would stand until the command is judged, and end nothing meanwhile. */
      child = fork();
      if (child == 0) become_command(ends, command, label);
      if (child < 0) {
        report("exec-failed", label, "fork");
        _exit(REFUSED);
      }
      close_inside(ends);
      /* The command has its own by now; who keeps it says nothing more. */
      close(CONTROL_FD);
      close(CARRIER_FD);
    }
  }
}

static int free_place(void) {
  for (int i = 0; i < EXECS_MAX; i++) {
    if (execs[i].keeper == 0) return i;
  }
  return -1;
}

/* What fails here is one command's, not the run's: the run itself can cause it (processes, descriptors). */
void start_exec(struct frame *order) {
  const char *label = need_field(order);
  struct command command;
  struct stream_ends ends = {.inside = {-1, -1, -1}};
  int gate[2] = {-1, -1};
  int handle = -1;
  pid_t keeper = -1;
  const char *call = "too many commands";
  read_command(order, &command);
  int place = free_place();
  errno = EAGAIN;
  if (place < 0 || strlen(label) >= LABEL_BYTES_MAX) goto failed;
  if (open_streams(&command, &ends, &call) < 0) goto failed;
  call = "pipe2";
  if (pipe2(gate, O_CLOEXEC) < 0) goto failed;
  call = "fork";
  if ((keeper = fork()) < 0) goto failed;
  if (keeper == 0) {
    close(gate[1]);
    close_outside(&ends);
    keep(&ends, &command, gate[0], label);
  }
  call = "pidfd_open";
  if ((handle = (int)syscall(SYS_pidfd_open, keeper, 0)) < 0) goto failed;
  int given[5] = {ends.outside[0], ends.outside[1], ends.outside[2]};
  int count = ends.count;
  given[count++] = gate[1];
  given[count++] = handle;
  execs[place].keeper = keeper;
  strcpy(execs[place].label, label);
  /* Not sent, its gate closes below, and the keeper leaves without having started anything. */
  if (offer_descriptors(label, given, count) < 0) {
    execs[place].keeper = 0;
    call = "sendmsg";
    goto failed;
  }
  goto done;
failed:
  report("exec-failed", label, call);
done:
  close_outside(&ends);
  close_inside(&ends);
  if (gate[0] >= 0) close(gate[0]);
  if (gate[1] >= 0) close(gate[1]);
  if (handle >= 0) close(handle);
  forget_command(&command);
}
