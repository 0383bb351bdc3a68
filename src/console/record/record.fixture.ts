/**
 * Ledgers of a test's own, in a folder that goes with it.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Event } from "../../action/index.ts";
import { systemClock } from "../../base/index.ts";
import { openLedger, type Ledger } from "../../ledger/index.ts";

export class LedgerHome {
  readonly root = mkdtempSync(join(tmpdir(), "cofferdam-record-"));
  readonly ledger = join(this.root, "ledger");
  readonly index = join(this.root, "console", "index.db");

  async open(): Promise<Ledger> {
    return openLedger({ dir: this.ledger, keys: join(this.root, "keys"), clock: systemClock });
  }

  /** Appends `events` and closes the ledger. */
  async write(events: readonly Event[]): Promise<void> {
    const ledger = await this.open();
    await Promise.all(events.map(async (event) => ledger.append(event)));
    await ledger.close();
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** An event that says no more than it must. */
export function eventOf(event: Partial<Event> & Pick<Event, "type">): Event {
  return { at: "2026-11-27T10:00:00.000Z", monoMs: 1, ...event };
}
