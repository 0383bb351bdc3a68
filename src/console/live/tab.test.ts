import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApprovalInfo, Entry, RunCard } from "../../api/index.ts";
import type { Live, News } from "./live.ts";
import { serveTab, topicsOf, type Sink } from "./tab.ts";

const AT = "2026-11-27T10:00:00.000Z";

/** A record of two runs that grows when it is told to, and a card for one of them. */
class Growing implements Live {
  readonly entriesSoFar: Entry[] = [];
  title = "";
  readonly listeners = new Set<(news: News) => void>();

  grow(count: number): void {
    for (let n = 0; n < count; n += 1) {
      const seq = this.entriesSoFar.length;
      const run = seq % 3 === 0 ? "r-b" : "r-a";
      this.entriesSoFar.push({ seq, type: "dns", at: AT, monoMs: 1, run });
      this.tell({ topic: "entry", run });
    }
  }

  tell(news: News): void {
    for (const listener of this.listeners) listener(news);
  }

  async cards(): Promise<readonly RunCard[]> {
    return [{ ...CARD, purpose: this.title }];
  }

  async entries(run: string, from = this.entriesSoFar.length) {
    const own = this.entriesSoFar.slice(from).filter((entry) => entry.run === run);
    const entries = own.slice(0, 50);
    const next =
      own.length > 50 ? (entries.at(-1)?.seq ?? 0) + 1 : Math.max(from, this.entriesSoFar.length);
    return { entries, next };
  }

  head() {
    return { size: this.entriesSoFar.length, indexed: this.entriesSoFar.length };
  }

