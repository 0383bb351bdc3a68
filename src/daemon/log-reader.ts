/**
 * Reading the record for a person: all of it or one run's, and on as it grows.
 *
 * @module
 */
import type { Entry } from "../api/index.ts";
import type { Ledger } from "../ledger/index.ts";

/** Yields entries from `from` on, or from the first; with `follow`, goes on until `signal` aborts. */
export async function* readEntries(
  ledger: Ledger,
  options: {
    readonly run?: string | undefined;
    readonly follow: boolean;
    readonly from?: number | undefined;
    readonly types?: readonly Entry["type"][] | undefined;
  },
  signal: AbortSignal,
): AsyncIterable<Entry> {
  let next = options.from ?? 0;
  let wake: () => void = () => {};
  const unsubscribe = options.follow ? ledger.subscribe(() => wake()) : () => {};
  signal.addEventListener("abort", () => wake(), { once: true });
  try {
    while (!signal.aborted) {
      const grown = new Promise<void>((resolve) => (wake = resolve));
      const size = ledger.size;
      for await (const { seq, event } of ledger.read(next, size)) {
        if (signal.aborted) return;
        if (options.run !== undefined && event.run !== options.run) continue;
        if (options.types?.includes(event.type) === false) continue;
        yield { seq, ...event };
      }
      next = Math.max(next, size);
      if (!options.follow) return;
      if (ledger.size === size) await grown;
    }
  } finally {
    unsubscribe();
  }
}
