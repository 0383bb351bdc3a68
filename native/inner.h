/* Parts of the inner stage. */
#pragma once
#include "launcher.h"
#include <sys/types.h>

void seal(struct frame *plan);                 /* seal.c: from here on nothing can be gained back */
pid_t start_agent(struct frame *order);        /* agent.c */
void start_prover(struct frame *order);        /* prove.c */
int prover_ended(pid_t ended, int status);
void restrict_paths(struct frame *plan, long count, long abi_wanted); /* landlock.c */
void restrict_to_reading(struct frame *plan, long count, long abi_wanted);
void set_limit(struct frame *plan);              /* seal.c */