  listen(listener: (news: News) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}

const CARD: RunCard = {
  run: "r-a",
  task: "t",
  purpose: "",
  agent: { name: "agent", isKnown: false },
  command: ["agent"],
  workspace: "/w",
  state: "running",
  startedAt: AT,
  last: { seq: 0, at: AT },
  autonomy: { rules: 0, actions: 0 },
  budgets: [],
  counts: { actions: 0, allow: 0, confirm: 0, deny: 0, findings: 0, flows: 0 },
  strip: { end: 0, cells: [] },
  waiting: 0,
  grants: [],
  needs: [],
};

interface Sent {
  readonly event: string;
  readonly data: unknown;
  readonly id: number | undefined;
}

/** A tab's end: keeps what it got; `take` may hold it up, or end it. */
function sinkOf(got: Sent[], take: (sent: Sent) => Promise<void>, isWelcome = () => true): Sink {
  return {
    send: async (event, data, id) => {
      const sent = { event, data, id };
      got.push(sent);
      await take(sent);
    },
    beat: async () => {},
    isWelcome,
  };
}

test("INV-218: a stream that breaks at any message goes on without loss and without repetition", async () => {
  const live = new Growing();
  const flood = setInterval(() => live.grow(40), 5);
  const seen: number[] = [];
  let from = "0";
  let breaks = 0;
  while (breaks < 12) {
    const gone = new AbortController();
    let left = 1 + (breaks % 3);
    const sink = sinkOf([], async ({ data, id }) => {
      // What has reached the browser counts, with its id; then the connection is cut.
      seen.push(...(data as readonly Entry[]).map(({ seq }) => seq));
      from = String(id);
      left -= 1;
      if (left === 0) gone.abort();
    });
    await serveTab(live, topicsOf(new URLSearchParams({ run: "r-a", from })), sink, gone.signal);
    breaks += 1;
  }
  clearInterval(flood);
  const last = seen.at(-1) ?? 0;
  const plain = live.entriesSoFar.filter(({ run, seq }) => run === "r-a" && seq <= last);
  assert.ok(plain.length > 600, `${plain.length} entries are a flood`);
  assert.deepEqual(
    seen,
    plain.map(({ seq }) => seq),
  );
  assert.equal(live.listeners.size, 0);
});

test("a slow tab gets the last state of a card, not each; nothing is kept for it beyond that", async () => {
  const live = new Growing();
  const gone = new AbortController();
  const got: Sent[] = [];
  let release = () => {};
  const sink = sinkOf(got, async () => new Promise<void>((resolve) => (release = resolve)));
  const topics = topicsOf(new URLSearchParams("now&ledger"));
  const served = serveTab(live, topics, sink, gone.signal);
  await sleep(20);
  for (let n = 1; n <= 500; n += 1) {
    live.title = `title ${n}`;
    live.grow(10);
    live.tell({ topic: "now" });
    live.tell({ topic: "ledger" });
  }
  const ticking = setInterval(() => release(), 10);
  await sleep(900);
  gone.abort();
  release();
  await served;
  clearInterval(ticking);
  const cards = got.filter(({ event }) => event === "cards");
  const heads = got.filter(({ event }) => event === "head");
  assert.ok(got.length < 12, `${got.length} messages for 1000 changes`);
  assert.match(JSON.stringify(cards.at(-1)?.data), /title 500/);
  assert.deepEqual(heads.at(-1)?.data, { size: 5000, indexed: 5000 });
});

test("cards come at most four times a second, and only those that changed", async () => {
  const live = new Growing();
  const gone = new AbortController();
  const got: Sent[] = [];
  const sink = sinkOf(got, async () => {});
  const topics = topicsOf(new URLSearchParams("now"));
  const served = serveTab(live, topics, sink, gone.signal);
  const changing = setInterval(() => {
    live.title += "x";
    live.tell({ topic: "now" });
  }, 5);
  await sleep(1000);
  clearInterval(changing);
  await sleep(400);
  const changed = got.length;
  assert.ok(changed >= 3 && changed <= 6, `${changed} messages in a second`);
  for (let n = 0; n < 5; n += 1) {
    live.tell({ topic: "now" });
    await sleep(120);
  }
  assert.equal(got.length, changed, "what did not change is not told");
  gone.abort();
  await served;
});

test("a stream ends with its session", async () => {
  const live = new Growing();
  let isWelcome = true;
  const sink = sinkOf(
    [],
    async () => {},
    () => isWelcome,
  );
  const topics = topicsOf(new URLSearchParams("ledger"));
  const served = serveTab(live, topics, sink, new AbortController().signal);
  await sleep(150);
  isWelcome = false;
  live.tell({ topic: "ledger" });
  await served;
  assert.equal(live.listeners.size, 0);
});

test("where a tab goes on is a number or nothing", () => {
  const fromOf = (from: string) => topicsOf(new URLSearchParams({ run: "r-a", from })).from;
  assert.equal(fromOf("12"), 12);
  for (const from of ["-1", "1e9", "x", "", "9".repeat(30)]) assert.equal(fromOf(from), undefined);
});

test("INV-274: a tab is told that approvals may be others when it opens, and whenever changes went unheard", async () => {
  const live = new Growing();
  const told = async (topics: string, during: () => void) => {
    const gone = new AbortController();
    const got: string[] = [];
    const sink = sinkOf([], async ({ event }) => void got.push(event));
    const served = serveTab(live, topicsOf(new URLSearchParams(topics)), sink, gone.signal);
    await sleep(150);
    const atOpening = got.splice(0);
    during();
    await sleep(300);
    gone.abort();
    await served;
    return [atOpening, got];
  };
  const approval = { id: "p-1" } as unknown as ApprovalInfo;
  const nothing = () => {};
  assert.deepEqual(await told("approvals", nothing), [["approvals"], []]);
  assert.deepEqual(await told("approvals", () => live.tell({ topic: "approvals" })), [
    ["approvals"],
    ["approvals"],
  ]);
  assert.deepEqual(await told("approvals", () => live.tell({ topic: "approvals", approval })), [
    ["approvals"],
    ["approval"],
  ]);
  assert.deepEqual(await told("ledger", () => live.tell({ topic: "approvals" })), [["head"], []]);
});
