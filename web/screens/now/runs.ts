/**
 * The cards of all runs, kept up to date by the stream.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import type { Now, RunCard } from "../../../src/api/index.ts";
import { keyOf, useCall } from "../../calls/index.ts";
import { useLive } from "../../live/index.ts";

/** What the stream tells of cards. */
interface CardsChanged {
  readonly cards: readonly RunCard[];
  readonly gone: readonly string[];
}

const KEY = keyOf("now.show", {});

export function useRuns() {
  const queries = useQueryClient();
  useLive("now", ({ event, data }) => {
    if (event !== "cards") return;
    queries.setQueryData<Now>(KEY, (now) => now && merged(now, data as CardsChanged));
  });
  return useCall("now.show", {});
}

/** Cards that did not change stay the same objects, so that they are not drawn again. */
export function merged(now: Now, { cards, gone }: CardsChanged): Now {
  const changed = new Map(cards.map((card) => [card.run, card]));
  const left = new Set(gone);
  const known = now.cards.filter(({ run }) => !left.has(run));
  const next = known.map((card) => changed.get(card.run) ?? card);
  const runs = new Set(known.map(({ run }) => run));
  next.push(...cards.filter(({ run }) => !runs.has(run)));
  return { ...now, cards: next.sort(byNeed) };
}

/** As the console sorts them: what waits for a person, then what should be looked at, then the newest. */
export function byNeed(a: RunCard, b: RunCard): number {
  const [mine, theirs] = [weightOf(a), weightOf(b)];
  if (mine !== theirs) return mine - theirs;
  const [need, other] = [a.needs[0]?.since, b.needs[0]?.since];
  if (mine === 0 && need !== undefined && other !== undefined) return need.localeCompare(other);
  return newestOf(b).localeCompare(newestOf(a)) || (a.run < b.run ? 1 : -1);
}

/** When it began; what is over, when it ended. */
function newestOf({ startedAt, endedAt }: RunCard): string {
  return endedAt ?? startedAt;
}

function weightOf({ state, needs }: RunCard): number {
  if (needs.some(({ level }) => level === "act")) return 0;
  if (state !== "ended") return needs.length > 0 ? 1 : 2;
  return needs.length > 0 ? 3 : 4;
}

/** How many things wait until a person does something. */
export function needsIn(cards: readonly RunCard[]): number {
  return cards.reduce(
    (sum, { needs, waiting }) =>
      sum +
      needs.reduce(
        (own, { level, why }) =>
          own + (level !== "act" ? 0 : why === "approval" ? Math.max(1, waiting) : 1),
        0,
      ),
    0,
  );
}
