/**
 * Searching the record, and leafing through it.
 *
 * @module
 */
import type { ConsoleDesk, ConsoleHandlers } from "../desk.ts";

type Names = "ledger.status" | "ledger.search" | "ledger.page" | "ledger.entry" | "ledger.facets";

export function ledgerHandlers({ record }: ConsoleDesk): Pick<ConsoleHandlers, Names> {
  return {
    "ledger.status": async () => record.status(),
    "ledger.search": async ({ query, near }, { signal }) => ({
      ...(await record.search(query, signal)),
      ...(near === undefined ? {} : { offset: await record.locate(query, near, signal) }),
    }),
    "ledger.page": async ({ query, offset, limit }, { signal }) => {
      const { rows, ...found } = await record.page(query, { offset, limit }, signal);
      return { ...found, rows: [...rows] };
    },
    "ledger.entry": async ({ seq }) => record.entry(seq),
    "ledger.facets": async ({ query }, { signal }) => record.facets(query, signal),
  };
}
