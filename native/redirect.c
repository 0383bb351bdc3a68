/*
 * The redirect, in the kernel's own form (nf_tables over netlink; no nft binary, 4 ms less a start):
 *
 *   table inet cofferdam { chain output { type nat hook output priority -100;
 *     ip daddr 127.0.0.0/8 accept; ip6 daddr ::1 accept
 *     meta l4proto tcp redirect to :TCP; udp dport 53 redirect to :DNS } }
 */
#define _GNU_SOURCE
#include "launcher.h"
#include "netlink.h"
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>
#include <string.h>

static const char TABLE[] = "cofferdam";
static const char CHAIN[] = "output";

static void message(struct batch *batch, uint16_t type, uint16_t flags) {
  struct nfgenmsg fixed = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};
  uint16_t full = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
  batch_message(batch, full, (uint16_t)(NLM_F_ACK | flags), &fixed, sizeof fixed);
}

static void boundary(struct batch *batch, uint16_t type) {
  struct nfgenmsg fixed = {.version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
  batch_message(batch, type, 0, &fixed, sizeof fixed);
}

/* One expression of a rule: a list element with a name and nested data. */
struct expression {
  struct nlattr *element;
  struct nlattr *data;
};

static struct expression open_expression(struct batch *batch, const char *name) {
  struct expression it;
  it.element = batch_nest(batch, NFTA_LIST_ELEM);
  batch_text(batch, NFTA_EXPR_NAME, name);
  it.data = batch_nest(batch, NFTA_EXPR_DATA);
  return it;
}

static void close_expression(struct batch *batch, struct expression it) {
  batch_end(batch, it.data);
  batch_end(batch, it.element);
}

static void load_meta(struct batch *batch, uint32_t key) {
  struct expression it = open_expression(batch, "meta");
  batch_be32(batch, NFTA_META_DREG, NFT_REG_1);
  batch_be32(batch, NFTA_META_KEY, key);
  close_expression(batch, it);
}

static void load_payload(struct batch *batch, uint32_t base, uint32_t offset, uint32_t length) {
  struct expression it = open_expression(batch, "payload");
  batch_be32(batch, NFTA_PAYLOAD_DREG, NFT_REG_1);
  batch_be32(batch, NFTA_PAYLOAD_BASE, base);
  batch_be32(batch, NFTA_PAYLOAD_OFFSET, offset);
  batch_be32(batch, NFTA_PAYLOAD_LEN, length);
  close_expression(batch, it);
}

static void compare(struct batch *batch, const void *value, size_t size) {
  struct expression it = open_expression(batch, "cmp");
  batch_be32(batch, NFTA_CMP_SREG, NFT_REG_1);
  batch_be32(batch, NFTA_CMP_OP, NFT_CMP_EQ);
  struct nlattr *data = batch_nest(batch, NFTA_CMP_DATA);
  batch_attribute(batch, NFTA_DATA_VALUE, value, size);
  batch_end(batch, data);
  close_expression(batch, it);
}

static void compare_byte(struct batch *batch, uint8_t value) { compare(batch, &value, 1); }

static void verdict_accept(struct batch *batch) {
  struct expression it = open_expression(batch, "immediate");
  batch_be32(batch, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
  struct nlattr *data = batch_nest(batch, NFTA_IMMEDIATE_DATA);
  struct nlattr *verdict = batch_nest(batch, NFTA_DATA_VERDICT);
  batch_be32(batch, NFTA_VERDICT_CODE, NF_ACCEPT);
  batch_end(batch, verdict);
  batch_end(batch, data);
  close_expression(batch, it);
}

static void redirect_to(struct batch *batch, uint16_t port) {
  uint16_t wire = htons(port);
  struct expression immediate = open_expression(batch, "immediate");
  batch_be32(batch, NFTA_IMMEDIATE_DREG, NFT_REG_1);
  struct nlattr *data = batch_nest(batch, NFTA_IMMEDIATE_DATA);
  batch_attribute(batch, NFTA_DATA_VALUE, &wire, sizeof wire);
  batch_end(batch, data);
  close_expression(batch, immediate);
  struct expression redirect = open_expression(batch, "redir");
  batch_be32(batch, NFTA_REDIR_REG_PROTO_MIN, NFT_REG_1);
  batch_be32(batch, NFTA_REDIR_REG_PROTO_MAX, NFT_REG_1);
  close_expression(batch, redirect);
}

static struct nlattr *open_rule(struct batch *batch) {
  message(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
  batch_text(batch, NFTA_RULE_TABLE, TABLE);
  batch_text(batch, NFTA_RULE_CHAIN, CHAIN);
  return batch_nest(batch, NFTA_RULE_EXPRESSIONS);
}

void install_redirect(uint16_t tcp_port, uint16_t dns_port) {
  struct batch batch = {.length = 0};
  struct nlattr *rule;
  boundary(&batch, NFNL_MSG_BATCH_BEGIN);
  message(&batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
  batch_text(&batch, NFTA_TABLE_NAME, TABLE);
  message(&batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL);
  batch_text(&batch, NFTA_CHAIN_TABLE, TABLE);
  batch_text(&batch, NFTA_CHAIN_NAME, CHAIN);
  struct nlattr *hook = batch_nest(&batch, NFTA_CHAIN_HOOK);
  batch_be32(&batch, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT);
  batch_be32(&batch, NFTA_HOOK_PRIORITY, (uint32_t)NF_IP_PRI_NAT_DST);
  batch_end(&batch, hook);
  batch_text(&batch, NFTA_CHAIN_TYPE, "nat");

  rule = open_rule(&batch); /* ip daddr 127.0.0.0/8 accept: byte 16 of the IPv4 header */
  load_meta(&batch, NFT_META_NFPROTO);
  compare_byte(&batch, NFPROTO_IPV4);
  load_payload(&batch, NFT_PAYLOAD_NETWORK_HEADER, 16, 1);
  compare_byte(&batch, 127);
  verdict_accept(&batch);
  batch_end(&batch, rule);

  rule = open_rule(&batch); /* ip6 daddr ::1 accept: bytes 24-39 of the IPv6 header */
  load_meta(&batch, NFT_META_NFPROTO);
  compare_byte(&batch, NFPROTO_IPV6);
  load_payload(&batch, NFT_PAYLOAD_NETWORK_HEADER, 24, 16);
  compare(&batch, &in6addr_loopback, 16);
  verdict_accept(&batch);
  batch_end(&batch, rule);

  rule = open_rule(&batch); /* meta l4proto tcp redirect */
  load_meta(&batch, NFT_META_L4PROTO);
  compare_byte(&batch, IPPROTO_TCP);
  redirect_to(&batch, tcp_port);
  batch_end(&batch, rule);

  uint16_t dns = htons(53);
  rule = open_rule(&batch); /* udp dport 53 redirect: bytes 2-3 of the UDP header */
  load_meta(&batch, NFT_META_L4PROTO);
  compare_byte(&batch, IPPROTO_UDP);
  load_payload(&batch, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
  compare(&batch, &dns, sizeof dns);
  redirect_to(&batch, dns_port);
  batch_end(&batch, rule);

  boundary(&batch, NFNL_MSG_BATCH_END);
  batch_send(&batch, NETLINK_NETFILTER, "redirect");
}
