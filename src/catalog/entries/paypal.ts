/**
 * PayPal, by its REST APIs. Amounts are decimals with their currency.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

const ORDER = {
  value: "body.purchase_units.*.amount.value",
  currency: "body.purchase_units.*.amount.currency_code",
  sum: true as const,
};
const CURRENT_ORDER = {
  value: "current.purchase_units.*.amount.value",
  currency: "current.purchase_units.*.amount.currency_code",
  sum: true as const,
};
const PAYEES = [
  "body.purchase_units.*.payee.email_address",
  "body.purchase_units.*.payee.merchant_id",
];
const INVOICE = {
  lookup: { current: "/v2/invoicing/invoices/{path.id}" },
  recipients: [
    "current.primary_recipients.*.billing_info.email_address",
    "current.additional_recipients.*",
    "body.additional_recipients.*",
  ],
  amount: { value: "current.amount.value", currency: "current.amount.currency_code" },
  show: "payment" as const,
};

export const paypal: EntrySource = {
  system: "paypal",
  title: "PayPal",
  docs: [
    "https://github.com/paypal/paypal-rest-api-specifications",
    "https://developer.paypal.com/api/rest/",
  ],
  hosts: ["api-m.paypal.com", "api.paypal.com"],
  credential: [{ in: "header", name: "authorization", scheme: "Bearer" }],
  unknown: ["spend", "send", "delete", "administer"],
  routes: [
    {
      // With a stored way to pay in it, an order is taken as soon as it is made.
      verb: "order.pay",
      request: "POST /v2/checkout/orders",
      effects: ["spend"],
      summary: "Make an order and take its money at once",
      amount: ORDER,
      recipients: PAYEES,
      show: "payment",
      cases: [
        {
          when: { "body.payment_source": { absent: true } },
          verb: "order.create",
          effects: ["write"],
          summary: "Make an order, which the payer has still to approve",
        },
      ],
    },
    {
      verb: "order.update",
      request: "PATCH /v2/checkout/orders/{id}",
      effects: ["write"],
      summary: "Change the order {path.id}, before its money is taken",
    },
    {
      verb: "order.capture",
      request: "POST /v2/checkout/orders/{id}/{act:capture|authorize|confirm-payment-source}",
      effects: ["spend"],
      summary: "Take the money of the order {path.id} ({path.act})",
      lookup: { current: "/v2/checkout/orders/{path.id}" },
      amount: CURRENT_ORDER,
      recipients: ["current.purchase_units.*.payee.email_address"],
      show: "payment",
    },
    {
      verb: "order.track",
      request: [
        "POST /v2/checkout/orders/{id}/track",
        "PATCH /v2/checkout/orders/{id}/trackers/{tracker}",
      ],
      effects: ["send"],
      summary: "Tell the payer of {path.id} where the parcel is",
      cases: [
        {
          when: { "body.notify_payer": { only: [false] } },
          effects: ["write"],
          summary: "Note where the parcel of {path.id} is",
        },
      ],
    },
    {
      verb: "authorization.capture",
      request: "POST /v2/payments/authorizations/{id}/{act:capture|reauthorize}",
      effects: ["spend"],
      summary:
        "Take what was authorized: {body.amount.value} {body.amount.currency_code} (all without an amount)",
      amount: { value: "body.amount.value", currency: "body.amount.currency_code" },
      show: "payment",
    },
    {
      verb: "authorization.void",
      request: "POST /v2/payments/authorizations/{id}/void",
      effects: ["delete"],
      summary: "Give up what was authorized: {path.id}",
    },
    {
      verb: "capture.refund",
      request: "POST /v2/payments/captures/{id}/refund",
      effects: ["spend"],
      summary:
        "Refund {body.amount.value} {body.amount.currency_code} (all without an amount) of {path.id}",
      amount: { value: "body.amount.value", currency: "body.amount.currency_code" },
      show: "payment",
    },
    {
      verb: "payout.create",
      request: "POST /v1/payments/payouts",
      effects: ["spend", "send"],
      summary:
        "Pay {body.items.*.amount.value} {body.items.*.amount.currency} to {body.items.*.receiver}",
      amount: {
        value: "body.items.*.amount.value",
        currency: "body.items.*.amount.currency",
        sum: true,
      },
      recipients: ["body.items.*.receiver"],
      body: ["json"],
      show: "payment",
    },
    {
      verb: "payout.cancel",
      request: "POST /v1/payments/payouts-item/{id}/cancel",
      effects: ["write"],
      summary: "Take back the payout {path.id}, which nobody has claimed",
    },
    {
      verb: "invoice.send",
      request: "POST /v2/invoicing/invoices/{id}/send",
      effects: ["send"],
      summary: "Send the invoice {path.id}",
      ...INVOICE,
      cases: [
        {
          when: {
            "body.send_to_recipient": { only: [false] },
            "body.additional_recipients": { absent: true },
          },
          verb: "invoice.open",
          effects: ["publish"],
          summary: "Open the invoice {path.id} to whoever has its link",
        },
      ],
    },
    {
      verb: "invoice.remind",
      request: "POST /v2/invoicing/invoices/{id}/{act:remind|cancel}",
      effects: ["send"],
      summary: "Write to the recipients of the invoice {path.id} ({path.act})",
      ...INVOICE,
    },
    {
      verb: "invoice.record",
      request: [
        "POST /v2/invoicing/invoices/{id}/{list:payments|refunds}",
        "DELETE /v2/invoicing/invoices/{id}/{list:payments|refunds}/{transaction}",
      ],
      effects: ["spend"],
      summary: "Say that the invoice {path.id} was paid elsewhere ({path.list})",
      amount: { value: "body.amount.value", currency: "body.amount.currency_code" },
    },
    {
      verb: "invoice.draft",
      request: [
        "POST /v2/invoicing/invoices",
        "POST /v2/invoicing/generate-next-invoice-number",
        "POST /v2/invoicing/templates",
        "PUT /v2/invoicing/templates/{id}",
      ],
      effects: ["write"],
      summary: "Draft an invoice",
    },
    {
      // What was sent is changed for those who have it, and they are told unless that is forbidden.
      verb: "invoice.update",
      request: "PUT /v2/invoicing/invoices/{id}",
      effects: ["send"],
      summary: "Change the invoice {path.id}",
      ...INVOICE,
      cases: [
        {
          when: { "current.status": { only: ["DRAFT"] } },
          verb: "invoice.draft",
          effects: ["write"],
          summary: "Change the draft of an invoice {path.id}",
        },
      ],
    },
    {
      verb: "invoice.delete",
      request: "DELETE /v2/invoicing/{list:invoices|templates}/{id}",
      effects: ["delete"],
      summary: "Delete {path.id} of {path.list}",
    },
    {
      verb: "subscription.change",
      request: [
        "POST /v1/billing/subscriptions",
        "PATCH /v1/billing/subscriptions/{id}",
        "POST /v1/billing/subscriptions/{id}/{act:revise|activate|capture}",
      ],
      effects: ["spend"],
      summary: "Take money of a subscriber, now or from now on ({path.id} {path.act})",
      amount: { value: "body.amount.value", currency: "body.amount.currency_code" },
      recipients: ["body.subscriber.email_address"],
      show: "payment",
    },
    {
      verb: "subscription.stop",
      request: "POST /v1/billing/subscriptions/{id}/{act:suspend|cancel}",
      effects: ["delete"],
      summary: "Stop the subscription {path.id} ({path.act})",
    },
    {
      verb: "plan.change",
      request: [
        "POST /v1/billing/plans",
        "PATCH /v1/billing/plans/{id}",
        "POST /v1/billing/plans/{id}/{act:activate|deactivate|update-pricing-schemes}",
      ],
      effects: ["spend"],
      summary: "Change what subscribers pay ({path.id} {path.act})",
    },
    {
      verb: "dispute.settle",
      request:
        "POST /v1/customer/disputes/{id}/{act:accept-claim|make-offer|accept-offer|adjudicate}",
      effects: ["spend", "send"],
      summary: "Settle the dispute {path.id} ({path.act})",
      amount: { value: "body.refund_amount.value", currency: "body.refund_amount.currency_code" },
      show: "payment",
    },
    {
      verb: "dispute.answer",
      request: [
        "POST /v1/customer/disputes/{id}/{act:[a-z-]+}",
        "PATCH /v1/customer/disputes/{id}",
      ],
      effects: ["send"],
      summary: "Answer in the dispute {path.id} ({path.act})",
      body: ["none", "json", "multipart"],
    },
    {
      verb: "webhook.administer",
      request: [
        "POST /v1/notifications/{kind:webhooks|webhooks-lookup}",
        "PATCH|DELETE /v1/notifications/{kind:webhooks|webhooks-lookup}/{id}",
        "POST /v1/notifications/webhooks-events/{id}/resend",
        "POST /v1/notifications/simulate-event",
      ],
      effects: ["administer", "send"],
      summary: "Change who is told of payments: {body.url} {path.id}",
      recipients: ["body.url"],
    },
    {
      verb: "webhook.verify",
      request: "POST /v1/notifications/verify-webhook-signature",
      effects: ["read"],
      summary: "Check the signature of a notice",
    },
    {
      verb: "vault.administer",
      request: [
        "POST /v3/vault/{kind:payment-tokens|setup-tokens}",
        "DELETE /v3/vault/payment-tokens/{id}",
      ],
      effects: ["administer", "spend"],
      summary: "Keep a way to pay for later, or forget one ({path.id})",
    },
    {
      // A token of its own works without Cofferdam.
      verb: "token.create",
      request: ["POST /v1/oauth2/token", "POST /v1/oauth2/token/terminate"],
      effects: ["administer"],
      summary: "Get a token with the rights of the account",
    },
    {
      verb: "data.search",
      request: "POST /v2/invoicing/search-invoices",
      effects: ["read-private"],
      summary: "Search invoices",
    },
    {
      verb: "data.read",
      request:
        "GET /{version:v1|v2|v3}/{area:checkout|payments|invoicing|billing|customer|notifications|vault|reporting}/{rest...}",
      effects: ["read-private"],
      summary: "Read {path.area}/{path.rest}",
    },
  ],
};
