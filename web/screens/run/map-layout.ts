/**
 * Where the nodes of the map stand: actors left, places right, each side in an order that keeps lines from crossing.
 * The same map is always laid out the same.
 *
 * @module
 */
import type { MapEdge, StoryMap } from "../../../src/api/index.ts";

export const NODE_PX = 30;
/** Sweeps to and fro; after a few nothing moves any more. */
const SWEEPS = 8;

export interface Laid {
  readonly actors: ReadonlyMap<string, number>;
  readonly places: ReadonlyMap<string, number>;
  readonly height: number;
}

/** The middle of each node, in pixels from above. */
export function layout({ actors, places, edges }: StoryMap): Laid {
  let left = actors.map(({ id }) => id);
  let right = places.map(({ id }) => id);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    right = byMiddle(right, edges, left, ({ from, to }) => [to, from]);
    left = byMiddle(left, edges, right, ({ from, to }) => [from, to]);
  }
  const rows = Math.max(left.length, right.length);
  const spread = (ids: readonly string[]) =>
    new Map(ids.map((id, at) => [id, ((at + 0.5) * rows * NODE_PX) / ids.length]));
  return { actors: spread(left), places: spread(right), height: rows * NODE_PX };
}

/** Each by the mean place of what it is joined to; equal ones as they were. */
function byMiddle(
  ids: readonly string[],
  edges: readonly MapEdge[],
  others: readonly string[],
  ends: (edge: MapEdge) => readonly [own: string, other: string],
): string[] {
  const at = new Map(others.map((id, place) => [id, place]));
  const sums = new Map<string, { sum: number; count: number }>();
  for (const edge of edges) {
    const [own, other] = ends(edge);
    const held = sums.get(own) ?? { sum: 0, count: 0 };
    held.sum += at.get(other) ?? 0;
    held.count += 1;
    sums.set(own, held);
  }
  const middle = (id: string) => {
    const { sum = 0, count = 1 } = sums.get(id) ?? {};
    return sum / count;
  };
  return ids
    .map((id, place) => ({ id, place, middle: middle(id) }))
    .toSorted((one, other) => one.middle - other.middle || one.place - other.place)
    .map(({ id }) => id);
}
