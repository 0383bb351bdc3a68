/**
 * The cards of all runs, kept up to date by the stream.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import type { Now, RunCard } from "../../../src/api/index.ts";
import { byNeed } from "../../../src/api/console/run-order.ts";
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
