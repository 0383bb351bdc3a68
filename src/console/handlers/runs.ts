/**
 * One run, told: its story is folded once, kept, and goes on with the entries that came since.
 *
 * @module
 */
import { STORY_ENTRIES_MAX, type StoryFilter } from "../../api/index.ts";
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
import { Stories } from "../stories.ts";

const CHILDREN_SHOWN = 200;

type RunHandlers = Pick<
  ConsoleHandlers,
  "run.timeline" | "run.strip" | "run.locate" | "run.item" | "run.processes" | "run.map"
>;

export function runHandlers({ record }: ConsoleDesk): RunHandlers {
  /** The index of the record follows it: what it has not come to is not told yet. */
  const isIndexed = () =>
    record.status().indexed > 0 && record.status().indexed >= record.status().size;
  const stories = new Stories({
    size: () => record.status().indexed,
    read: (run, from) => record.entries({ run: [run], from }),
  });
  return {
    "run.timeline": async ({ run, from, to, filter, offset, limit }) => {
      const told = await stories.of(run);
      const { story } = told;
      const found = rowsOf(story, windowOf({ from, to, filter }), { offset, limit });
      return { ...headOf(told, isIndexed()), ...found, offset };
    },
    "run.strip": async ({ run, from, to, filter, buckets }) => {
      const told = await stories.of(run);
      const { story } = told;
      return {
        ...headOf(told, isIndexed()),
        ...stripOf(story, windowOf({ from, to, filter }), buckets),
      };
    },
    "run.locate": async ({ run, from, to, filter, find }) => {
      const story = await stories.whole(run);
      const at = locateIn(story, windowOf({ from, to, filter }), find);
      return at === undefined ? {} : { at };
    },
    "run.item": async ({ run, id }) => {
      const story = await stories.whole(run);
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
        entries: await Promise.all(
          entryNumbersOf(told)
            .slice(0, STORY_ENTRIES_MAX)
            .map(async (seq) => record.entry(seq)),
        ),
      };
    },
    "run.processes": async ({ run, refused }) => {
      const story = await stories.whole(run);
      return { through: story.through, ...processRows(story, { refused }) };
    },
    "run.map": async ({ run, by }) => {
      const story = await stories.whole(run);
      return { through: story.through, ...story.traffic.map(by) };
    },
  };
}

function headOf(
  { story, isWhole }: { readonly story: Story; readonly isWhole: boolean },
  isIndexed: boolean,
) {
  const { startedAt, lengthMs, spanMs, through, items } = story;
  return {
    startedAt,
    lengthMs,
    spanMs,
    through,
    items: items.length,
    isWhole: isWhole && isIndexed,
  };
}

function windowOf(window: {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly filter: StoryFilter;
}) {
  return window;
}
