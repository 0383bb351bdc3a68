/**
 * The runs that are looked at, folded: the last few are kept, and a run that lives costs its new entries only.
 *
 * @module
 */
import type { Entry } from "../api/index.ts";
import { Story } from "../story/index.ts";

/** Runs kept, and their items together: about half a kilobyte each. */
const STORIES_MAX = 12;
const ITEMS_KEPT = 400_000;
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

  /** The story of `run`, up to the entry that is the last one now. */
  async of(run: string): Promise<Story> {
    const kept = this.#kept.get(run) ?? { story: new Story(), seen: 0, reading: undefined };
    this.#kept.delete(run);
    this.#kept.set(run, kept);
    this.#forget();
    kept.reading ??= this.#goOn(run, kept).finally(() => (kept.reading = undefined));
    await kept.reading;
    return kept.story;
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
