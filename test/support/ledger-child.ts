/**
 * Appends to the ledger in argv[2] (keys in argv[3]) until it is killed, or argv[4] entries are in, and
 * prints each number once its append is acknowledged. Every 500th waits for the disk.
 */
import { writeSync } from "node:fs";
import { systemClock } from "../../src/base/index.ts";
import { openLedger } from "../../src/ledger/index.ts";
import { sampleEvent } from "./ledger.ts";

const [dir = "", keys = "", count = "Infinity"] = process.argv.slice(2);
const ledger = await openLedger({ dir, keys, clock: systemClock });
const pad = "x".repeat(200);
try {
  while (ledger.size < Number(count)) {
    const seq = ledger.size;
    const options = { sync: seq % 500 === 499 };
    const entry = await ledger.append(sampleEvent(seq, { data: { pad } }), options);
    writeSync(1, `${entry}\n`);
    if (seq % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await ledger.close();
} catch (error) {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  writeSync(1, `${code}\n`);
  // Whoever comes after a failure must be refused too.
  const again = await ledger.append(sampleEvent(0)).catch((next: unknown) => next === error);
  writeSync(1, `again refused: ${String(again === true)}\n`);
}
