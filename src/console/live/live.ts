/**
 * What happens now, shared by all tabs: cards of runs, entries as they come, approvals that change.
 *
 * @module
 */
import type { ApprovalInfo, Entry, RunCard, RunInfo } from "../../api/index.ts";
import { byNeed, ENDED_SHOWN } from "../../api/index.ts";
import { describeError, isFault, type Log } from "../../base/index.ts";
import type { Client } from "../../client/index.ts";
import { cardOf } from "../now/index.ts";
import type { Record } from "../record/index.ts";
import { Tail } from "./tail.ts";

/** Runs are asked for anew so long after something happened to one, however much does. */
const INFOS_MS = 250;
/** Most entries that a tab is told at once. */
const BATCH = 256;

export interface LivePorts {
  readonly client: Client;
  readonly record: Record;
  readonly log: Log;
  /** Wall clock, milliseconds. */
  now(): number;
  readonly closing: AbortSignal;
}

/** What a tab may be told of. */
export type News =
  | { readonly topic: "now" }
  | { readonly topic: "ledger" }
  | { readonly topic: "entry"; readonly run: string | undefined } // Without one, any of them may be another: some changes were not heard of.
  | { readonly topic: "approvals"; readonly approval?: ApprovalInfo };

export interface Live {
  /** Cards of all runs that live, and of those that ended last; need first. */
  cards(): Promise<readonly RunCard[]>;
  /** Entries of `run` from `from` on, as many as one message takes, and where to go on. */
  entries(run: string, from: number | undefined, signal: AbortSignal): Promise<Piece>;
  /** Entries of the record, and how many of them can be found. */
  head(): { readonly size: number; readonly indexed: number };
  /** Calls `listener` when something came; returns the way to stop that. */
  listen(listener: (news: News) => void): () => void;
}

export interface Piece {
  readonly entries: readonly Entry[];
  readonly next: number;
}

/** Begins to follow; ends with `ports.closing`. */
export function openLive(ports: LivePorts): Live {
  return new LiveDesk(ports);
}

class LiveDesk implements Live {
  readonly #ports: LivePorts;
  readonly #tail: Tail;
  readonly #listeners = new Set<(news: News) => void>();
  #infos = new Map<string, RunInfo>();
  #asked: Promise<void>;
  #asking: NodeJS.Timeout | undefined;
  #approvals: AbortController | undefined;

  constructor(ports: LivePorts) {
    this.#ports = ports;
    const { client, log, record, closing } = ports;
    this.#tail = new Tail({
      ...{ client, log },
      onOpened: (size) => {
        record.grown(size, true);
        this.#askInfos();
      },
      onEntry: (entry) => {
        record.grown(entry.seq + 1);
        if (entry.type.startsWith("run.") || entry.type === "policy") this.#askInfos();
        this.#tell({ topic: "entry", run: entry.run });
      },
    });
    record.onGrowth(() => {
      this.#tell({ topic: "ledger" });
      this.#tell({ topic: "now" });
    });
    this.#asked = this.#readInfos();
    void this.#tail.follow(closing);
  }

  async cards(): Promise<readonly RunCard[]> {
    await this.#asked;
    const nowMs = this.#ports.now();
    const known = this.#ports.record.runs();
    const cards = known.map((facts) => cardOf(facts, this.#infos.get(facts.run), nowMs));
    cards.sort(byNeed);
    let ended = 0;
    return cards.filter(({ state }) => state !== "ended" || (ended += 1) <= ENDED_SHOWN);
  }

  async entries(run: string, from: number | undefined, signal: AbortSignal): Promise<Piece> {
    const start = from ?? this.#tail.size;
    if (start === undefined) return { entries: [], next: 0 };
    const kept = this.#tail.since(start);
    if (kept !== undefined) {
      const own = kept.filter((entry) => entry.run === run);
      const entries = own.slice(0, BATCH);
      const last = entries.at(-1);
      return { entries, next: own.length > BATCH && last ? last.seq + 1 : start + kept.length };
    }
    const { indexed } = this.#ports.record.status();
    for await (const entries of this.#ports.record.entries({ run: [run] }, signal, start)) {
      return { entries, next: (entries.at(-1)?.seq ?? start) + 1 };
    }
    return { entries: [], next: Math.max(start, indexed) };
  }

  head() {
    const { indexed, size } = this.#ports.record.status();
    return { indexed, size: Math.max(size, this.#tail.size ?? 0) };
  }

  listen(listener: (news: News) => void): () => void {
    this.#listeners.add(listener);
    this.#followApprovals();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#approvals?.abort();
    };
  }

  #tell(news: News): void {
    for (const listener of this.#listeners) listener(news);
  }

  /** While a tab looks, and anew where the stream ends. */
  #followApprovals(): void {
    if (this.#approvals !== undefined) return;
    const { client, closing, log } = this.#ports;
    const ending = new AbortController();
    this.#approvals = ending;
    const hear = async () => {
      const signal = AbortSignal.any([ending.signal, closing]);
      for await (const approval of client.stream("approvals.follow", {}, signal)) {
        this.#tell({ topic: "approvals", approval });
      }
    };
    // It begins with those that wait, and so does not tell of one that ended before. Where the daemon answers what was
    // asked after it, it follows, and whoever reads the list from now on hears of all that comes.
    const heal = async () => {
      await client.call("daemon.status", {});
      this.#tell({ topic: "approvals" });
    };
    const follow = async () => void (await Promise.all([hear(), heal()]));
    const again = () => {
      this.#approvals = undefined;
      if (ending.signal.aborted || closing.aborted) return;
      setTimeout(() => {
        if (this.#listeners.size > 0) this.#followApprovals();
      }, 1000).unref();
    };
    follow().then(again, (error: unknown) => {
      if (!isFault(error)) log.warn("console.approvals", { error: describeError(error) });
      again();
    });
  }

  /** What the daemon knows of runs; where it does not answer, the record alone speaks. */
  #askInfos(): void {
    if (this.#asking !== undefined) return;
    this.#asking = setTimeout(() => {
      this.#asking = undefined;
      this.#asked = this.#readInfos();
    }, INFOS_MS);
  }

  async #readInfos(): Promise<void> {
    const { client, log } = this.#ports;
    try {
      const infos = await client.call("run.list", { all: true });
      this.#infos = new Map(infos.map((info) => [info.run, info]));
    } catch (error) {
      log.warn("console.runs", { error: describeError(error) });
    }
    this.#tell({ topic: "now" });
  }
}
