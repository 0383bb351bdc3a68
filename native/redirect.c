/*
 * What becomes of the packets of a run:
 *
 *   table inet cofferdam { chain output { type nat hook output priority -100;
 *     ip daddr 127.0.0.0/8 accept; ip6 daddr ::1 accept
 *     meta l4proto tcp redirect to :TCP; udp dport 53 redirect to :DNS } }
 *
 * and behind it the chain of refused.c.
 */
#define _GNU_SOURCE
#include "launcher.h"
#include "nft.h"
#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>
#include <string.h>

static const char CHAIN[] = "output";

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

void install_redirect(uint16_t tcp_port, uint16_t dns_port) {
  struct batch batch = {.length = 0};
  struct nlattr *rule;
  nft_boundary(&batch, NFNL_MSG_BATCH_BEGIN);
  nft_message(&batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
  batch_text(&batch, NFTA_TABLE_NAME, NFT_TABLE);
  nft_chain(&batch, CHAIN, "nat", NF_IP_PRI_NAT_DST);
  accept_loopback(&batch, CHAIN);

  rule = nft_rule(&batch, CHAIN, NULL); /* meta l4proto tcp redirect */
  load_meta(&batch, NFT_META_L4PROTO);
  compare_byte(&batch, IPPROTO_TCP);
  redirect_to(&batch, tcp_port);
  batch_end(&batch, rule);

  uint16_t dns = htons(53);
  rule = nft_rule(&batch, CHAIN, NULL); /* udp dport 53 redirect: bytes 2-3 of the UDP header */
  load_meta(&batch, NFT_META_L4PROTO);
  compare_byte(&batch, IPPROTO_UDP);
  load_payload(&batch, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG_1);
  compare(&batch, &dns, sizeof dns);
  redirect_to(&batch, dns_port);
  batch_end(&batch, rule);

  refuse_others(&batch);
  nft_boundary(&batch, NFNL_MSG_BATCH_END);
  batch_send(&batch, NETLINK_NETFILTER, "redirect");
}
