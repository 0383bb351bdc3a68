/**
 * What is due: whole bundles of entries older than the retention, less those that something still needs.
 *
 * Bundles are looked at from the oldest on, and no further than the first that holds a younger entry: what is due costs
 * the reading of what is due.
 *
 * @module
 */
import {
  BUNDLE_ENTRIES,
  RANGES_AT_ONCE,
  RANGES_MAX,
  type Ledger,
  type Range,
} from "../ledger/index.ts";

export interface PlanPorts {
  readonly ledger: Pick<Ledger, "read" | "size" | "pruning">;
  /** RFC 3339: what is not older stays. */
  readonly cutoff: string;
  /** Entries from here on were not sent by everyone who sends them, and why that is known. */
  readonly unsent: { readonly from: number; readonly why: string } | undefined;
  /** Why what is of `run` stays; `undefined` where nothing needs it. */
  whyKept(run: string): string | undefined;
  /** Waited for between bundles. */
  pace(): Promise<void>;
}

/** Entries that are old enough, and stay. */
export interface Kept extends Range {
  readonly why: string;
}

export interface Plan {
  readonly ranges: readonly Range[];
  readonly entries: number;
  readonly kept: readonly Kept[];
}

export async function planPruning(ports: PlanPorts): Promise<Plan> {
  const { ledger, cutoff, unsent } = ports;
  const ranges: Range[] = [];
  const kept: Kept[] = [];
  let max = Math.min(RANGES_AT_ONCE, RANGES_MAX - (ledger.pruning?.all.length ?? 0));
  for (let from = 0; from + BUNDLE_ENTRIES <= ledger.size; from += BUNDLE_ENTRIES) {
    const gone = ledger.pruning?.all.find((range) => range.from <= from && from < range.to);
    if (gone !== undefined) {
      from = gone.to - BUNDLE_ENTRIES;
      continue;
    }
    await ports.pace();
    const to = from + BUNDLE_ENTRIES;
    const runs = new Set<string>();
    let newest = "";
    for await (const { event } of ledger.read(from, to)) {
      if (event.at > newest) newest = event.at;
      if (event.run !== undefined) runs.add(event.run);
    }
    if (newest >= cutoff) break;
    const isUnsent = unsent !== undefined && to > unsent.from;
    const why = isUnsent ? unsent.why : firstOf(runs, (run) => ports.whyKept(run));
    const last = ranges.at(-1);
    if (why !== undefined) keep(kept, { from, to, why });
    else if (last?.to === from) ranges.splice(-1, 1, { from: last.from, to });
    else if (max > 0) {
      ranges.push({ from, to });
      max -= 1;
    } else keep(kept, { from, to, why: "as many ranges as one pruning can name go before it" });
  }
  const entries = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  return { ranges, entries, kept };
}

function keep(kept: Kept[], one: Kept): void {
  const last = kept.at(-1);
  if (last?.to === one.from && last.why === one.why) {
    kept.splice(-1, 1, { ...last, to: one.to });
  } else kept.push(one);
}

function firstOf<T, U>(all: Iterable<T>, find: (one: T) => U | undefined): U | undefined {
  for (const one of all) {
    const found = find(one);
    if (found !== undefined) return found;
  }
  return undefined;
}
