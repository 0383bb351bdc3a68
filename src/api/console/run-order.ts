/**
 * The order of cards, for the server and for pages. It imports types alone, so that a page gets nothing else with it.
 *
 * @module
 */
import type { RunCard } from "./now.ts";

/** Need first: what waits for a person, longest first; then the newest. */
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
