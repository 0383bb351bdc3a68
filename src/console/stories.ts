/**
 * The runs that are looked at, folded: the last few are kept, and a run that lives costs its new entries only.
 *
 * @module
 */
import { setTimeout } from "node:timers/promises";
import type { Entry } from "../api/index.ts";
import { Story } from "../story/index.ts";

/** Runs kept, and their items together: about half a kilobyte each. */
const STORIES_MAX = 12;
const ITEMS_KEPT = 400_000;
/** How long a screen waits before it shows the beginning of a long run. */
const WAIT_MS = 400;

/** The record, as stories read it. */
export interface RunSource {
  /** Entries of it that can be read by now. */
  size(): number;
  /** The entries of a run from a number on, to the end of the record, in batches. */
  read(run: string, from: number): AsyncIterable<readonly Entry[]>;
}

interface Kept {
  story: Story;
  /** Entries of the record that were looked through for it. */
  seen: number;
  /** Whoever asks meanwhile is answered by what is being read. */
  reading: Promise<void> | undefined;
}

export class Stories {
  readonly #kept = new Map<string, Kept>();
  readonly #source: RunSource;

  constructor(source: RunSource) {
    this.#source = source;
  }

  /** The story of `run` up to the entry that is the last one now; of a long one that is read for the first time, what is told by then. */
  async of(run: string): Promise<{ readonly story: Story; readonly isWhole: boolean }> {
    const kept = this.#goingOn(run);
    const { reading } = kept;
    await Promise.race([reading, setTimeout(WAIT_MS, undefined, { ref: false })]);
    return { story: kept.story, isWhole: kept.reading !== reading };
  }

  /** The same, however long it takes. */
  async whole(run: string): Promise<Story> {
    const kept = this.#goingOn(run);
    await kept.reading;
    return kept.story;
  }

  #goingOn(run: string): Kept {
    const kept = this.#kept.get(run) ?? { story: new Story(), seen: 0, reading: undefined };
    this.#kept.delete(run);
    this.#kept.set(run, kept);
    this.#forget();
    if (kept.reading === undefined) {
      kept.reading = this.#goOn(run, kept).finally(() => (kept.reading = undefined));
      kept.reading.catch(() => {}); // Whoever waits is told; whoever asks next begins anew.
    }
    return kept;
  }

  async #goOn(run: string, kept: Kept): Promise<void> {
    const size = this.#source.size();
    if (size < kept.seen) Object.assign(kept, { story: new Story(), seen: 0 }); // Another record stands there now.
    // What ended long ago is not looked for in all that came since, again and again.
    if (size === kept.seen) return;
    for await (const batch of this.#source.read(run, kept.seen)) {
      for (const entry of batch) kept.story.add(entry);
    }
    kept.seen = Math.max(size, kept.story.through + 1);
  }

  /** Whatever was looked at longest ago goes first; what is looked at now stays. */
  #forget(): void {
    let items = [...this.#kept.values()].reduce((sum, { story }) => sum + story.items.length, 0);
    for (const [run, { story, reading }] of this.#kept) {
      const isLast = this.#kept.size === 1;
      if (isLast || (this.#kept.size <= STORIES_MAX && items <= ITEMS_KEPT)) return;
      if (reading !== undefined) continue;
      this.#kept.delete(run);
      items -= story.items.length;
    }
  }
}
