/* Parts of the inner stage. */
#pragma once
#include "launcher.h"
#include <sys/types.h>

void seal(struct frame *plan);                 /* seal.c: from here on nothing can be gained back */

/* agent.c: a command, and the ends of its streams on both sides. */
struct command {
  int terminal;
  unsigned short columns, rows;
  const char *cwd;
  const char **environment, **arguments;
};
struct stream_ends {
  int inside[3];
  int outside[3];
  int count; /* of outside: 1 for a terminal, 3 for pipes */
};
void read_command(struct frame *order, struct command *command);
void forget_command(struct command *command);
/* -1 with errno and the call that failed; what was opened is in `ends` all the same. */
int open_streams(const struct command *command, struct stream_ends *ends, const char **call);
void close_inside(const struct stream_ends *ends);
void close_outside(const struct stream_ends *ends);
/* Where it cannot be started, that is reported, under `label` where it is not the agent. */
__attribute__((noreturn)) void become_command(const struct stream_ends *ends, const struct command *command,
                                              const char *label);
pid_t start_agent(struct frame *order);

void start_exec(struct frame *order);          /* exec.c */
int exec_ended(pid_t ended, int status);

void start_prover(struct frame *order);        /* prove.c */
int prover_ended(pid_t ended, int status);
void restrict_paths(struct frame *plan, long count, long abi_wanted); /* landlock.c */
void restrict_to_reading(struct frame *plan, long count, long abi_wanted);
void set_limit(struct frame *plan);              /* seal.c */
