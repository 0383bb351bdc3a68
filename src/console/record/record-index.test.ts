import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { EFFECTS, EVENT_TYPES, FINDING_KINDS, VERDICTS, type Event } from "../../action/index.ts";
import type { RecordQuery } from "../../api/index.ts";
import { LedgerReader } from "../../ledger/index.ts";
import { RecordIndex, type Result } from "./record-index.ts";
import { eventOf, LedgerHome } from "./record.fixture.ts";
import { effectsOf, findingOf } from "./row.ts";
import { textOf } from "./words.ts";

/** An index of `home` that has taken in all there is. */
function indexOf(home: LedgerHome): RecordIndex {
  const index = RecordIndex.open(new LedgerReader(home.ledger), home.index);
  takeAll(index);
  return index;
}

function takeAll(index: RecordIndex): void {
  while (index.advance() > 0);
}

function found(index: RecordIndex, query: RecordQuery): Result {
  const steps = index.find(query);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

function numbers(index: RecordIndex, query: RecordQuery): readonly number[] {
  const result = found(index, query);
  return result.slice(0, result.count);
}

// What a search means, said without an index.

function wordsOf(text: string): readonly string[] {
  return (text.match(/[\p{L}\p{N}]+/gu) ?? []).map((word) =>
    word.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase(),
  );
}

function hasTerm(words: readonly string[], term: readonly string[]): boolean {
  return words.some((_, at) =>
    term.every((part, n) =>
      n === term.length - 1 ? words[at + n]?.startsWith(part) : words[at + n] === part,
    ),
  );
}

function matches(seq: number, event: Event, query: RecordQuery): boolean {
  const among = (wanted: readonly string[] | undefined, has: readonly (string | undefined)[]) =>
    wanted === undefined || has.some((one) => one !== undefined && wanted.includes(one));
  const words = textOf(event).split("\n").map(wordsOf);
  const terms = (query.text ?? "")
    .split(/\s+/u)
    .map(wordsOf)
    .filter((term) => term.length > 0);
  const ms = Date.parse(event.at);
  return (
    terms.every(
      (term) => words.some((line) => hasTerm(line, term)) || hasTerm(words.flat(), term),
    ) &&
    among(query.run, [event.run]) &&
    among(query.type, [event.type]) &&
    among(query.verdict, [event.verdict]) &&
    among(query.system, [event.system]) &&
    among(query.effect, effectsOf(event)) &&
    among(query.finding, [findingOf(event)]) &&
    (query.since === undefined || ms >= Date.parse(query.since)) &&
    (query.until === undefined || ms < Date.parse(query.until)) &&
    seq >= (query.from ?? 0) &&
    seq < (query.to ?? Infinity)
  );
}

const WORDS = [
  ...["git push", "git", "gift", "api.example.com", "Straße", "café", "CAFE", "naïve-bayes"],
  ...['say "hi"', "a*b", "NEAR(a b)", "x\u0000y", "OR", "42", "--", "\u202egnp.exe", "日本語"],
] as const;
const word = fc.constantFrom(...WORDS);
const at = fc.integer({ min: 0, max: 9 }).map((s) => `2026-11-27T10:00:0${s}.000Z`);
const some = <T>(values: readonly T[]) => fc.constantFrom(...values);
const event: fc.Arbitrary<Event> = fc
  .record(
    {
      type: some(EVENT_TYPES),
      at,
      monoMs: fc.constant(1),
      run: some(["r-1", "r-2", "r-3"]),
      verdict: some(VERDICTS),
      system: some(["blog", "none"]),
      target: word,
      data: fc.record(
        {
          effects: fc.uniqueArray(some(EFFECTS), { maxLength: 3 }),
          finding: some(FINDING_KINDS),
          kind: some(FINDING_KINDS),
          detail: word,
          deep: fc.record({ er: fc.array(word, { maxLength: 2 }) }),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ["type", "at", "monoMs"] },
  )
  .map((made) => made as Event);
const several = <T>(values: readonly T[]) =>
  fc.uniqueArray(some(values), { minLength: 1, maxLength: 2 });
const query: fc.Arbitrary<RecordQuery> = fc
  .record(
    {
      text: fc.array(word, { maxLength: 2 }).map((words) => words.join(" ")),
      run: several(["r-1", "r-2", "r-9"]),
      type: several(EVENT_TYPES),
      verdict: several(VERDICTS),
      system: several(["blog", "none"]),
      effect: several(EFFECTS),
      finding: several(FINDING_KINDS),
      since: at,
      until: at,
      from: fc.nat(60),
      to: fc.nat(60),
    },
    { requiredKeys: [] },
  )
  .map((made) => made as RecordQuery);

test("INV-216: what is found is what a plain look at each entry finds, and as it grows", async () => {
  const batches = fc.array(fc.array(event, { minLength: 1, maxLength: 40 }), {
    minLength: 1,
    maxLength: 3,
  });
  const property = fc.asyncProperty(
    batches,
    fc.array(query, { minLength: 5, maxLength: 25 }),
    async (written, queries) => {
      using home = new LedgerHome();
      const all: Event[] = [];
      let index: RecordIndex | undefined;
      for (const batch of written) {
        await home.write(batch);
        all.push(...batch);
        index ??= RecordIndex.open(new LedgerReader(home.ledger), home.index);
        takeAll(index);
        for (const one of queries) {
          const plain = all.flatMap((each, seq) => (matches(seq, each, one) ? [seq] : []));
          assert.deepEqual(numbers(index, one), plain, JSON.stringify(one));
          assert.equal(found(index, one).locate(20), plain.filter((seq) => seq < 20).length);
        }
      }
      index?.close();
    },
  );
  await fc.assert(property, { numRuns: 25 });
});

test("every entry is found by each word of it, and facets count what is found", async () => {
  using home = new LedgerHome();
  await home.write([
    eventOf({
      type: "action",
      run: "r-1",
      verdict: "allow",
      target: "https://x.example/p?q=zebra",
    }),
    eventOf({ type: "finding", run: "r-2", data: { finding: "tunnel", detail: "ssh inside" } }),
    eventOf({ type: "response", run: "r-2", data: { kind: "tunnel", responses: ["cut"] } }),
  ]);
  const index = indexOf(home);
  for (const [text, where] of [
    ["zebra", [0]],
    ["x.exam", [0]],
    ["tunnel", [1, 2]],
    ["INSIDE ssh", [1]],
    ["r-2", [1, 2]],
    ["!!", [0, 1, 2]],
  ] as const) {
    assert.deepEqual(numbers(index, { text }), where, text);
  }
  const facets = index.facets(found(index, { run: ["r-2"] }));
  assert.deepEqual(facets.type, { finding: 1, response: 1 });
  assert.deepEqual(facets.finding, { tunnel: 2 });
  assert.deepEqual(facets.run, { "r-2": 2 });
  index.close();
});

test("more words than a search takes are refused by name, and cost nothing", async () => {
  using home = new LedgerHome();
  await home.write([eventOf({ type: "daemon.start" })]);
  const index = indexOf(home);
  const text = Array.from({ length: 9 }, (_, n) => `w${n}`).join(" ");
  assert.throws(() => found(index, { text }), { code: "console.query" });
  index.close();
});

test("a kept index is taken up where it was; its files are the owner's alone", async () => {
  using home = new LedgerHome();
  await home.write(
    Array.from({ length: 5000 }, (_, n) => eventOf({ type: "dns", target: `t${n}` })),
  );
  const index = indexOf(home);
  index.commit();
  index.close();
  assert.equal(statSync(home.index).mode & 0o777, 0o600);
  assert.equal(statSync(dirname(home.index)).mode & 0o777, 0o700);
  const again = RecordIndex.open(new LedgerReader(home.ledger), home.index);
  assert.equal(again.size, 5000, "nothing had to be read again");
  assert.deepEqual(numbers(again, { text: "t4711", type: ["dns"] }), [4711]);
  again.close();
});

const dns = (target: string) => eventOf({ type: "dns", target });

for (const [what, spoil] of [
  ["a file that is no index", (home) => writeFileSync(home.index, "hello")],
  [
    "an index that is damaged inside",
    (home) => {
      const bytes = readFileSync(home.index);
      bytes.fill(0xa5, 4096, bytes.length - 4096);
      writeFileSync(home.index, bytes);
    },
  ],
  [
    "the index of a ledger that was there before",
    (home) => rmSync(home.ledger, { recursive: true }),
  ],
] as const satisfies readonly (readonly [string, (home: LedgerHome) => void])[]) {
  test(`INV-217: ${what} is thrown away, and one that fits is made`, async () => {
    using home = new LedgerHome();
    await home.write([dns("old"), dns("older")]);
    const before = indexOf(home);
    before.commit();
    before.close();
    spoil(home);
    if (what.includes("before")) rmSync(join(home.root, "keys"), { recursive: true });
    await home.write([dns("fresh")]);
    const index = indexOf(home);
    assert.equal(numbers(index, { text: "fresh" }).length, 1);
    assert.equal(numbers(index, { text: "old" }).length, what.includes("before") ? 0 : 2);
    index.close();
  });
}

test("INV-217: entries that a power loss took back are in no index, though others stand in their place", async () => {
  using home = new LedgerHome();
  await home.write([dns("kept")]);
  const copy = join(home.root, "copy");
  cpSync(home.ledger, copy, { recursive: true });
  await home.write([dns("lost"), dns("lost")]);
  const index = indexOf(home);
  index.commit();
  rmSync(home.ledger, { recursive: true });
  cpSync(copy, home.ledger, { recursive: true });
  assert.equal(index.fits, false, "while it runs");
  await home.write([dns("other"), dns("other")]);
  assert.equal(index.fits, false, "of the same length again");
  index.close();
  const again = indexOf(home);
  assert.deepEqual(numbers(again, { text: "lost" }), []);
  assert.deepEqual(numbers(again, { text: "other" }), [1, 2]);
  again.close();
});

test("what is pruned goes from the index as well, and the rest is found as before", async () => {
  using home = new LedgerHome();
  const events = Array.from({ length: 900 }, (_, n) =>
    eventOf({ type: "dns", target: `word${n}.example` }),
  );
  await home.write(events);
  const before = indexOf(home);
  assert.deepEqual(numbers(before, { text: "word7" }).slice(0, 1), [7]);
  before.commit();
  const ledger = await home.open();
  const at = { at: "2026-12-01T00:00:00.000Z", monoMs: 1 };
  await ledger.prune([{ from: 0, to: 512 }], { months: 6, at, pace: () => Promise.resolve() });
  await ledger.close();
  assert.equal(before.fits, false);
  before.close();
  const index = indexOf(home);
  assert.equal(index.size, 901);
  assert.deepEqual(
    numbers(index, {}),
    Array.from({ length: 389 }, (_, n) => 512 + n),
  );
  assert.deepEqual(numbers(index, { from: 100, to: 514 }), [512, 513]);
  assert.deepEqual(numbers(index, { text: "word7.example" }), []);
  assert.deepEqual(numbers(index, { text: "word700.example" }), [700]);
  assert.throws(() => index.row(7), {
    code: "ledger.pruned",
    message: /entries 0-511 were pruned/,
  });
  assert.ok(index.fits);
  index.close();
  for (const path of [home.index]) assert.ok(!readFileSync(path).includes("word7.example"));
});
