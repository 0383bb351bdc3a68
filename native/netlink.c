/* Netlink messages: framing (netlink(7)), attributes, acknowledgements. */
#define _GNU_SOURCE
#include "netlink.h"
#include "launcher.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *reserve(struct batch *batch, size_t size) {
  size_t padded = NLMSG_ALIGN(size);
  if (batch->length + padded > sizeof batch->bytes) refuse("netlink", "batch", "longer than its buffer");
  void *place = batch->bytes + batch->length;
  memset(place, 0, padded);
  batch->length += padded;
  if (batch->message != NULL) {
    batch->message->nlmsg_len = (uint32_t)(batch->bytes + batch->length - (char *)batch->message);
  }
  return place;
}

void batch_message(struct batch *batch, uint16_t type, uint16_t flags, const void *fixed, size_t size) {
  batch->message = NULL;
  struct nlmsghdr *header = reserve(batch, sizeof *header);
  batch->message = header;
  header->nlmsg_len = sizeof *header;
  header->nlmsg_type = type;
  header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
  header->nlmsg_seq = ++batch->messages;
  memcpy(reserve(batch, size), fixed, size);
}

void batch_attribute(struct batch *batch, uint16_t type, const void *value, size_t size) {
  struct nlattr *attribute = reserve(batch, NLA_HDRLEN + size);
  attribute->nla_len = (uint16_t)(NLA_HDRLEN + size);
  attribute->nla_type = type;
  memcpy((char *)attribute + NLA_HDRLEN, value, size);
}

void batch_text(struct batch *batch, uint16_t type, const char *value) {
  batch_attribute(batch, type, value, strlen(value) + 1);
}

void batch_be32(struct batch *batch, uint16_t type, uint32_t value) {
  uint32_t wire = htonl(value);
  batch_attribute(batch, type, &wire, sizeof wire);
}

struct nlattr *batch_nest(struct batch *batch, uint16_t type) {
  struct nlattr *nest = reserve(batch, NLA_HDRLEN);
  nest->nla_type = (uint16_t)(NLA_F_NESTED | type);
  return nest;
}

void batch_end(struct batch *batch, struct nlattr *nest) {
  nest->nla_len = (uint16_t)(batch->bytes + batch->length - (char *)nest);
}

void batch_send(struct batch *batch, int protocol, const char *step) {
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  int wanted = 0;
  for (size_t at = 0; at < batch->length;) {
    struct nlmsghdr *header = (struct nlmsghdr *)(batch->bytes + at);
    if (header->nlmsg_flags & NLM_F_ACK) wanted++;
    at += NLMSG_ALIGN(header->nlmsg_len);
  }
  int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (netlink < 0) fail(step, "socket", "netlink");
  if (sendto(netlink, batch->bytes, batch->length, 0, (void *)&kernel, sizeof kernel) < 0) {
    fail(step, "sendto", "netlink");
  }
  while (wanted > 0) {
    _Alignas(8) char answer[8192];
    ssize_t length = recv(netlink, answer, sizeof answer, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) fail(step, "recv", "netlink");
    struct nlmsghdr *header = (struct nlmsghdr *)answer;
    for (uint32_t rest = (uint32_t)length; NLMSG_OK(header, rest); header = NLMSG_NEXT(header, rest)) {
      if (header->nlmsg_type != NLMSG_ERROR) continue;
      struct nlmsgerr *error = NLMSG_DATA(header);
      if (error->error != 0) {
        errno = -error->error;
        char about[32] = "message ";
        about[8] = (char)('0' + header->nlmsg_seq / 10 % 10);
        about[9] = (char)('0' + header->nlmsg_seq % 10);
        fail(step, "netlink", about);
      }
      wanted--;
    }
  }
  close(netlink);
}
