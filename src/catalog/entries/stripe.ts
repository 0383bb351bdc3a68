/**
 * Stripe. Bodies are forms; amounts count the smallest unit of their currency; POST makes and changes alike.
 * An agent's key should be a restricted one, and its requests should carry an Idempotency-Key: a repeated
 * request without one is a second payment.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

/**
 * Currencies without cents, and with thousandths (docs.stripe.com/currencies). Sources differ on UGX; as one
 * without cents its amounts count as the larger ones.
 */
const EXPONENTS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF"
      .split(" ")
      .map((code) => [code, 0]),
  ),
  ...Object.fromEntries("BHD JOD KWD OMR TND".split(" ").map((code) => [code, 3])),
};
const AMOUNT = {
  value: "param.amount",
  currency: "param.currency",
  exponent: 2,
  exponents: EXPONENTS,
};
const CURRENT = { ...AMOUNT, value: "current.amount", currency: "current.currency" };

export const stripe: EntrySource = {
  system: "stripe",
  title: "Stripe",
  docs: ["https://docs.stripe.com/api", "https://docs.stripe.com/currencies"],
  hosts: ["api.stripe.com", "files.stripe.com"],
  base: ["/v1"],
  credential: [
    { in: "header", name: "authorization", scheme: "Bearer" },
    { in: "header", name: "authorization", scheme: "Basic" },
  ],
  unknown: ["spend", "send", "delete", "administer"],
  routes: [
    {
      verb: "charge.create",
      request: "POST /charges",
      effects: ["spend"],
      summary: "Charge {param.customer} {param.amount} {param.currency}, in smallest units",
      amount: AMOUNT,
      recipients: ["param.customer", "param.transfer_data.destination", "param.receipt_email"],
      show: "payment",
    },
    {
      verb: "charge.capture",
      request: "POST /charges/{id}/capture",
      effects: ["spend"],
      summary: "Take the money that was reserved: {path.id}",
      lookup: { current: "/charges/{path.id}" },
      amount: CURRENT,
      show: "payment",
    },
    {
      verb: "payment.confirm",
      request: "POST /payment_intents",
      effects: ["spend"],
      summary:
        "Take a payment of {param.amount} {param.currency} from {param.customer}, in smallest units",
      amount: AMOUNT,
      recipients: ["param.customer", "param.transfer_data.destination", "param.receipt_email"],
      show: "payment",
      cases: [
        {
          when: { "param.confirm": { absent: true } },
          verb: "payment.prepare",
          effects: ["write"],
          summary: "Prepare a payment of {param.amount} {param.currency}, in smallest units",
        },
        {
          when: { "param.confirm": { only: ["false"] } },
          verb: "payment.prepare",
          effects: ["write"],
          summary: "Prepare a payment of {param.amount} {param.currency}, in smallest units",
        },
      ],
    },
    {
      verb: "payment.confirm",
      request: [
        "POST /payment_intents/{id}/{act:confirm|capture|increment_authorization|apply_customer_balance}",
      ],
      effects: ["spend"],
      summary: "Take the payment {path.id} ({path.act})",
      lookup: { current: "/payment_intents/{path.id}" },
      amount: CURRENT,
      recipients: ["current.customer"],
      show: "payment",
    },
    {
      verb: "payment.cancel",
      request: "POST /payment_intents/{id}/cancel",
      effects: ["delete"],
      summary: "Cancel the payment {path.id}",
    },
    {
      verb: "payment.update",
      request: "POST /payment_intents/{id}",
      effects: ["write"],
      summary: "Change the payment {path.id}, which is not taken yet",
      amount: AMOUNT,
    },
    {
      verb: "refund.create",
      request: ["POST /refunds", "POST /charges/{id}/refund"],
      effects: ["spend"],
      summary:
        "Refund {param.amount} (all where there is no amount) of {param.payment_intent} {param.charge}",
      lookup: { current: "/payment_intents/{param.payment_intent}" },
      amount: { ...AMOUNT, currency: "current.currency" },
      recipients: ["current.customer"],
      show: "payment",
    },
    {
      verb: "refund.update",
      request: ["POST /refunds/{id}", "POST /refunds/{id}/cancel"],
      effects: ["write"],
      summary: "Change the refund {path.id}",
    },
    {
      verb: "transfer.create",
      request: ["POST /transfers", "POST /transfers/{id}/reversals"],
      effects: ["spend"],
      summary:
        "Transfer {param.amount} {param.currency}, in smallest units, to {param.destination}",
      amount: AMOUNT,
      recipients: ["param.destination"],
      show: "payment",
    },
    {
      verb: "payout.create",
      request: ["POST /payouts", "POST /payouts/{id}/reverse"],
      effects: ["spend"],
      summary:
        "Pay {param.amount} {param.currency}, in smallest units, to the bank account {param.destination}",
      amount: AMOUNT,
      recipients: ["param.destination"],
      show: "payment",
    },
    {
      verb: "payout.cancel",
      request: ["POST /payouts/{id}/cancel", "POST /topups/{id}/cancel"],
      effects: ["write"],
      summary: "Cancel {path.id}",
    },
    {
      verb: "topup.create",
      request: "POST /topups",
      effects: ["spend"],
      summary: "Take {param.amount} {param.currency}, in smallest units, from the bank account",
      amount: AMOUNT,
      show: "payment",
    },
    {
      verb: "invoice.pay",
      request: "POST /invoices/{id}/pay",
      effects: ["spend"],
      summary: "Charge the invoice {path.id} of {current.customer_email}",
      lookup: { current: "/invoices/{path.id}" },
      amount: { ...CURRENT, value: "current.amount_due" },
      recipients: ["current.customer_email"],
      show: "payment",
    },
    {
      verb: "invoice.send",
      request: "POST /invoices/{id}/send",
      effects: ["send"],
      summary: "Mail the invoice {path.id} to {current.customer_email}",
      lookup: { current: "/invoices/{path.id}" },
      amount: { ...CURRENT, value: "current.amount_due" },
      recipients: ["current.customer_email"],
      show: "payment",
    },
    {
      // Stripe goes on by itself: it mails the invoice, or charges the customer.
      verb: "invoice.finalize",
      request: "POST /invoices/{id}/finalize",
      effects: ["send", "spend"],
      summary: "Finalize the invoice {path.id} of {current.customer_email}",
      lookup: { current: "/invoices/{path.id}" },
      amount: { ...CURRENT, value: "current.amount_due" },
      recipients: ["current.customer_email"],
      show: "payment",
    },
    {
      verb: "invoice.close",
      request: [
        "POST /invoices/{id}/{act:void|mark_uncollectible|attach_payment}",
        "DELETE /invoices/{id}",
      ],
      effects: ["delete"],
      summary: "Close the invoice {path.id} ({path.act})",
    },
    {
      verb: "invoice.preview",
      request: "POST /invoices/create_preview",
      effects: ["read-private"],
      summary: "Reckon an invoice without making it",
    },
    {
      verb: "invoice.auto-advance",
      request: ["POST /invoices", "POST /invoices/{id}"],
      effects: ["send", "spend"],
      summary: "Make an invoice that Stripe finalizes by itself, for {param.customer}",
      recipients: ["param.customer"],
      cases: [
        {
          when: { "param.auto_advance": { only: ["false"] } },
          verb: "invoice.draft",
          effects: ["write"],
          summary: "Draft an invoice for {param.customer}",
        },
      ],
    },
    {
      verb: "invoice.draft-lines",
      request: [
        "POST /invoices/{id}/{act:add_lines|remove_lines|update_lines}",
        "POST /invoices/{id}/lines/{line}",
        "POST /invoiceitems",
        "POST /invoiceitems/{id}",
        "DELETE /invoiceitems/{id}",
      ],
      effects: ["write"],
      summary:
        "Change what a coming invoice says: {param.amount} {param.currency}, in smallest units",
    },
    {
      verb: "subscription.change",
      request: [
        "POST /subscriptions",
        "POST /subscriptions/{id}",
        "POST /subscriptions/{id}/{act:resume|migrate}",
        "DELETE /subscriptions/{id}/discount",
      ],
      effects: ["spend"],
      summary: "Charge {param.customer} from now on ({path.id})",
      recipients: ["param.customer"],
      show: "payment",
    },
    {
      verb: "subscription.cancel",
      request: "DELETE /subscriptions/{id}",
      effects: ["delete"],
      summary: "Cancel the subscription {path.id}",
    },
    {
      verb: "credit.create",
      request: [
        "POST /credit_notes",
        "POST /customers/{id}/balance_transactions",
        "POST /customers/{id}/cash_balance",
      ],
      effects: ["spend"],
      summary:
        "Credit {param.amount} {param.currency}, in smallest units, to {path.id} {param.invoice}",
      amount: AMOUNT,
      show: "payment",
    },
    {
      verb: "dispute.close",
      request: ["POST /disputes/{id}/close", "POST /disputes/{id}"],
      effects: ["spend"],
      summary: "Answer the dispute {path.id}: closed, its money is lost",
      lookup: { current: "/disputes/{path.id}" },
      amount: CURRENT,
    },
    {
      verb: "quote.accept",
      request: "POST /quotes/{id}/{act:accept|finalize}",
      effects: ["spend", "send"],
      summary: "Make the quote {path.id} binding ({path.act})",
    },
    {
      verb: "payment-link.publish",
      request: ["POST /payment_links", "POST /payment_links/{id}"],
      effects: ["publish"],
      summary: "Make a page where everyone can pay",
    },
    {
      verb: "checkout.create",
      request: "POST /checkout/sessions",
      effects: ["write"],
      summary: "Make a page for one payment by {param.customer} {param.customer_email}",
    },
    {
      verb: "card.issue",
      request: ["POST /issuing/cards", "POST /issuing/cards/{id}"],
      effects: ["spend", "administer"],
      summary: "Issue a card, or change one: {param.cardholder} {path.id}",
    },
    {
      verb: "payment-method.change",
      request: [
        "POST /setup_intents",
        "POST /setup_intents/{id}/{act:confirm|cancel}",
        "POST /payment_methods/{id}/{act:attach|detach}",
        "POST|DELETE /customers/{id}/sources",
        "POST|DELETE /customers/{id}/sources/{source}",
      ],
      effects: ["administer"],
      summary: "Change how {path.id} {param.customer} pays",
    },
    {
      verb: "customer.delete",
      request: "DELETE /customers/{id}",
      effects: ["delete"],
      summary: "Delete the customer {path.id} and all of its subscriptions for good",
    },
    {
      verb: "catalog.delete",
      request: ["DELETE /{kind:products|coupons}/{id}", "DELETE /customers/{id}/discount"],
      effects: ["delete"],
      summary: "Delete {path.id} of {path.kind}",
    },
    {
      verb: "catalog.write",
      request: [
        "POST /{kind:customers|products|prices|coupons|promotion_codes|quotes}",
        "POST /{kind:customers|products|prices|coupons|promotion_codes|quotes}/{id}",
      ],
      effects: ["write"],
      summary: "Make or change {path.id} of {path.kind}: {param.name}",
    },
    {
      verb: "metadata.write",
      request: "POST /{kind:charges|payouts|transfers|topups|credit_notes}/{id}",
      effects: ["write"],
      summary: "Change the description of {path.id}",
    },
    {
      verb: "webhook.administer",
      request: ["POST /webhook_endpoints", "POST|DELETE /webhook_endpoints/{id}"],
      effects: ["administer", "send"],
      summary: "Tell {param.url} of what happens ({path.id})",
      recipients: ["param.url"],
    },
    {
      verb: "webhook.administer",
      request: [
        "POST /v2/core/event_destinations",
        "POST|DELETE /v2/core/event_destinations/{rest...}",
      ],
      root: true,
      effects: ["administer", "send"],
      summary: "Tell {body.webhook_endpoint.url} of what happens",
      recipients: ["body.webhook_endpoint.url"],
    },
    {
      // They mint keys and links that work without Cofferdam, or say where money goes.
      verb: "account.administer",
      request: [
        "POST /{kind:accounts|account_links|account_sessions|ephemeral_keys}",
        "POST|DELETE /{kind:accounts|ephemeral_keys}/{rest...}",
        "POST /apps/secrets",
        "POST /apps/secrets/delete",
      ],
      effects: ["administer", "spend"],
      summary: "Administer {path.kind} {path.rest}",
    },
    {
      verb: "file.upload",
      request: "POST /files",
      effects: ["write"],
      summary: "Upload a file for {param.purpose}",
      body: ["multipart"],
    },
    {
      verb: "file.link",
      request: ["POST /file_links", "POST /file_links/{id}"],
      effects: ["publish"],
      summary: "Make a link by which everyone can read the file {param.file}",
    },
    {
      verb: "data.read",
      request: [
        "GET /{kind:account|balance}",
        "GET /{kind:[a-z_]+}",
        "GET /{kind:[a-z_]+}/{id}",
        "GET /{kind:[a-z_]+}/{id}/{part:[a-z_]+}",
        "GET /{kind:checkout|issuing|reporting}/{part}/{id}",
      ],
      effects: ["read-private"],
      summary: "Read {path.kind} {path.id}",
    },
  ],
};
