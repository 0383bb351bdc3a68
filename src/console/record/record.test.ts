import assert from "node:assert/strict";
import { chownSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { Ledger } from "../../ledger/index.ts";
import { openRecord, type Record } from "./index.ts";
import { eventOf, LedgerHome } from "./record.fixture.ts";

const dns = (n: number) => eventOf({ type: "dns", run: `r-${n % 2}`, target: `host-${n}.example` });

async function fill(ledger: Ledger, from: number, to: number): Promise<void> {
  const events = Array.from({ length: to - from }, (_, n) => dns(from + n));
  await Promise.all(events.map(async (event) => ledger.append(event)));
}

async function until(record: Record, size: number): Promise<void> {
  while (record.status().indexed < size) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("a record is searched while it is written; places in a result do not move", async () => {
  using home = new LedgerHome();
  const ledger = await home.open();
  const record = openRecord(home);
  await fill(ledger, 0, 1000);
  record.grown(1000);
  await until(record, 1000);
  const query = { run: ["r-1"] };
  const before = await record.page(query, { offset: 490, limit: 20 });
  assert.equal(before.count, 500);
  assert.deepEqual(
    before.rows.map(({ seq }) => seq),
    Array.from({ length: 10 }, (_, n) => 981 + 2 * n),
  );
  await fill(ledger, 1000, 1300);
  record.grown(1300);
  await until(record, 1300);
  const after = await record.page(query, { offset: 490, limit: 20 });
  assert.deepEqual(after.rows.slice(0, 10), before.rows);
  assert.equal(after.count, 650);
  assert.equal(await record.locate(query, 1000), 500);
  assert.deepEqual(await record.search({ text: "host-1234" }), { count: 1, size: 1300 });
  await record.close();
  await ledger.close();
});

test("entries come whole and in order, from any number on", async () => {
  using home = new LedgerHome();
  await home.write(Array.from({ length: 1200 }, (_, n) => dns(n)));
  const record = openRecord(home);
  await until(record, 1200);
  const seen: number[] = [];
  for await (const batch of record.entries({ run: ["r-0"] }, undefined, 301)) {
    assert.ok(batch.length <= 256);
    for (const entry of batch) seen.push(entry.seq);
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 449 }, (_, n) => 302 + 2 * n),
  );
  assert.equal((await record.entry(7)).target, "host-7.example");
  await assert.rejects(record.entry(1200), { code: "console.no_such_entry" });
  await record.close();
});

test("whoever gives a question up is told so, and the record answers the next one", async () => {
  using home = new LedgerHome();
  await home.write(Array.from({ length: 3000 }, (_, n) => dns(n)));
  const record = openRecord(home);
  await until(record, 3000);
  const ending = new AbortController();
  const asked = record.search({ text: "host h ho hos example e ex exa" }, ending.signal);
  ending.abort();
  await assert.rejects(asked, { name: "AbortError" });
  await assert.rejects(record.search({}, ending.signal), { name: "AbortError" });
  assert.deepEqual(await record.search({ text: "host" }), { count: 3000, size: 3000 });
  await record.close();
  await assert.rejects(record.search({}), { code: "console.record" });
});

test("more questions than can wait are refused, and those that wait are answered", async () => {
  using home = new LedgerHome();
  await home.write([dns(1)]);
  const record = openRecord(home);
  await until(record, 1);
  const asked = Array.from({ length: 256 }, async () => record.search({ text: "host" }));
  await assert.rejects(record.search({}), { code: "console.record_busy" });
  for (const { count } of await Promise.all(asked)) assert.equal(count, 1);
  await record.close();
});

test("two consoles of one home search side by side: the second keeps an index of its own", async () => {
  using home = new LedgerHome();
  await home.write(Array.from({ length: 500 }, (_, n) => dns(n)));
  const first = openRecord(home);
  await until(first, 500);
  const second = openRecord(home);
  await until(second, 500);
  for (const record of [first, second]) {
    assert.equal((await record.search({ text: "host-499" })).count, 1);
  }
  await second.close();
  assert.equal(
    (await first.search({ text: "host-1" })).count,
    111,
    "the first one's file is whole",
  );
  await first.close();
});

test("a ledger that is damaged is said to be, and what was taken in before can be found", async () => {
  using home = new LedgerHome();
  await home.write(Array.from({ length: 600 }, (_, n) => dns(n)));
  const bundle = `${home.ledger}/tile/entries/001`;
  const bytes = readFileSync(bundle);
  bytes.write("X", bytes.length - 40);
  writeFileSync(bundle, bytes);
  const record = openRecord(home);
  await until(record, 256);
  while (record.status().fault === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.match(record.status().fault ?? "", /entry 511 is missing or damaged/);
  assert.equal((await record.search({ text: "host-255" })).count, 1);
  await record.close();
});

test("where no index can be kept, or the home is another's, one goes with the process", async () => {
  using home = new LedgerHome();
  await home.write([dns(1)]);
  writeFileSync(`${home.root}/console`, "a file where the folder would be");
  const record = openRecord(home);
  await until(record, 1);
  assert.equal((await record.search({ text: "host-1" })).count, 1);
  await record.close();
  assert.equal(readFileSync(`${home.root}/console`, "utf8"), "a file where the folder would be");

  if (process.geteuid?.() !== 0) return; // Only root may look at another's.
  using others = new LedgerHome();
  await others.write([dns(2)]);
  chownSync(others.root, 65_534, 65_534);
  const visit = openRecord(others);
  await until(visit, 1);
  await visit.close();
  assert.equal(existsSync(`${others.root}/console`), false);
});
