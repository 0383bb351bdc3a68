/* Building and sending netlink messages: one buffer, attributes with their lengths fixed up after. */
#pragma once
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

struct batch {
  _Alignas(8) char bytes[8192];
  size_t length;
  struct nlmsghdr *message;
  uint32_t messages; /* sent so far: the sequence number, and how many answers to expect */
};

/* Starts a message whose fixed part is `fixed`. */
void batch_message(struct batch *batch, uint16_t type, uint16_t flags, const void *fixed, size_t size);
void batch_attribute(struct batch *batch, uint16_t type, const void *value, size_t size);
void batch_text(struct batch *batch, uint16_t type, const char *value);
void batch_be32(struct batch *batch, uint16_t type, uint32_t value);
struct nlattr *batch_nest(struct batch *batch, uint16_t type);
void batch_end(struct batch *batch, struct nlattr *nest);
/* Sends all on a new socket of `protocol`; fails the launch unless every message asked to is
 * acknowledged with 0. */
void batch_send(struct batch *batch, int protocol, const char *step);
