/**
 * What one tab is told, as server-sent events.
 *
 * Of what has a state (cards, approvals, how long the record is) a tab that does not keep up gets the last state and not the
 * ones before; of entries it gets each, at its own pace, since they are read for it from where it is. So nothing waits for a
 * slow tab, and what is kept for it is bounded (docs/decisions/0427).
 *
 * `entries` carries the number of the next entry as its id: a tab that comes back names it, and misses and repeats none.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { RunCard } from "../../api/index.ts";
import type { Live, News } from "./live.ts";

const HEARTBEAT_MS = 15_000;
/** Between two messages of a kind: ten times a second at most, four times for cards. */
const PACE_MS = 100;
const CARDS_PACE_MS = 250;

export interface Topics {
  readonly now: boolean;
  readonly approvals: boolean;
  readonly ledger: boolean;
  readonly run: string | undefined;
  /** The first entry of the run that is wanted; without it those that come from now on. */
  readonly from: number | undefined;
}

/** Where events go. */
export interface Sink {
  /** Resolves when the tab has taken what was sent before, or is gone. */
  send(event: string, data: unknown, id?: number): Promise<void>;
  beat(): Promise<void>;
  /** Whether the session still is. */
  isWelcome(): boolean;
}

/** `?now&approvals&ledger&run=r-x&from=12`. */
export function topicsOf(asked: URLSearchParams): Topics {
  return {
    now: asked.has("now"),
    approvals: asked.has("approvals"),
    ledger: asked.has("ledger"),
    run: asked.get("run") ?? undefined,
    from: numberOf(asked.get("from")),
  };
}

function numberOf(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Tells one tab until `signal` says so or its session is over. */
export async function serveTab(
  live: Live,
  topics: Topics,
  sink: Sink,
  signal: AbortSignal,
): Promise<void> {
  const tab = new Tab(live, topics, sink, signal);
  const stop = live.listen((news) => tab.hear(news));
  const wakeUp = () => tab.wake();
  signal.addEventListener("abort", wakeUp, { once: true });
  try {
    await tab.serve();
  } finally {
    stop();
    signal.removeEventListener("abort", wakeUp);
  }
}

class Tab {
  readonly #live: Live;
  readonly #topics: Topics;
  readonly #sink: Sink;
  readonly #signal: AbortSignal;
  /** What changed since it was told; `approvals`: which ones is not known. */
  readonly #changed = { now: true, ledger: true, entry: true, approvals: true };
  /** Approvals that changed, the last state of each. */
  readonly #approvals = new Map<string, unknown>();
  /** Each card as it was told. */
  readonly #told = new Map<string, string>();
  #toldCardsAt = -Infinity;
  #next: number | undefined;
  #wake = () => {};

  constructor(live: Live, topics: Topics, sink: Sink, signal: AbortSignal) {
    this.#live = live;
    this.#topics = topics;
    this.#sink = sink;
    this.#signal = signal;
    this.#next = topics.from;
  }

  hear(news: News): void {
    const { topic } = news;
    if (topic === "approvals") {
      if (!this.#topics.approvals) return;
      if (news.approval === undefined) this.#changed.approvals = true;
      else this.#approvals.set(news.approval.id, news.approval);
    } else if (topic === "entry") {
      if (news.run !== this.#topics.run) return;
      this.#changed.entry = true;
    } else {
      if (!this.#topics[topic]) return;
      this.#changed[topic] = true;
    }
    this.wake();
  }

  wake(): void {
    this.#wake();
  }

  async serve(): Promise<void> {
    while (!this.#signal.aborted && this.#sink.isWelcome()) {
      const isMore = await this.#tell();
      if (this.#signal.aborted) return;
      if (isMore) continue;
      if (this.#isDue()) await sleep(PACE_MS);
      else await this.#rest();
    }
  }

  #isDue(): boolean {
    const { now, ledger, entry, approvals } = this.#changed;
    const { topics } = { topics: this.#topics };
    return (
      (now && topics.now) ||
      (ledger && topics.ledger) ||
      (entry && topics.run !== undefined) ||
      (approvals && topics.approvals) ||
      this.#approvals.size > 0
    );
  }

  /** Until there is something to tell; a sign of life where there is nothing for long. */
  async #rest(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#wake = () => resolve(true);
    const timer = setTimeout(() => resolve(false), HEARTBEAT_MS);
    if (!(await promise)) await this.#sink.beat();
    clearTimeout(timer);
    await sleep(PACE_MS); // What comes with it is told with it.
  }

  /** Tells what changed; returns whether there are entries still that the tab has not. */
  async #tell(): Promise<boolean> {
    if (this.#topics.approvals && this.#changed.approvals) {
      this.#changed.approvals = false;
      await this.#sink.send("approvals", {});
    }
    for (const [id, approval] of this.#approvals) {
      this.#approvals.delete(id);
      await this.#sink.send("approval", approval);
    }
    if (this.#topics.ledger && this.#changed.ledger) {
      this.#changed.ledger = false;
      await this.#sink.send("head", this.#live.head());
    }
    if (this.#topics.now && this.#changed.now) await this.#tellCards();
    return this.#tellEntries();
  }

  async #tellCards(): Promise<void> {
    const now = performance.now();
    if (now - this.#toldCardsAt < CARDS_PACE_MS) return;
    this.#toldCardsAt = now;
    this.#changed.now = false;
    const cards = await this.#live.cards();
    const changed = cards.filter((card) => this.#told.get(card.run) !== signOf(card));
    const runs = new Set(cards.map(({ run }) => run));
    const gone = [...this.#told.keys()].filter((run) => !runs.has(run));
    for (const run of gone) this.#told.delete(run);
    for (const card of changed) this.#told.set(card.run, signOf(card));
    if (changed.length + gone.length > 0) await this.#sink.send("cards", { cards: changed, gone });
  }

  async #tellEntries(): Promise<boolean> {
    const { run } = this.#topics;
    if (run === undefined || !this.#changed.entry) return false;
    this.#changed.entry = false;
    const { entries, next } = await this.#live.entries(run, this.#next, this.#signal);
    const isMoved = this.#next !== next;
    this.#next = next;
    if (entries.length > 0) await this.#sink.send("entries", entries, next);
    if (isMoved && entries.length > 0) this.#changed.entry = true;
    return entries.length > 0;
  }
}

/** What a card says but for its strip's place in time, which moves by itself. */
function signOf({ strip, ...card }: RunCard): string {
  return JSON.stringify([card, strip.cells.reduce((sum, [, , , count]) => sum + count, 0)]);
}
