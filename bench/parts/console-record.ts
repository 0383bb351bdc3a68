/**
 * How fast the console's index of the record is, on a million entries: made from the ledger's folder beside the same bytes
 * only read and parsed, and beside the daemon's stream; searches beside a look through all of the bytes; a page at depth
 * beside the first one; and how long an entry takes until it is found while others come.
 *
 * @module
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Event } from "../../src/action/index.ts";
import type { RecordQuery } from "../../src/api/index.ts";
import { Fault, systemClock } from "../../src/base/index.ts";
import { openRecord, type Record } from "../../src/console/record/index.ts";
import { LedgerReader, openLedger } from "../../src/ledger/index.ts";
import { sampleHome } from "../../test/console/sample/index.ts";
import { startDaemon } from "../daemon.ts";
import type { Part } from "../part.ts";
import { createRow } from "../row.ts";
import { quantile } from "../statistics.ts";
import { timed } from "../timing.ts";

const ENTRIES = Number(process.env["BENCH_CONSOLE_ENTRIES"] ?? 1_000_000);
const RUNS = 200;
const DEPTH = 0.9;
const PAGE = 100;
/** Entries that the daemon's stream is measured on. */
const STREAMED = 50_000;
/** 10,000 a minute, for so long; then all at once. */
const RATE_MS = 6;
const STEADY_MS = 10_000;
const BURST = 5000;
const LOOK_MS = 5;

const QUERIES: readonly (readonly [string, RecordQuery])[] = [
  ["a rare word", { text: "updates.example.net" }],
  ["a common word", { text: "bash" }],
  ["two words", { text: "nginx reload" }],
  ["a beginning", { text: "blog.ex" }],
  ["denied", { verdict: ["deny"] }],
  ["a run's actions", { run: ["r-x"], type: ["action"] }],
  ["effects and a word", { effect: ["publish", "delete"], text: "acme" }],
];

export const consoleRecord: Part = {
  name: "console-record",
  group: "console",
  async measure({ scratch, profiles, tell }) {
    const root = join(scratch.root, "home");
    const [first] = await sampleHome(root, { runs: RUNS, events: ENTRIES, isOver: true });
    const parsed = await timed(() => parseAll(root));
    const record = openRecord({ root });
    const { size, ms } = await built(record);
    const perSecond = (size * 1000) / ms;
    const megabytes = statSync(join(root, "console", "index.db")).size / 1e6;
    const searches: number[] = [];
    const again: number[] = [];
    const told: string[] = [];
    for (const [name, query] of QUERIES) {
      const asked = query.run === undefined ? query : { ...query, run: [first?.run ?? ""] };
      const took = await timed(() => record.search(asked));
      searches.push(took);
      for (let n = 0; n < 20; n += 1) again.push(await timed(() => record.search(asked)));
      const { count } = await record.search(asked);
      told.push(`${name} ${took.toFixed(0)} ms (${count})`);
    }
    const scanned = await timed(() => scanAll(root, "updates.example.net"));
    const pages = { deep: [] as number[], first: [] as number[], sparse: [] as number[] };
    for (let n = 0; n < 50; n += 1) {
      const at = { offset: Math.floor(size * DEPTH) - n * PAGE, limit: PAGE };
      pages.deep.push(await timed(() => record.page({}, at)));
      pages.first.push(await timed(() => record.page({}, { offset: n * PAGE, limit: PAGE })));
      const sparse = { offset: n * PAGE, limit: PAGE };
      pages.sparse.push(await timed(() => record.page({ verdict: ["deny"] }, sparse)));
    }
    const facets = await timed(() => record.facets({ verdict: ["allow"] }));
    const lags = await followed(root, record);
    await record.close();
    const streamed = await byStream(scratch, root, profiles);
    tell(
      "console-record",
      { size, megabytes, searches, told, lags, facets },
      `console: ${size} entries, index of ${megabytes.toFixed(0)} MB; first searches: ${told.join(", ")}; ` +
        `all facets ${facets.toFixed(0)} ms; a burst of ${BURST} entries is found after ${lags.burst.toFixed(0)} ms`,
    );
    return [
      createRow({
        name: "console/index",
        unit: "entries/s",
        values: [perSecond],
        against: { name: "read and parsed alone", values: [(size * 1000) / parsed] },
        goal: { of: "value", must: ">=", be: 10_000 },
      }),
      createRow({
        name: "console/read-folder",
        unit: "entries/s",
        values: [(size * 1000) / parsed],
        against: { name: "the daemon's stream, only read", values: [streamed] },
      }),
      createRow({
        name: "console/search",
        unit: "ms p99",
        values: [quantile(searches, 0.99)],
        against: { name: "all bytes looked through once", values: [scanned] },
        goal: { of: "ratio", must: "<", be: 1 },
      }),
      createRow({
        name: "console/search-again",
        unit: "ms p99",
        values: [quantile(again, 0.99)],
        goal: { of: "value", must: "<", be: 50 },
      }),
      createRow({
        name: "console/page-deep",
        unit: "ms p50",
        values: [quantile(pages.deep, 0.5)],
        against: { name: "the first pages", values: [quantile(pages.first, 0.5)] },
        goal: { of: "ratio", must: "<=", be: 2 },
      }),
      createRow({
        name: "console/page-sparse",
        unit: "ms p99",
        values: [quantile(pages.sparse, 0.99)],
        goal: { of: "value", must: "<", be: 100 },
      }),
      createRow({
        name: "console/follow",
        unit: "ms p99",
        values: [quantile(lags.steady, 0.99)],
        goal: { of: "value", must: "<", be: 1000 },
      }),
    ];
  },
};

