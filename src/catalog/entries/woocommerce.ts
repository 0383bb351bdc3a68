/**
 * WooCommerce, a shop within WordPress: the routes of orders, refunds and coupons. Whatever else it has is unknown.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

const CHANGES = "POST|PUT|PATCH";
const ID = "{id:\\d+}";
const ORDER = "{order_id:\\d+}";
const CURRENT_ORDER = { current: "/wc/v3/orders/{path.order_id}" };

export const shop: EntrySource["routes"] = [
  {
    verb: "order.list",
    request: [
      "GET /wc/v3/{what:orders|coupons|refunds}",
      `GET /wc/v3/{what:orders|coupons}/${ID}`,
      `GET /wc/v3/orders/${ORDER}/{what:refunds|notes}`,
      `GET /wc/v3/orders/${ORDER}/{what:refunds|notes}/${ID}`,
    ],
    effects: ["read-private"],
    summary: "Read {path.what} of the shop: customers, addresses, sums",
  },
  {
    // Whether it was paid, and what the customer is told, follows from its status and `set_paid`.
    verb: "order.change",
    request: ["POST /wc/v3/orders", `${CHANGES} /wc/v3/orders/${ID}`],
    effects: ["spend", "send"],
    summary: "Make or change an order as {param.status}; its customer gets mail",
    recipients: ["body.billing.email"],
  },
  {
    verb: "order.delete",
    request: `DELETE /wc/v3/orders/${ID}`,
    effects: ["delete"],
    summary: "Delete the order {path.id}",
  },
  {
    // `api_refund` has the payment gateway give the money back, and is true by default.
    verb: "order.refund",
    request: `POST /wc/v3/orders/${ORDER}/refunds`,
    effects: ["spend", "send"],
    summary: "Give {param.amount} {current.currency} of order {path.order_id} back",
    lookup: CURRENT_ORDER,
    recipients: ["current.billing.email"],
    amount: { value: "param.amount", currency: "current.currency" },
    show: "payment",
  },
  {
    verb: "coupon.change",
    request: ["POST /wc/v3/coupons", `${CHANGES}|DELETE /wc/v3/coupons/${ID}`],
    effects: ["spend", "publish"],
    summary: "Change what a coupon takes off: {param.code} {param.amount}",
  },
];
