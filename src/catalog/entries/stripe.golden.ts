/** Golden requests of Stripe. */
import { goldenRows, type Golden } from "../golden.ts";

const SDK = "github.com/stripe/stripe-node src/resources";
const CURRENCIES = "github.com/stripe/stripe-node src/resources/Charges.ts";
const THOUSANDTHS = "https://gist.github.com/jonathanstanley/a476258ca5f8edde69eba74d77cc7d8e";
const UNKNOWN = ["spend", "send", "delete", "administer"] as const;
const INVOICE = {
  facts: { current: { customer_email: "ann@example.org", amount_due: 1250, currency: "eur" } },
};

export const golden: readonly Golden[] = [
  ...goldenRows(CURRENCIES, [
    ["POST /v1/charges", "charge.create", ["spend"], "cents", { form: "amount=1000&currency=usd&customer=cus_1", amount: "10.00 USD", recipients: ["cus_1"], reversible: false }],
    ["POST /v1/charges", "charge.create", ["spend"], "yen have no cents", { form: "amount=500&currency=jpy", amount: "500 JPY" }],
    ["POST /v1/charges", "charge.create", ["spend"], "dinars have thousandths", { form: "amount=5120&currency=kwd", amount: "5.120 KWD", source: THOUSANDTHS }],
    ["POST /v1/charges", "charge.create", ["spend"], "less than a unit", { form: "amount=7&currency=eur", amount: "0.07 EUR" }],
  ]),
  ...goldenRows(SDK, [
    ["POST /v1/charges?amount=1", "charge.create", ["spend"], "two amounts: which one counts is not known", { form: "amount=100000&currency=usd", amount: "undefined undefined" }],
    ["POST /v1/charges/ch_1/capture", "charge.capture", ["spend"], "what was reserved is taken", { facts: { current: { amount: 700, currency: "usd" } }, amount: "7.00 USD" }],
    ["POST /v1/charges/ch_1", "metadata.write", ["write"], "a description", { form: "description=a" }],
    ["POST /v1/payment_intents", "payment.prepare", ["write"], "nothing is taken yet", { form: "amount=2000&currency=usd", amount: "20.00 USD" }],
    ["POST /v1/payment_intents", "payment.prepare", ["write"], "said outright", { form: "amount=2000&currency=usd&confirm=false" }],
    ["POST /v1/payment_intents", "payment.confirm", ["spend"], "taken at once", { form: "amount=2000&currency=usd&confirm=true", amount: "20.00 USD" }],
    ["POST /v1/payment_intents?confirm=true", "payment.confirm", ["spend"], "one of two says so", { form: "amount=2000&currency=usd&confirm=false" }],
    ["POST /v1/payment_intents/pi_1/confirm", "payment.confirm", ["spend"], "taken now", { facts: { current: { amount: 2000, currency: "usd", customer: "cus_1" } }, amount: "20.00 USD", recipients: ["cus_1"] }],
    ["POST /v1/payment_intents/pi_1", "payment.update", ["write"], "not taken yet", { form: "amount=3000" }],
    ["POST /v1/payment_intents/pi_1/cancel", "payment.cancel", ["delete"], "it is over"],
    ["POST /v1/refunds", "refund.create", ["spend"], "a part of it", { form: "payment_intent=pi_1&amount=300", facts: { current: { currency: "usd", customer: "cus_1" } }, amount: "3.00 USD", recipients: ["cus_1"] }],
    ["POST /v1/refunds", "refund.create", ["spend"], "all of it: no amount is said", { form: "charge=ch_1" }],
    ["POST /v1/refunds/re_1/cancel", "refund.update", ["write"], "the money stays"],
    ["POST /v1/transfers", "transfer.create", ["spend"], "to a connected account", { form: "amount=400&currency=usd&destination=acct_1", amount: "4.00 USD", recipients: ["acct_1"] }],
    ["POST /v1/payouts", "payout.create", ["spend"], "to a bank", { form: "amount=1100&currency=usd&destination=ba_1", amount: "11.00 USD", recipients: ["ba_1"], headers: { "idempotency-key": "k1" } }],
    ["POST /v1/payouts/po_1/cancel", "payout.cancel", ["write"], "the money stays"],
    ["POST /v1/topups", "topup.create", ["spend"], "from a bank", { form: "amount=2000&currency=usd", amount: "20.00 USD" }],
    ["POST /v1/invoices/in_1/pay", "invoice.pay", ["spend"], "charged now", { ...INVOICE, amount: "12.50 EUR", recipients: ["ann@example.org"] }],
    ["POST /v1/invoices/in_1/send", "invoice.send", ["send"], "mailed to the customer", { ...INVOICE, recipients: ["ann@example.org"] }],
    ["POST /v1/invoices/in_1/finalize", "invoice.finalize", ["send", "spend"], "Stripe goes on by itself", INVOICE],
    ["POST /v1/invoices/in_1/void", "invoice.close", ["delete"], "it is over"],
    ["POST /v1/invoices/create_preview", "invoice.preview", ["read-private"], "nothing is made", { form: "customer=cus_1" }],
    ["POST /v1/invoices", "invoice.draft", ["write"], "Stripe leaves it alone", { form: "customer=cus_1&auto_advance=false" }],
    ["POST /v1/invoices", "invoice.auto-advance", ["send", "spend"], "Stripe may go on by itself", { form: "customer=cus_1" }],
    ["POST /v1/invoiceitems", "invoice.draft-lines", ["write"], "a line of a coming invoice", { form: "customer=cus_1&amount=100&currency=usd" }],
    ["POST /v1/subscriptions", "subscription.change", ["spend"], "charged again and again", { form: "customer=cus_1&items[0][price]=price_1" }],
    ["DELETE /v1/subscriptions/sub_1", "subscription.cancel", ["delete"], "the customer loses it"],
    ["POST /v1/credit_notes", "credit.create", ["spend"], "money back", { form: "invoice=in_1&amount=500" }],
    ["POST /v1/disputes/dp_1/close", "dispute.close", ["spend"], "the money is lost"],
    ["POST /v1/quotes/qt_1/accept", "quote.accept", ["spend", "send"], "binding"],
    ["POST /v1/payment_links", "payment-link.publish", ["publish"], "a page for everyone", { form: "line_items[0][price]=p" }],
    ["POST /v1/checkout/sessions", "checkout.create", ["write"], "a page for one payment", { form: "mode=payment", source: "memory" }],
    ["POST /v1/issuing/cards", "card.issue", ["spend", "administer"], "a new way to pay", { form: "currency=usd&type=virtual" }],
    ["POST /v1/payment_methods/pm_1/attach", "payment-method.change", ["administer"], "whose card is charged", { form: "customer=cus_1" }],
    ["DELETE /v1/customers/cus_1", "customer.delete", ["delete"], "cannot be undone", { reversible: false }],
    ["DELETE /v1/products/prod_1", "catalog.delete", ["delete"], "no longer for sale"],
    ["POST /v1/customers", "catalog.write", ["write"], "a new one", { form: "email=ann@example.org" }],
    ["POST /v1/webhook_endpoints", "webhook.administer", ["administer", "send"], "told of all payments", { form: "url=https://e.example.org/&enabled_events[]=*", recipients: ["https://e.example.org/"] }],
    ["POST /v2/core/event_destinations", "webhook.administer", ["administer", "send"], "the newer interface", { json: { webhook_endpoint: { url: "https://e.example.org/" } }, recipients: ["https://e.example.org/"] }],
    ["POST /v1/ephemeral_keys", "account.administer", ["administer", "spend"], "a key that works without Cofferdam", { form: "customer=cus_1" }],
    ["POST /v1/accounts/acct_1/external_accounts", "account.administer", ["administer", "spend"], "where money goes", { form: "external_account=ba_1" }],
    ["POST /v1/files", "file.upload", ["write"], "a file for Stripe only", { raw: { type: "multipart/form-data; boundary=b", text: '--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\ndispute_evidence\r\n--b--\r\n' } }],
    ["POST /v1/file_links", "file.link", ["publish"], "everyone with the link can read it", { form: "file=file_1", source: "memory" }],
    ["GET /v1/customers/search?query=email:'a'", "data.read", ["read-private"], "customers"],
    ["GET /v1/balance", "data.read", ["read-private"], "how much there is"],
    ["POST /v1/treasury/outbound_payments", "unknown", UNKNOWN, "not listed: the highest", { form: "amount=1" }],
    ["POST /v1/charges", "unknown", UNKNOWN, "a body that is no form", { raw: { type: "text/plain", text: "amount=1" } }],
  ]),
];