async function built(record: Record): Promise<{ readonly size: number; readonly ms: number }> {
  const start = performance.now();
  for (;;) {
    const { indexed, size, fault } = record.status();
    if (fault !== undefined) throw new Fault("bench.console", `the index failed: ${fault}`);
    if (size > 0 && indexed === size) return { size, ms: performance.now() - start };
    await sleep(LOOK_MS);
  }
}

function* bundles(root: string): Iterable<readonly Buffer[]> {
  const reader = new LedgerReader(join(root, "ledger"));
  for (let seq = 0; ;) {
    const entries = reader.from(seq);
    if (entries.length === 0) return;
    yield entries;
    seq += entries.length;
  }
}

function parseAll(root: string): void {
  for (const entries of bundles(root)) for (const entry of entries) JSON.parse(entry.toString());
}

function scanAll(root: string, word: string): number {
  let found = 0;
  for (const entries of bundles(root)) for (const entry of entries) found += +entry.includes(word);
  return found;
}

/** How long each entry that is appended at an even rate, and all of a burst, takes until it is found. */
async function followed(
  root: string,
  record: Record,
): Promise<{ readonly steady: readonly number[]; readonly burst: number }> {
  const keys = join(root, "keys");
  const ledger = await openLedger({ dir: join(root, "ledger"), keys, clock: systemClock });
  ledger.subscribe(({ seq }) => record.grown(seq + 1));
  const began = new Map<number, number>();
  const steady: number[] = [];
  const stop = record.onGrowth((indexed) => {
    const now = performance.now();
    for (const [seq, at] of began) {
      if (seq >= indexed) break;
      steady.push(now - at);
      began.delete(seq);
    }
  });
  const end = performance.now() + STEADY_MS;
  while (performance.now() < end) {
    began.set(ledger.size, performance.now());
    await ledger.append(eventOf(ledger.size));
    await sleep(RATE_MS);
  }
  while (began.size > 0) await sleep(LOOK_MS);
  stop();
  const start = performance.now();
  const appended = Array.from({ length: BURST }, async (_, n) => ledger.append(eventOf(n)));
  await Promise.all(appended);
  while (record.status().indexed < ledger.size) await sleep(LOOK_MS);
  const burst = performance.now() - start;
  await ledger.close();
  return { steady, burst };
}

function eventOf(n: number): Event {
  return {
    type: "dns",
    at: new Date(1_790_000_000_000 + n).toISOString(),
    monoMs: n,
    run: "r-bench",
    target: `host-${n}.example.com`,
    data: { name: `host-${n}.example.com`, type: "A", answer: ["203.0.113.7"], rcode: "NOERROR" },
  };
}

/** Entries a second that `log.read` gives whoever only reads them. */
async function byStream(
  scratch: Parameters<typeof startDaemon>[0],
  home: string,
  profiles: string | undefined,
): Promise<number> {
  await using daemon = await startDaemon(scratch, { profiles, home });
  let count = 0;
  const start = performance.now();
  for await (const _ of daemon.client.stream("log.read", { follow: false })) {
    count += 1;
    if (count === STREAMED) break;
  }
  return (count * 1000) / (performance.now() - start);
}
