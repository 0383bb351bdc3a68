/** Golden requests of WooCommerce, a part of WordPress's. */
import { goldenRows, type Golden } from "../golden.ts";

const woo = (name: string) =>
  `woocommerce/woocommerce plugins/woocommerce/includes/rest-api/Controllers/${name}-controller.php`;

export const shop: readonly Golden[] = [
  ...goldenRows(woo("Version3/class-wc-rest-orders"), [
    ["GET /wp-json/wc/v3/orders", "order.list", ["read-private"], "customers and their addresses"],
    [
      "PUT /wp-json/wc/v3/orders/5",
      "order.change",
      ["spend", "send"],
      "the customer gets mail of it",
      { json: { status: "completed" } },
    ],
    [
      "POST /wp-json/wc/v3/orders",
      "order.change",
      ["spend", "send"],
      "paid as it says",
      {
        json: { set_paid: true, billing: { email: "c@x.example" } },
        recipients: ["c@x.example"],
      },
    ],
    ["DELETE /wp-json/wc/v3/orders/5", "order.delete", ["delete"], "to the trash or for good"],
    [
      "POST /wp-json/wc/v3/orders/batch",
      "unknown",
      ["administer"],
      "a batch of its own form, which nothing here reads",
      { json: { update: [] } },
    ],
  ]),
  ...goldenRows(woo("Version3/class-wc-rest-order-refunds"), [
    [
      "POST /wp-json/wc/v3/orders/5/refunds",
      "order.refund",
      ["spend", "send"],
      "the gateway gives the money back unless told not to",
      {
        json: { amount: "12.50" },
        facts: { current: { currency: "EUR", billing: { email: "c@x.example" } } },
        amount: "12.50 EUR",
        recipients: ["c@x.example"],
        reversible: false,
      },
    ],
    [
      "POST /wp-json/wc/v3/orders/5/refunds?order_id=6",
      "unknown",
      ["administer"],
      "another order is refunded than the path says",
      { json: { amount: "12.50" } },
    ],
  ]),
  ...goldenRows(woo("Version2/class-wc-rest-coupons-v2"), [
    [
      "POST /wp-json/wc/v3/coupons",
      "coupon.change",
      ["spend", "publish"],
      "money off for all who know the code",
      { json: { code: "x", amount: "100", discount_type: "percent" } },
    ],
  ]),
];
