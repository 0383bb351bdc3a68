/*
 * The run's network: nothing but a loopback device that owns every address there is (AnyIP), so that
 * whatever the run dials arrives at listeners which are opened here and handed to the daemon.
 */
#define _GNU_SOURCE
#include "launcher.h"
#include "netlink.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  /* Above net.ipv4.ip_local_port_range (32768-60999), so that no ephemeral port meets them. */
  TCP_PORT = 63443,
  DNS_PORT = 63053,
  LOOPBACK_INDEX = 1,
  BACKLOG = 512,
};
/* Source addresses of the run: a reply to 127.0.0.1 would be dropped as martian on an AnyIP route. */
static const char ADDRESS4[] = "10.255.0.2";
static const char ADDRESS6[] = "fd63:6f66:6665:ffff::2";

static void add_address(struct batch *batch, int family, const void *address, size_t size) {
  struct ifaddrmsg message = {
      .ifa_family = (uint8_t)family,
      .ifa_prefixlen = (uint8_t)(size * 8),
      .ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0,
      .ifa_scope = RT_SCOPE_UNIVERSE,
      .ifa_index = LOOPBACK_INDEX,
  };
  batch_message(batch, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &message, sizeof message);
  batch_attribute(batch, IFA_LOCAL, address, size);
  batch_attribute(batch, IFA_ADDRESS, address, size);
}

/* `local default dev lo src ADDRESS`: every destination is this host, answered from ADDRESS. */
static void add_anyip_route(struct batch *batch, int family, const void *source, size_t size) {
  uint32_t loopback = LOOPBACK_INDEX;
  struct rtmsg message = {
      .rtm_family = (uint8_t)family,
      .rtm_table = RT_TABLE_LOCAL,
      .rtm_protocol = RTPROT_BOOT,
      .rtm_scope = family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
      .rtm_type = RTN_LOCAL,
  };
  batch_message(batch, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &message, sizeof message);
  batch_attribute(batch, RTA_OIF, &loopback, sizeof loopback);
  batch_attribute(batch, RTA_PREFSRC, source, size);
}

static void configure_loopback(int has_v6) {
  struct in_addr address4;
  struct in6_addr address6;
  inet_pton(AF_INET, ADDRESS4, &address4);
  inet_pton(AF_INET6, ADDRESS6, &address6);
  struct batch batch = {.length = 0};
  struct ifinfomsg up = {.ifi_index = LOOPBACK_INDEX, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  batch_message(&batch, RTM_NEWLINK, NLM_F_ACK, &up, sizeof up);
  add_address(&batch, AF_INET, &address4, sizeof address4);
  add_anyip_route(&batch, AF_INET, &address4, sizeof address4);
  if (has_v6) {
    add_address(&batch, AF_INET6, &address6, sizeof address6);
    add_anyip_route(&batch, AF_INET6, &address6, sizeof address6);
  }
  batch_send(&batch, NETLINK_ROUTE, "network");
}

static int open_socket(int family, int type, uint16_t port) {
  int on = 1;
  struct sockaddr_in six_less = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  six_less.sin_addr.s_addr = htonl(INADDR_LOOPBACK); /* where `redirect` sends: nft(8) */
  six.sin6_addr = in6addr_loopback;
  int opened = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), mark = OUR_MARK;
  if (opened < 0) fail("listeners", "socket", "");
  if (setsockopt(opened, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0) fail("listeners", "mark", "");
  if (family == AF_INET6) {
    if (setsockopt(opened, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0 ||
        bind(opened, (void *)&six, sizeof six) < 0) {
      fail("listeners", "bind", "::1");
    }
  } else if (bind(opened, (void *)&six_less, sizeof six_less) < 0) {
    fail("listeners", "bind", "127.0.0.1");
  }
  if (type == SOCK_STREAM && listen(opened, BACKLOG) < 0) fail("listeners", "listen", "");
  return opened;
}

void prepare_network(void) {
  int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int has_v6 = probe >= 0;
  if (!has_v6 && errno != EAFNOSUPPORT) fail("network", "socket", "IPv6");
  if (has_v6) {
    close(probe);
    /* A host may switch IPv6 off for new devices; left off, loopback could not hold ::1. */
    write_file("network", "/proc/sys/net/ipv6/conf/lo/disable_ipv6", "0");
  }
  configure_loopback(has_v6);
  /* A TCP fast open carries data before any connect(2) that could be judged. */
  write_file("network", "/proc/sys/net/ipv4/tcp_fastopen", "0");
  write_file("network", "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
  install_redirect(TCP_PORT, DNS_PORT);
  int sockets[6], count = 0;
  sockets[count++] = open_socket(AF_INET, SOCK_STREAM, TCP_PORT);
  sockets[count++] = open_socket(AF_INET, SOCK_DGRAM, DNS_PORT);
  sockets[count] = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (sockets[count++] < 0) fail("network", "socket", "sock_diag");
  sockets[count] = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (sockets[count++] < 0) fail("network", "socket", "netfilter");
  if (has_v6) {
    sockets[count++] = open_socket(AF_INET6, SOCK_STREAM, TCP_PORT);
    sockets[count++] = open_socket(AF_INET6, SOCK_DGRAM, DNS_PORT);
  }
  send_descriptors("network", sockets, count);
  for (int i = 0; i < count; i++) close(sockets[i]);
}
