/**
 * What is known of the runs of a record: all that live, and those that ended last.
 *
 * @module
 */
import type { Entry } from "../../api/index.ts";
import { factsOf, type RunFacts } from "./facts.ts";
import { foldEntry } from "./fold.ts";

/** Ended runs that are kept; a daemon holds at most 4096 that live. */
const ENDED_MAX = 256;
const LIVE_MAX = 8192;

export class KnownRuns {
  readonly #runs = new Map<string, RunFacts>();

  /** What is known of a run, as another thread, or an earlier one, knew it. */
  put(facts: RunFacts): void {
    this.#runs.set(facts.run, facts);
    this.#trim();
  }

  /** Takes an entry in; a run begins with its policy. */
  take(entry: Entry): void {
    const { run, type, data } = entry;
    if (run === undefined) return;
    const isFirst =
      type === "run.start" || (type === "policy" && typeof data?.["source"] === "string");
    const facts = this.#runs.get(run) ?? (isFirst ? factsOf(run, entry.at) : undefined);
    if (facts === undefined) return;
    this.#runs.set(run, facts);
    foldEntry(facts, entry);
    if (type === "run.end" || isFirst) this.#trim();
  }

  get(run: string): RunFacts | undefined {
    return this.#runs.get(run);
  }

  all(): readonly RunFacts[] {
    return [...this.#runs.values()];
  }

  /** Runs that have an entry from `seq` on. */
  since(seq: number): readonly RunFacts[] {
    return this.all().filter(({ last }) => last.seq >= seq);
  }

  clear(): void {
    this.#runs.clear();
  }

  #trim(): void {
    if (this.#runs.size <= ENDED_MAX) return;
    const runs = this.all();
    const ended = runs.filter(({ state }) => state === "ended");
    ended.sort((a, b) => (a.ended?.seq ?? 0) - (b.ended?.seq ?? 0));
    const live = runs.filter(({ state }) => state !== "ended");
    const gone = [...ended.slice(0, -ENDED_MAX), ...live.slice(0, -LIVE_MAX)];
    for (const { run } of gone) this.#runs.delete(run);
  }
}
