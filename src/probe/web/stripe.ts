/**
 * Stripe: what the key may read, and so may at most write (a restricted key has None, Read or Write for each resource, and
 * Write contains Read), how much lies in the account, how many customers it has.
 * https://docs.stripe.com/keys/restricted-api-keys, https://docs.stripe.com/api/balance/balance_object,
 * https://docs.stripe.com/search (total_count is exact up to 10,000)
 *
 * @module
 */
import { z } from "zod";
import { UNBOUNDED } from "../../blast/index.ts";
import type { Probe, Probed, ProbePorts } from "../probe.ts";
import { Findings, type Power, type Told } from "./findings.ts";
import { Asker } from "./questions.ts";

/** Amounts are whole numbers of the currency's smallest unit, and may be below zero. */
const BALANCE = z.object({
  available: z
    .array(z.object({ amount: z.number().int(), currency: z.string().regex(/^[a-z]{3}$/) }))
    .max(200),
});
const FOUND = z.object({ total_count: z.number().int().nonnegative() });
const LIST = z.object({ data: z.array(z.unknown()) });
const COUNT_EXACT_MAX = 10_000;

/** A resource, and what is done to it. */
const RESOURCES: readonly (readonly [
  path: string,
  draws: "balance" | "cards" | "",
  writes: string,
])[] = [
  ["charges", "cards", "charge.create charge.capture"],
  ["payment_intents", "cards", "payment.confirm"],
  ["payment_intents", "", "payment.prepare payment.cancel payment.update"],
  ["refunds", "balance", "refund.create"],
  ["refunds", "", "refund.update"],
  ["transfers", "balance", "transfer.create"],
  ["payouts", "balance", "payout.create"],
  ["payouts", "", "payout.cancel"],
  ["topups", "cards", "topup.create"],
  ["invoices", "cards", "invoice.pay invoice.finalize invoice.auto-advance"],
  ["invoices", "", "invoice.send invoice.close invoice.preview invoice.draft invoice.draft-lines"],
  ["subscriptions", "cards", "subscription.change"],
  ["subscriptions", "", "subscription.cancel"],
  ["credit_notes", "balance", "credit.create"],
  ["disputes", "balance", "dispute.close"],
  ["quotes", "cards", "quote.accept"],
  ["payment_links", "", "payment-link.publish"],
  ["checkout/sessions", "", "checkout.create"],
  ["issuing/cards", "balance", "card.issue"],
  ["products", "", "catalog.delete catalog.write"],
  ["webhook_endpoints", "", "webhook.administer"],
  ["accounts", "balance", "account.administer"],
  ["files", "", "file.upload file.link"],
];

/** Lists that name customers. */
const OF_CUSTOMERS: ReadonlySet<string> = new Set([
  ...[
    "charges",
    "payment_intents",
    "refunds",
    "invoices",
    "subscriptions",
    "credit_notes",
    "disputes",
  ],
  ...["quotes", "checkout/sessions"],
]);

export const stripeProbe: Probe = {
  system: "stripe",
  asks: ["the balance by currency", "the number of customers", "which resources the key may read"],
  probe: (ports) => new StripeProbe(ports).run(),
};

class StripeProbe {
  readonly #findings: Findings;
  readonly #asker: Asker;

  constructor(ports: ProbePorts) {
    this.#findings = new Findings(ports);
    this.#asker = new Asker(ports, this.#findings);
  }

  async run(): Promise<Probed> {
    const findings = this.#findings;
    const may = new Map<string, Told>();
    for (const path of new Set(RESOURCES.map(([one]) => one))) {
      may.set(path, (await this.#asker.get(`v1/${path}?limit=1`, LIST)).may);
    }
    const [balances, readsBalance] = await this.#balances();
    const cards = findings.own("cards of customers");
    findings.assume("customers may be charged any sum", "money", cards, UNBOUNDED);
    const powers = RESOURCES.flatMap(([path, draws, writes]): readonly Power[] => {
      const told = unsure(may.get(path));
      const objects =
        draws === "balance" ? balances : [draws === "cards" ? cards : findings.own(path)];
      return objects.map((object) => [writes, object, told]);
    });
    for (const [path, told] of may) {
      const list = findings.own(`list of ${path}`);
      powers.push(["data.read", list, told]);
      if (OF_CUSTOMERS.has(path) && told !== false) findings.holds("lists are not counted", list);
    }
    powers.push(["data.read", findings.own("balance"), readsBalance]);
    powers.push(...(await this.#customers()));
    findings.powers("what the key may read", powers);
    return findings.probed();
  }

  /** An object for each currency: sums of several are none. */
  async #balances(): Promise<readonly [objects: readonly string[], may: Told]> {
    const findings = this.#findings;
    const { value, where, may } = await this.#asker.get("v1/balance", BALANCE);
    if (value === undefined) {
      const object = findings.own("balance");
      findings.amount(where, "money", object, undefined);
      return [[object], may];
    }
    const byCurrency = new Map<string, number>();
    for (const { amount, currency } of value.available)
      byCurrency.set(currency, Math.max(0, amount) + (byCurrency.get(currency) ?? 0));
    const objects = [...byCurrency].map(([currency, amount]) => {
      const object = findings.own(`balance in smallest units of ${currency.toUpperCase()}`);
      findings.amount(where, "money", object, Number.isSafeInteger(amount) ? amount : undefined);
      return object;
    });
    return [objects, may];
  }

  async #customers(): Promise<readonly Power[]> {
    const findings = this.#findings;
    const customers = findings.own("customers");
    const query = encodeURIComponent("created>0");
    const target = `v1/customers/search?query=${query}&limit=1&expand[]=total_count`;
    const { value, where, may } = await this.#asker.get(target, FOUND);
    const total = value?.total_count;
    const exact = total !== undefined && total < COUNT_EXACT_MAX ? total : undefined;
    findings.so(where, "label", customers, "customer");
    for (const predicate of ["rows", "people"]) findings.amount(where, predicate, customers, exact);
    return [
      ["data.read", customers, may],
      ["customer.delete payment-method.change", customers, unsure(may)],
      // Invoices and quotes go to customers by mail.
      ["invoice.send invoice.finalize quote.accept", customers, unsure(may)],
    ];
  }
}

function unsure(told: Told): Told {
  return told === false ? false : undefined;
}
