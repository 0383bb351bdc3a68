/*
 * The launcher: the few steps of a run's start that Node cannot do (clone, unshare, install a notify
 * filter for a child, be process 1). Two stages, who forks them and the workers' first half, one static binary:
 *
 *   outer  as the daemon's user: drops root, makes the user, network and mount namespaces, hands the
 *          listeners out, mounts the overlay, becomes bubblewrap.
 *   inner  process 1 of the run, inside bubblewrap's view: seals itself (Landlock, seccomp), proves the
 *          seal, starts the agent, reaps, and ends the run when the daemon goes away.
 *   spawner  forks the outer stages, since the daemon's own fork is slow.
 *   worker confines itself and becomes the Node that parses what runs say.
 *
 * What to do comes from the daemon in frames on descriptor 3; what happened goes back there as JSON
 * lines; descriptors go back over 4. Order is fixed here; names and numbers come from src/sandbox.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
  CONTROL_FD = 3, /* stream: frames in, JSON lines out; its end is the end of the run */
  CARRIER_FD = 4, /* packets that carry descriptors out */
  REFUSED = 125,  /* exit status where Cofferdam itself refused */
  OUR_MARK = 0xc0ffe, /* on packets of our own listeners in the run's network */
};

/* control.c: frame = u32 length, then fields: u32 length, bytes, NUL. Host byte order. */
struct frame {
  char *bytes;
  uint32_t length;
  uint32_t at;
};
int read_frame(struct frame *frame);                       /* 0 at the end of the stream */
const char *next_field(struct frame *frame, uint32_t *length); /* NULL after the last */
const char *need_field(struct frame *frame);               /* fails the launch where none is left */
long need_number(struct frame *frame);

struct line {
  char text[16384];
  size_t length;
};
void line_open(struct line *line, const char *type);
void line_text(struct line *line, const char *key, const char *value);
void line_number(struct line *line, const char *key, long long value);
void line_status(struct line *line, int status); /* of wait(2): its signal or its code */
void line_send(struct line *line);
int offer_descriptors(const char *label, const int *descriptors, int count); /* -1: not sent */
void send_descriptors(const char *label, const int *descriptors, int count);
/* Reports and ends this process: a step that narrows access never fails quietly. */
__attribute__((noreturn)) void fail(const char *step, const char *call, const char *about);
/* The same where no call failed but something is not as it must be. */
__attribute__((noreturn)) void refuse(const char *step, const char *call, const char *about);
void write_file(const char *step, const char *path, const char *text);
int read_small_file(const char *path, char *text, size_t size); /* length, or -1 */

int outer(void);
int inner(void);
int worker(void);
int spawner(void);

void prepare_network(void);                          /* network.c */
void install_redirect(uint16_t tcp_port, uint16_t dns_port); /* redirect.c */
void stage_mounts(struct frame *plan);               /* stage.c */
