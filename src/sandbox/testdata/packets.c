/* Sends packets that nothing may let out, in ways that no held call shows. Prints `name sent errno`. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in to4(const char *address, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  inet_pton(AF_INET, address, &to.sin_addr);
  return to;
}

static int udp(int family) { return socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0); }

static void say(const char *name, int accepted) {
  printf("%s %d %s\n", name, accepted, accepted > 0 ? "-" : strerrorname_np(errno));
}

/* Sends `times` datagrams, each by sendmsg, with a source address where one is given. */
static void send_messages(const char *name, int from, void *to, socklen_t length, int times,
                          const char *source) {
  char byte = 'x', control[CMSG_SPACE(sizeof(struct in_pktinfo))] = {0};
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_name = to, .msg_namelen = length, .msg_iov = &data, .msg_iovlen = 1};
  if (source != NULL) {
    struct cmsghdr *part = (struct cmsghdr *)control;
    struct in_pktinfo information = {0};
    inet_pton(AF_INET, source, &information.ipi_spec_dst);
    part->cmsg_len = CMSG_LEN(sizeof information);
    part->cmsg_level = IPPROTO_IP;
    part->cmsg_type = IP_PKTINFO;
    memcpy(CMSG_DATA(part), &information, sizeof information);
    message.msg_control = control;
    message.msg_controllen = sizeof control;
  }
  int accepted = 0;
  while (times-- > 0) accepted += sendmsg(from, &message, 0) == 1;
  say(name, accepted);
}

static void send_many(int times, struct sockaddr_in to) {
  struct mmsghdr batch[16] = {0};
  char byte = 'x';
  struct iovec data = {&byte, 1};
  int accepted = 0, from = udp(AF_INET);
  for (int n = 0; n < 16; n++) {
    batch[n].msg_hdr.msg_name = &to;
    batch[n].msg_hdr.msg_namelen = sizeof to;
    batch[n].msg_hdr.msg_iov = &data;
    batch[n].msg_hdr.msg_iovlen = 1;
  }
  /* The call stops at the first that fails. */
  while (times-- > 0) accepted += sendmmsg(from, batch, 16, 0) > 0;
  say("many", accepted);
}

/* Sockets that no run gets: what ping asks for, what a sniffer does. */
static int sockets(void) {
  say("ping", socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) >= 0);
  say("ping6", socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6) >= 0);
  say("ping.raw", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0);
  say("lite", socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE) >= 0);
  say("raw", socket(AF_INET, SOCK_RAW, IPPROTO_RAW) >= 0);
  say("frames", socket(AF_PACKET, SOCK_RAW, 0) >= 0);
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "sockets") == 0) return sockets();
  struct sockaddr_in outside = to4("198.51.100.7", 443), inside = to4("127.0.0.1", 9999);
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(8443)};
  inet_pton(AF_INET6, "2001:db8::7", &six.sin6_addr);
  int from = udp(AF_INET), mark = 0xc0ffe, on = 1;

  send_messages("unconnected", from, &outside, sizeof outside, 7, NULL);
  send_many(5, to4("10.9.8.7", 161));
  send_messages("six", udp(AF_INET6), &six, sizeof six, 3, NULL);

  int local = udp(AF_INET);
  if (bind(local, (void *)&inside, sizeof inside) < 0) return 1;
  send_messages("loopback", from, &inside, sizeof inside, 4, NULL);

  /* As if it were an answer of the gateway's resolver: its address, and its port on another one. */
  struct sockaddr_in dns = to4("10.255.0.2", 63053), target = to4("198.51.100.8", 1);
  int spoof = udp(AF_INET);
  if (bind(spoof, (void *)&dns, sizeof dns) < 0) return 1;
  send_messages("spoofed", spoof, &target, sizeof target, 2, "127.0.0.1");
  say("mark", setsockopt(from, SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0);

  struct sockaddr_in all = to4("255.255.255.255", 67);
  setsockopt(from, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
  send_messages("broadcast", from, &all, sizeof all, 1, NULL);

  for (int port = 1; port <= 300; port++) {
    struct sockaddr_in scanned = to4("198.51.100.9", port == 53 ? 5353 : port);
    struct iovec data = {"x", 1};
    struct msghdr message = {.msg_name = &scanned, .msg_namelen = sizeof scanned, .msg_iov = &data, .msg_iovlen = 1};
    sendmsg(from, &message, 0);
  }
  return 0;
}
