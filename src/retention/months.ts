/**
 * How much of the record is of which month, read from the ledger's folder beside the daemon.
 *
 * @module
 */
import { z } from "zod";
import { BUNDLE_ENTRIES, LedgerReader } from "../ledger/index.ts";

const timed = z.looseObject({ at: z.string().min(7) });

/** Entries of one month, by the time of the first of their bundle. */
export interface Month {
  /** `2026-11` */
  readonly month: string;
  readonly entries: number;
  readonly bytes: number;
}

export function monthsOf(ledger: string): readonly Month[] {
  const reader = new LedgerReader(ledger);
  const months = new Map<string, Month>();
  for (let from = reader.next(0); ; from = reader.next(from + BUNDLE_ENTRIES)) {
    const entries = reader.from(from);
    const [first] = entries;
    if (first === undefined) break;
    const month = timed.parse(JSON.parse(first.toString())).at.slice(0, 7);
    const bytes = entries.reduce((sum, entry) => sum + entry.length, 0);
    const so = months.get(month) ?? { month, entries: 0, bytes: 0 };
    months.set(month, { month, entries: so.entries + entries.length, bytes: so.bytes + bytes });
  }
  return [...months.values()].sort((a, b) => (a.month < b.month ? -1 : 1));
}
