/**
 * Windows on a story: which items match, in what order, how dense they are, and what leads from one to another.
 *
 * @module
 */
import { EFFECTS, VERDICTS, type Effect } from "../action/index.ts";
import { STORY_LANES, type StoryFilter, type StoryItem, type StoryStrip } from "../api/index.ts";
import { itemOf, type Told } from "./item.ts";
import type { Story } from "./story.ts";

/** Steps from an item to the model's words, at most: whoever forks ten thousand deep is cut short. */
const CHAIN_MAX = 48;

export interface Window {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly filter: StoryFilter;
}

/** What is looked for in a window. */
export type Sought =
  | { readonly entry: number }
  | { readonly ms: number }
  | { readonly item: string }
  | { readonly finding: "next" | "previous"; readonly of?: string | undefined };

/** All that match, in the order in which they began. */
export function matching(
  story: Story,
  { from = 0, to = Infinity, filter }: Window,
): readonly Told[] {
  const fits = matcherOf(story, filter);
  return story.items.filter((told) => told.endMs >= from && told.ms <= to && fits(told));
}

export function rowsOf(
  story: Story,
  window: Window,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): { readonly matched: number; readonly rows: StoryItem[] } {
  const found = matching(story, window);
  const rows = found.slice(offset, offset + limit).map((told) => itemOf(told, story.hasEnded));
  return { matched: found.length, rows };
}

function matcherOf(story: Story, filter: StoryFilter): (told: Told) => boolean {
  const { text = "", lanes, effects, verdicts, systems, refused = false, under } = filter;
  const wanted = text.toLowerCase();
  const within = under === undefined ? undefined : placesUnder(story, under);
  return (told) =>
    (lanes === undefined || lanes.includes(told.lane)) &&
    (!refused || told.refused > 0 || told.lane === "finding") &&
    (verdicts === undefined || (told.verdict !== undefined && verdicts.includes(told.verdict))) &&
    (effects === undefined || told.effects?.some((one) => effects.includes(one)) === true) &&
    (systems === undefined || (told.system !== undefined && systems.includes(told.system))) &&
    (within === undefined || within[told.place] === 1) &&
    (wanted === "" || says(told, wanted));
}

function says({ label, name, system, rule, state, by }: Told, wanted: string): boolean {
  const said = [label, name, system, rule, state, by?.exe];
  return said.some((one) => one !== undefined && one.toLowerCase().includes(wanted));
}

/** Marks item `id` and all that came of it: a parent's place is before its child's. */
function placesUnder(story: Story, id: string): Uint8Array {
  const marks = new Uint8Array(story.items.length);
  const top = story.item(id);
  if (top === undefined) return marks;
  const isUnder = (one: Told | undefined) => one !== undefined && marks[one.place] === 1;
  marks[top.place] = 1;
  for (const told of story.items.slice(top.place + 1)) {
    // A turn is what its process asks; it came of no flow that it is sent on.
    if (isUnder(told.parent) || isUnder(told.call)) marks[told.place] = 1;
  }
  return marks;
}

/** How many matching items began in each bucket, by lane, verdict and effect. */
export function stripOf(
  story: Story,
  window: Window,
  buckets: number,
): Omit<StoryStrip, "startedAt" | "lengthMs" | "spanMs" | "through" | "items" | "isWhole"> {
  const fromMs = window.from ?? 0;
  // What is done with a run that ended, perhaps days later, stands in the last bucket.
  const toMs = Math.max(window.to ?? story.spanMs, fromMs + 1);
  const stepMs = (toMs - fromMs) / buckets;
  const column = () => Array.from({ length: buckets }, () => 0);
  const lanes = columns(STORY_LANES, column);
  const verdicts = columns(VERDICTS, column);
  const effects: Partial<Record<Effect, number[]>> = {};
  const findings = column();
  const add = (to: number[] | undefined, at: number, count: number) => {
    if (to !== undefined) to[at] = (to[at] ?? 0) + count;
  };
  for (const told of matching(story, window)) {
    const at = Math.min(Math.floor((told.ms - fromMs) / stepMs), buckets - 1);
    if (at < 0) continue; // It began before, and goes on.
    add(lanes[told.lane], at, told.count);
    if (told.verdict !== undefined) add(verdicts[told.verdict], at, told.count);
    for (const effect of told.effects ?? []) add((effects[effect] ??= column()), at, told.count);
    if (told.kind === "finding") add(findings, at, told.count);
  }
  const systems = [...story.systems]
    .filter(([name]) => name !== "none")
    .map(([name, count]) => ({ name, count }))
    .toSorted((one, other) => other.count - one.count || (one.name < other.name ? -1 : 1));
  const ordered = Object.fromEntries(
    EFFECTS.flatMap((effect) => (effects[effect] === undefined ? [] : [[effect, effects[effect]]])),
  );
  const cpu = story.usage.peaks(fromMs, stepMs, buckets);
  return { fromMs, stepMs, lanes, verdicts, effects: ordered, findings, systems, cpu };
}

function columns<Name extends string>(
  names: readonly Name[],
  column: () => number[],
): Record<Name, number[]> {
  return Object.fromEntries(names.map((name) => [name, column()])) as Record<Name, number[]>;
}

/** The place in the window of what is sought: where it is not, of what comes after it. */
export function locateIn(
  story: Story,
  window: Window,
  sought: Sought,
): { readonly offset: number; readonly id: string } | undefined {
  const found = matching(story, window);
  const offset = offsetOf(story, found, sought);
  const told = found[offset];
  return told === undefined ? undefined : { offset, id: told.id };
}

function offsetOf(story: Story, found: readonly Told[], sought: Sought): number {
  if ("item" in sought) {
    const told = story.item(sought.item);
    return told === undefined ? -1 : found.indexOf(told);
  }
  if ("ms" in sought) return found.findIndex(({ ms }) => ms >= sought.ms);
  if ("entry" in sought) return offsetOfEntry(found, sought.entry);
  const place = story.item(sought.of ?? "")?.place ?? -1;
  const isFinding = (told: Told) => told.kind === "finding" || told.refused > 0;
  return sought.finding === "next"
    ? found.findIndex((told) => told.place > place && isFinding(told))
    : found.findLastIndex((told) => (place < 0 || told.place < place) && isFinding(told));
}

/** The item that holds the entry, or the last that began before it. */
function offsetOfEntry(found: readonly Told[], entry: number): number {
  const holder = found.findIndex(
    ({ seqs, lastSeqs }) => seqs.includes(entry) || lastSeqs.includes(entry),
  );
  if (holder >= 0) return holder;
  return found.findLastIndex(({ seqs }) => (seqs[0] ?? Infinity) <= entry);
}

/** What `told` came of, nearest first, up to the turn in which a model said so. */
export function chainOf(told: Told): readonly Told[] {
  const chain: Told[] = [];
  const climb = (from: Told | undefined) => {
    for (let at = from; at !== undefined && chain.length < CHAIN_MAX; at = at.parent) {
      if (chain.includes(at)) return;
      chain.push(at);
      if (at.kind === "model") return; // Whoever sent it is another question.
    }
  };
  climb(told.parent);
  // Tied to a call that none of its processes is: by time, by a claim, by what it names.
  const call = told.call ?? chain.find((one) => one.call !== undefined)?.call;
  if (call !== undefined && call !== told && !chain.includes(call)) climb(call);
  return chain;
}

/** What came of `told` directly, oldest first. */
export function childrenOf(story: Story, told: Told): readonly Told[] {
  const isProcess = told.kind === "process";
  return story.items.filter(
    (one) => one.parent === told || (isProcess && one !== told && one.process?.parent === told),
  );
}
