/**
 * Real ledgers for tests: in a folder of their own that is gone afterwards.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Event } from "../../src/action/index.ts";
import { systemClock } from "../../src/base/index.ts";
import { openLedger, type Ledger, type LedgerOptions } from "../../src/ledger/index.ts";

/** An ordinary event, told apart by `n`. */
export function sampleEvent(n: number, more: Partial<Event> = {}): Event {
  const at = new Date(1_790_000_000_000 + n).toISOString();
  return {
    type: "flow.open",
    at,
    monoMs: n,
    run: "r-1",
    target: `https://x.example/${n}`,
    ...more,
  };
}

/** A home's folders under a new temporary folder. */
export interface LedgerHome {
  readonly root: string;
  readonly dir: string;
  readonly options: LedgerOptions;
  open(): Promise<Ledger>;
  /** A copy of this home as it lies on disk now. */
  copy(): LedgerHome;
}

export function ledgerHome(t: TestContext): LedgerHome {
  const root = mkdtempSync(join(tmpdir(), "cofferdam-ledger-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const dir = join(root, "ledger");
  const options = { dir, keys: join(root, "keys"), clock: systemClock };
  return {
    root,
    dir,
    options,
    open: async () => openLedger(options),
    copy: () => {
      const other = ledgerHome(t);
      cpSync(root, other.root, { recursive: true });
      return other;
    },
  };
}

/** A closed ledger of `count` sample events. */
export async function writtenLedger(t: TestContext, count: number): Promise<LedgerHome> {
  const home = ledgerHome(t);
  const ledger = await home.open();
  for (let n = 0; n < count; n += 1) await ledger.append(sampleEvent(n));
  await ledger.close();
  return home;
}
