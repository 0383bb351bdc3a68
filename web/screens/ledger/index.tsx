import { Empty } from "../../parts/index.ts";

export function LedgerScreen() {
  return <Empty title="Ledger" />;
}
