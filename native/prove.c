/* Probes of the seal, from inside, by a child under the very same filter. */
#define _GNU_SOURCE
#include "inner.h"

void start_prover(struct frame *order) { (void)order; }
int prover_ended(pid_t ended, int status) {
  (void)ended;
  (void)status;
  return 0;
}
