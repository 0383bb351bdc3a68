/*
 * What is neither TCP nor a question to our resolver is counted and dropped; the sender gets EPERM. The
 * daemon reads the counters over the netlink socket that network.c hands out (src/sys/refused-packets.ts).
 *
 *   set targets4 { ip daddr . udp dport; size 256; counter }; set targets6 { ip6 daddr . udp dport; ... }
 *   chain refused { type filter hook output priority 0;
 *     meta mark OURS accept                          our own answers; a run cannot set a mark
 *     ip daddr 127.0.0.0/8 accept; ip6 daddr ::1 accept; meta l4proto tcp accept
 *     meta l4proto udp counter "udp"
 *     meta l4proto udp update @targets4 { ... }; the same for IPv6; meta l4proto udp drop
 *     meta l4proto icmp meta skuid counter drop "icmp"; the same for "icmpv6"
 *     meta l4proto icmp accept; meta l4proto icmpv6 accept     the kernel's own: errors, reports
 *     counter drop "other" }
 *
 * A full set takes no new target: those are in the count of "udp" alone.
 */
#define _GNU_SOURCE
#include "launcher.h"
#include "nft.h"
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>
#include <string.h>

enum { TARGETS_MAX = 256, PORT_SLOT = 4 /* of a register of four bytes */ };
static const char CHAIN[] = "refused";

/* Where an address lies in its header, and how long it is. */
struct family {
  const char *set;
  uint8_t protocol;
  uint32_t offset;
  uint32_t length;
};
static const struct family FAMILIES[] = {
    {"targets4", NFPROTO_IPV4, 16, 4},
    {"targets6", NFPROTO_IPV6, 24, 16},
};

static void count(struct batch *batch) {
  struct expression it = open_expression(batch, "counter");
  close_expression(batch, it);
}

static struct nlattr *open_rule_for(struct batch *batch, uint8_t protocol, const char *note) {
  struct nlattr *rule = nft_rule(batch, CHAIN, note);
  load_meta(batch, NFT_META_L4PROTO);
  compare_byte(batch, protocol);
  return rule;
}

static void add_set(struct batch *batch, const struct family *family, uint32_t id) {
  nft_message(batch, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL);
  batch_text(batch, NFTA_SET_TABLE, NFT_TABLE);
  batch_text(batch, NFTA_SET_NAME, family->set);
  batch_be32(batch, NFTA_SET_FLAGS, NFT_SET_EVAL);
  batch_be32(batch, NFTA_SET_KEY_TYPE, 1); /* of no meaning to the kernel */
  batch_be32(batch, NFTA_SET_KEY_LEN, family->length + PORT_SLOT);
  batch_be32(batch, NFTA_SET_ID, id);
  struct nlattr *description = batch_nest(batch, NFTA_SET_DESC);
  batch_be32(batch, NFTA_SET_DESC_SIZE, TARGETS_MAX);
  batch_end(batch, description);
}

static void note_target(struct batch *batch, const struct family *family, uint32_t id) {
  struct nlattr *rule = open_rule_for(batch, IPPROTO_UDP, NULL);
  load_meta(batch, NFT_META_NFPROTO);
  compare_byte(batch, family->protocol);
  uint32_t port = NFT_REG32_00 + family->length / 4;
  load_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, family->offset, family->length, NFT_REG32_00);
  load_payload(batch, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, port);
  struct expression it = open_expression(batch, "dynset");
  batch_text(batch, NFTA_DYNSET_SET_NAME, family->set);
  batch_be32(batch, NFTA_DYNSET_SET_ID, id);
  batch_be32(batch, NFTA_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
  batch_be32(batch, NFTA_DYNSET_SREG_KEY, NFT_REG32_00);
  struct nlattr *counter = batch_nest(batch, NFTA_DYNSET_EXPR);
  batch_text(batch, NFTA_EXPR_NAME, "counter");
  batch_end(batch, batch_nest(batch, NFTA_EXPR_DATA));
  batch_end(batch, counter);
  close_expression(batch, it);
  batch_end(batch, rule);
}

/* ICMP that a process sent: the kernel's own errors have no process behind them. */
static void refuse_icmp(struct batch *batch, uint8_t protocol, const char *note) {
  struct nlattr *rule = open_rule_for(batch, protocol, note);
  load_meta(batch, NFT_META_SKUID);
  count(batch);
  verdict(batch, NF_DROP);
  batch_end(batch, rule);
  rule = open_rule_for(batch, protocol, NULL);
  verdict(batch, NF_ACCEPT);
  batch_end(batch, rule);
}

void refuse_others(struct batch *batch) {
  nft_chain(batch, CHAIN, "filter", NF_IP_PRI_FILTER);
  for (uint32_t n = 0; n < 2; n++) add_set(batch, &FAMILIES[n], n + 1);

  uint32_t ours = OUR_MARK;
  struct nlattr *rule = nft_rule(batch, CHAIN, NULL);
  load_meta(batch, NFT_META_MARK);
  compare(batch, &ours, sizeof ours);
  verdict(batch, NF_ACCEPT);
  batch_end(batch, rule);
  accept_loopback(batch, CHAIN);
  rule = open_rule_for(batch, IPPROTO_TCP, NULL);
  verdict(batch, NF_ACCEPT);
  batch_end(batch, rule);

  rule = open_rule_for(batch, IPPROTO_UDP, "udp");
  count(batch);
  batch_end(batch, rule);
  for (uint32_t n = 0; n < 2; n++) note_target(batch, &FAMILIES[n], n + 1);
  rule = open_rule_for(batch, IPPROTO_UDP, NULL);
  verdict(batch, NF_DROP);
  batch_end(batch, rule);

  refuse_icmp(batch, IPPROTO_ICMP, "icmp");
  refuse_icmp(batch, IPPROTO_ICMPV6, "icmpv6");
  rule = nft_rule(batch, CHAIN, "other");
  count(batch);
  verdict(batch, NF_DROP);
  batch_end(batch, rule);
}
