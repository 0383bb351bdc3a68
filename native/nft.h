/* Rules of nf_tables in the kernel's own form: one table, the expressions that our chains consist of. */
#pragma once
#include "netlink.h"
#include <linux/netfilter/nf_tables.h>

extern const char NFT_TABLE[];

/* One expression of a rule: a list element with a name and nested data. */
struct expression {
  struct nlattr *element;
  struct nlattr *data;
};
struct expression open_expression(struct batch *batch, const char *name);
void close_expression(struct batch *batch, struct expression it);

void nft_message(struct batch *batch, uint16_t type, uint16_t flags);
void nft_boundary(struct batch *batch, uint16_t type);
/* A base chain of ours at the output hook. */
void nft_chain(struct batch *batch, const char *name, const char *type, int priority);
/* Opens a rule of `chain`; `note`, where there is one, says to the daemon what the rule counts. */
struct nlattr *nft_rule(struct batch *batch, const char *chain, const char *note);

void load_meta(struct batch *batch, uint32_t key);
void load_payload(struct batch *batch, uint32_t base, uint32_t offset, uint32_t length, uint32_t into);
void compare(struct batch *batch, const void *value, size_t size);
void compare_byte(struct batch *batch, uint8_t value);
void verdict(struct batch *batch, uint32_t code);
/* Accepts what goes to 127.0.0.0/8 and ::1. */
void accept_loopback(struct batch *batch, const char *chain);

void refuse_others(struct batch *batch); /* refused.c */
