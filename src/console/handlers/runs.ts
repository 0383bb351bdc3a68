/**
 * One run, told: its story is folded once, kept, and goes on with the entries that came since.
 *
 * @module
 */
import { STORY_ENTRIES_MAX, type Entry, type StoryFilter } from "../../api/index.ts";
import { Fault } from "../../base/index.ts";
import {
  chainOf,
  childrenOf,
  entryNumbersOf,
  itemOf,
  locateIn,
  processRows,
  rowsOf,
  stripOf,
  type Story,
} from "../../story/index.ts";
import type { ConsoleDesk, ConsoleHandlers } from "../desk.ts";
import { Stories, type RunSource } from "../stories.ts";

const CHILDREN_SHOWN = 200;

type RunHandlers = Pick<
  ConsoleHandlers,
  "run.timeline" | "run.strip" | "run.locate" | "run.item" | "run.processes" | "run.map"
>;

export function runHandlers({ client }: ConsoleDesk): RunHandlers {
  const source: RunSource = {
    size: async () => (await client.call("daemon.status", {})).entries,
    read: (run, from) => client.stream("log.read", { run, from, follow: false }),
  };
  const stories = new Stories(source);
  return {
    "run.timeline": async ({ run, from, to, filter, offset, limit }) => {
      const story = await stories.of(run);
      const found = rowsOf(story, windowOf({ from, to, filter }), { offset, limit });
      return { ...headOf(story), ...found, offset };
    },
    "run.strip": async ({ run, from, to, filter, buckets }) => {
      const story = await stories.of(run);
      return { ...headOf(story), ...stripOf(story, windowOf({ from, to, filter }), buckets) };
    },
    "run.locate": async ({ run, from, to, filter, find }) => {
      const story = await stories.of(run);
      return locateIn(story, windowOf({ from, to, filter }), find) ?? {};
    },
    "run.item": async ({ run, id }) => {
      const story = await stories.of(run);
      const told = story.item(id);
      if (told === undefined) {
        throw new Fault("console.no_item", `nothing of ${run} is told as ${id}`, {
          hint: "its number may be that of another run; search the record for it",
        });
      }
      const children = childrenOf(story, told);
      const tell = (one: typeof told) => itemOf(one, story.hasEnded);
      return {
        item: tell(told),
        chain: chainOf(told).map(tell),
        children: children.slice(0, CHILDREN_SHOWN).map(tell),
        childrenLeft: Math.max(0, children.length - CHILDREN_SHOWN),
        entries: await entriesOf(source, run, entryNumbersOf(told)),
      };
    },
    "run.processes": async ({ run, refused }) => {
      const story = await stories.of(run);
      return { through: story.through, ...processRows(story, { refused }) };
    },
    "run.map": async ({ run, by }) => {
      const story = await stories.of(run);
      return { through: story.through, ...story.traffic.map(by) };
    },
  };
}

function headOf({ startedAt, lengthMs, through, items }: Story) {
  return { startedAt, lengthMs, through, items: items.length };
}

function windowOf(window: {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly filter: StoryFilter;
}) {
  return window;
}

/** The entries with these numbers, whole; each is read from where it stands. */
async function entriesOf(
  { read }: RunSource,
  run: string,
  numbers: readonly number[],
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const seq of numbers.slice(0, STORY_ENTRIES_MAX)) {
    for await (const entry of read(run, seq)) {
      if (entry.seq === seq) entries.push(entry);
      break;
    }
  }
  return entries;
}
