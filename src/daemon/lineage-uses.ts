/**
 * What one lineage has used up of its budget: counted here, written ahead (src/daemon/lineage-store.ts).
 *
 * INV-243: what all runs of a lineage together use up is one count, which no run, restart or daemon begins anew.
 *
 * @module
 */
import type { Action, Event } from "../action/index.ts";
import {
  chargeOf,
  COUNTED,
  DISTINCT,
  lackFor,
  TIMES,
  unscaled,
  type Counted,
  type LineageBudget,
  type LineageUse,
  type Passing,
} from "../policy/index.ts";
import type { LineageStore } from "./lineage-store.ts";

/** The part of a budget that is written ahead: so much less is left after a daemon that died. */
const AHEAD = 1 / 128;
/** Connections whose bytes are counted while they are open. */
const FLOWS_MAX = 10_000;

export class LineageUses {
  readonly budget: LineageBudget;
  /** Whether nothing is kept of it yet. */
  readonly isNew: boolean;
  readonly #store: Pick<LineageStore, "use" | "meet" | "useOf">;
  readonly #key: string;
  readonly #counts: Record<Counted, number>;
  readonly #written: Record<Counted, number>;
  readonly #distinct = { recipients: new Set<string>(), destinations: new Set<string>() };
  readonly #amounts = new Map<string, bigint>();
  /** Bytes of open connections that were counted by their requests. */
  readonly #flows = new Map<string, number>();

  constructor(
    store: Pick<LineageStore, "use" | "meet" | "useOf">,
    key: string,
    budget: LineageBudget,
  ) {
    this.budget = budget;
    this.#store = store;
    this.#key = key;
    const { used, met } = store.useOf(key);
    this.isNew = used.size === 0;
    const count = (what: Counted) => Number(used.get(what) ?? 0);
    this.#counts = Object.fromEntries(COUNTED.map((what) => [what, count(what)])) as never;
    this.#written = { ...this.#counts };
    for (const [what, item] of met) {
      for (const one of DISTINCT) if (what === one) this.#distinct[one].add(item);
    }
    for (const [what, amount] of used) {
      if (what.startsWith("amount:")) this.#amounts.set(what.slice(7), BigInt(amount));
    }
  }

  /** From here on it is among those of which something is kept. @throws {Fault} `lineage.store` */
  begin(): void {
    if (this.isNew) this.#store.use(this.#key, "requests", "0");
  }

  get use(): LineageUse {
    return { counts: this.#counts, distinct: this.#distinct, amounts: this.#amounts };
  }

  /** What of it passes by itself and is used up. */
  get spent(): Passing | undefined {
    return TIMES.find((what) => this.#counts[what] >= (this.budget[what] ?? Infinity));
  }

  lackFor(action: Action): string | undefined {
    return lackFor(this.budget, this.use, chargeOf(action));
  }

  /** On disk when it returns, as far as a budget limits it. @throws {Fault} `lineage.store` */
  take(action: Action): void {
    const charge = chargeOf(action);
    this.#add("requests", charge.requests);
    this.#add("writes", charge.writes);
    if (this.budget.destinations !== undefined) this.#meet("destinations", charge.destination);
    if (this.budget.recipients !== undefined) {
      for (const one of charge.recipients ?? []) this.#meet("recipients", one);
    }
    if (this.budget.amounts === undefined) return;
    for (const [currency, value] of charge.amounts ?? []) {
      const sum = (this.#amounts.get(currency) ?? 0n) + value;
      this.#store.use(this.#key, `amount:${currency}`, `${sum}`);
      this.#amounts.set(currency, sum);
    }
  }

  /** Counts what an event tells of afterwards. */
  note({ type, flow = "", data = {} }: Event): void {
    // Those beyond are refused: counted on, a client that tries again and again would use up what is allowed later.
    if (type === "flow.open") {
      if (this.#counts.connections <= (this.budget.connections ?? 0)) this.#add("connections", 1);
    } else if (type === "repeat") this.#add("requests", numberOf(data["count"]));
    else if (type === "outcome" && this.#flows.size < FLOWS_MAX) {
      const bytes = numberOf(data["bytesOut"]) + numberOf(data["bytesIn"]);
      this.#flows.set(flow, (this.#flows.get(flow) ?? 0) + bytes);
      this.#add("bytes", bytes);
    } else if (type === "flow.close") {
      const bytes = numberOf(data["bytesOut"]) + numberOf(data["bytesIn"]);
      this.#add("bytes", Math.max(0, bytes - (this.#flows.get(flow) ?? 0)));
      this.#flows.delete(flow);
    }
  }

  spend(what: Passing, ms: number): void {
    this.#add(what, ms);
  }

  /** Writes down what was used, and no more: nothing is used up any more by it. */
  settle(): void {
    for (const what of COUNTED) {
      if (this.#written[what] === this.#counts[what]) continue;
      this.#store.use(this.#key, what, `${this.#counts[what]}`);
      this.#written[what] = this.#counts[what];
    }
  }

  /** A line for each thing that is limited: `requests 12 of 1000`. */
  lines(): string[] {
    const { budget } = this;
    const counts = COUNTED.flatMap((what) => {
      const most = budget[what];
      return most === undefined ? [] : [`${what} ${Math.round(this.#counts[what])} of ${most}`];
    });
    const distinct = DISTINCT.flatMap((what) => {
      const most = budget[what];
      return most === undefined ? [] : [`${what} ${this.#distinct[what].size} of ${most}`];
    });
    const amounts = [...(budget.amounts ?? [])].map(
      ([currency, most]) =>
        `${currency} ${unscaled(this.#amounts.get(currency) ?? 0n)} of ${unscaled(most)}`,
    );
    return [...counts, ...distinct, ...amounts];
  }

  #add(what: Counted, more: number): void {
    const most = this.budget[what];
    if (most === undefined || more <= 0) return;
    const sum = this.#counts[what] + more;
    if (sum > this.#written[what]) {
      // Never beyond the budget: a daemon that dies takes no more than what it had left of the last step.
      const ahead = Math.max(sum, Math.min(most, sum + Math.floor(most * AHEAD)));
      this.#store.use(this.#key, what, `${ahead}`);
      this.#written[what] = ahead;
    }
    this.#counts[what] = sum;
  }

  #meet(what: "recipients" | "destinations", item: string): void {
    if (this.#distinct[what].has(item)) return;
    this.#store.meet(this.#key, what, item);
    this.#distinct[what].add(item);
  }
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}
