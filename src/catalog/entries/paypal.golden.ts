/** Golden requests of PayPal. */
import { goldenRows, type Golden } from "../golden.ts";

const SPECS = "github.com/paypal/paypal-rest-api-specifications openapi";
const UNKNOWN = ["spend", "send", "delete", "administer"] as const;
const unit = (value: string, currency_code = "USD") => ({ amount: { value, currency_code } });
const INVOICE = {
  facts: {
    current: {
      status: "SENT",
      amount: { value: "80.00", currency_code: "EUR" },
      primary_recipients: [{ billing_info: { email_address: "ann@example.org" } }],
    },
  },
};

export const golden: readonly Golden[] = [
  ...goldenRows(`${SPECS}/checkout_orders_v2.json`, [
    [
      "POST /v2/checkout/orders",
      "order.create",
      ["write"],
      "the payer has to approve it",
      {
        json: { intent: "CAPTURE", purchase_units: [unit("10.50"), unit("1.5")] },
        amount: "12.00 USD",
      },
    ],
    [
      "POST /v2/checkout/orders",
      "order.pay",
      ["spend"],
      "a stored way to pay: taken at once",
      {
        json: {
          intent: "CAPTURE",
          purchase_units: [unit("10.00")],
          payment_source: { token: { id: "x", type: "BILLING_AGREEMENT" } },
        },
        amount: "10.00 USD",
        reversible: false,
      },
    ],
    [
      "POST /v2/checkout/orders",
      "order.create",
      ["write"],
      "two currencies have no sum",
      { json: { purchase_units: [unit("1"), unit("1", "EUR")] }, amount: "undefined undefined" },
    ],
    [
      "PATCH /v2/checkout/orders/o1",
      "order.update",
      ["write"],
      "before the money is taken",
      { json: [] },
    ],
    [
      "POST /v2/checkout/orders/o1/capture",
      "order.capture",
      ["spend"],
      "the amount stands in the order",
      { facts: { current: { purchase_units: [unit("10.50")] } }, amount: "10.50 USD" },
    ],
    ["POST /v2/checkout/orders/o1/authorize", "order.capture", ["spend"], "the money is reserved"],
    [
      "POST /v2/checkout/orders/o1/track",
      "order.track",
      ["send"],
      "the payer is told",
      { json: { tracking_number: "1", notify_payer: true } },
    ],
    ["GET /v2/checkout/orders/o1", "data.read", ["read-private"], "who buys what"],
  ]),
  ...goldenRows(`${SPECS}/payments_payment_v2.json`, [
    [
      "POST /v2/payments/authorizations/a1/capture",
      "authorization.capture",
      ["spend"],
      "a part of it",
      { json: unit("5.00"), amount: "5.00 USD" },
    ],
    ["POST /v2/payments/authorizations/a1/void", "authorization.void", ["delete"], "it is over"],
    [
      "POST /v2/payments/captures/c1/refund",
      "capture.refund",
      ["spend"],
      "a part of it",
      { json: unit("3.00", "EUR"), amount: "3.00 EUR" },
    ],
    [
      "POST /v2/payments/captures/c1/refund",
      "capture.refund",
      ["spend"],
      "all of it: no amount is said",
    ],
  ]),
  ...goldenRows(`${SPECS}/payments_payouts_batch_v1.json`, [
    [
      "POST /v1/payments/payouts",
      "payout.create",
      ["spend", "send"],
      "everyone and the sum",
      {
        json: {
          sender_batch_header: { sender_batch_id: "b1" },
          items: [
            {
              recipient_type: "EMAIL",
              amount: { value: "9.87", currency: "USD" },
              receiver: "ann@example.org",
            },
            {
              recipient_type: "PHONE",
              amount: { value: "112.34", currency: "USD" },
              receiver: "91-734-234-1234",
            },
          ],
        },
        amount: "122.21 USD",
        recipients: ["ann@example.org", "91-734-234-1234"],
        reversible: false,
      },
    ],
    [
      "POST /v1/payments/payouts",
      "unknown",
      UNKNOWN,
      "a form is not what it takes",
      { form: "items=1" },
    ],
    [
      "POST /v1/payments/payouts-item/i1/cancel",
      "payout.cancel",
      ["write"],
      "nobody has claimed it",
    ],
    ["GET /v1/payments/payouts/p1", "data.read", ["read-private"], "who was paid"],
  ]),
  ...goldenRows(`${SPECS}/invoicing_v2.json`, [
    ["POST /v2/invoicing/invoices", "invoice.draft", ["write"], "a draft", { json: {} }],
    [
      "POST /v2/invoicing/invoices/i1/send",
      "invoice.send",
      ["send"],
      "mailed",
      { ...INVOICE, amount: "80.00 EUR", recipients: ["ann@example.org"] },
    ],
    [
      "POST /v2/invoicing/invoices/i1/send",
      "invoice.open",
      ["publish"],
      "no mail, but a link that works",
      { json: { send_to_recipient: false } },
    ],
    [
      "POST /v2/invoicing/invoices/i1/remind",
      "invoice.remind",
      ["send"],
      "mailed",
      { json: {}, ...INVOICE, recipients: ["ann@example.org"] },
    ],
    [
      "PUT /v2/invoicing/invoices/i1",
      "invoice.update",
      ["send"],
      "what was sent is changed",
      { json: {}, ...INVOICE },
    ],
    [
      "PUT /v2/invoicing/invoices/i1",
      "invoice.draft",
      ["write"],
      "nobody has it yet",
      { json: {}, facts: { current: { status: "DRAFT" } } },
    ],
    [
      "POST /v2/invoicing/invoices/i1/payments",
      "invoice.record",
      ["spend"],
      "it counts as paid",
      { json: unit("80.00") },
    ],
    ["DELETE /v2/invoicing/invoices/i1", "invoice.delete", ["delete"], "a draft goes"],
    [
      "POST /v2/invoicing/search-invoices",
      "data.search",
      ["read-private"],
      "a query in a body",
      { json: {} },
    ],
  ]),
  ...goldenRows(`${SPECS}/billing_subscriptions_v1.json`, [
    [
      "POST /v1/billing/subscriptions/s1/capture",
      "subscription.change",
      ["spend"],
      "what is due is taken",
      { json: unit("7.00"), amount: "7.00 USD" },
    ],
    [
      "POST /v1/billing/subscriptions/s1/cancel",
      "subscription.stop",
      ["delete"],
      "it is over",
      { json: { reason: "x" } },
    ],
    [
      "POST /v1/billing/plans/p1/update-pricing-schemes",
      "plan.change",
      ["spend"],
      "all subscribers pay more",
      { json: {} },
    ],
  ]),
  ...goldenRows(`${SPECS}/customer_disputes_v1.json`, [
    [
      "POST /v1/customer/disputes/d1/accept-claim",
      "dispute.settle",
      ["spend", "send"],
      "the money is lost",
      { json: { refund_amount: { value: "4.00", currency_code: "USD" } }, amount: "4.00 USD" },
    ],
    [
      "POST /v1/customer/disputes/d1/send-message",
      "dispute.answer",
      ["send"],
      "the other side reads it",
      { json: { message: "a" } },
    ],
  ]),
  ...goldenRows(`${SPECS}/notifications_webhooks_v1.json`, [
    [
      "POST /v1/notifications/webhooks",
      "webhook.administer",
      ["administer", "send"],
      "told of all payments",
      { json: { url: "https://e.example.org/" }, recipients: ["https://e.example.org/"] },
    ],
    [
      "POST /v1/notifications/verify-webhook-signature",
      "webhook.verify",
      ["read"],
      "nothing changes",
      { json: {} },
    ],
  ]),
  ...goldenRows(`${SPECS}/vault_payment_tokens_v3.json`, [
    [
      "POST /v3/vault/payment-tokens",
      "vault.administer",
      ["administer", "spend"],
      "a way to pay without the payer",
      { json: {} },
    ],
  ]),
  ...goldenRows(`${SPECS}/reporting_transactions_v1.json`, [
    ["GET /v1/reporting/balances", "data.read", ["read-private"], "how much there is"],
    ["POST /v1/reporting/balances", "unknown", UNKNOWN, "no method of the API", { json: {} }],
  ]),
  ...goldenRows("memory", [
    [
      "POST /v1/oauth2/token",
      "token.create",
      ["administer"],
      "it works without Cofferdam",
      { form: "grant_type=client_credentials" },
    ],
  ]),
];
