/**
 * Where boxes stand: layers from left to right, so that every arrow goes right (Sugiyama, Tagawa, Toda 1981). Ranks by the
 * longest path, an arrow over several layers led through places of its own, the order within a layer by barycentres until
 * no fewer arrows cross, then heights by what boxes are tied to.
 *
 * @module
 */
import type { Graph } from "./graph.ts";

/** What is laid out: sizes in pixels. */
export interface Box {
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

/** The middle of a box. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly places: ReadonlyMap<string, Point>;
  /** For each edge, in the graph's order, where it goes through, its ends' middles included. */
  readonly routes: readonly (readonly Point[])[];
}

const LAYER_GAP = 76;
const BOX_GAP = 18;
const LINE_GAP = 8; // Beside an arrow that only passes.
const MARGIN = 16;
const SWEEPS_MAX = 24;
const SETTLES = 12;

/** A place in a layer: of a box, or of an arrow that passes. */
export interface Spot {
  readonly id: string;
  readonly rank: number;
  readonly width: number;
  readonly height: number;
  readonly isBox: boolean;
  readonly before: Spot[];
  readonly after: Spot[];
  at: number;
  y: number;
}

/** Lays `graph` out; `last` are boxes that stand in the last layer. */
export function layOut(graph: Graph, boxes: readonly Box[], last: ReadonlySet<string>): Layout {
  const ranks = ranksOf(graph, last);
  const spots = new Map(
    boxes.map((box) => [box.id, spotOf(box, ranks.get(box.id) ?? 0, true)] as const),
  );
  const passing: Spot[] = [];
  const chains = graph.edges.map(({ from, to }, at) => {
    const [a, b] = [spots.get(from), spots.get(to)];
    if (a === undefined || b === undefined) return [];
    const chain = [a];
    const step = b.rank >= a.rank ? 1 : -1;
    for (let rank = a.rank + step; step * rank < step * b.rank; rank += step) {
      const spot = spotOf({ id: `e${at}.${rank}`, width: 0, height: 0 }, rank, false);
      passing.push(spot);
      chain.push(spot);
    }
    chain.push(b);
    for (const [index, spot] of chain.entries()) {
      const next = chain[index + 1];
      if (next === undefined || next.rank === spot.rank) continue;
      const [left, right] = next.rank > spot.rank ? [spot, next] : [next, spot];
      left.after.push(right);
      right.before.push(left);
    }
    return chain;
  });
  const layers = layersOf([...spots.values(), ...passing]);
  order(layers);
  settle(layers);
  return placed(layers, spots, chains);
}

function spotOf({ id, width, height }: Box, rank: number, isBox: boolean): Spot {
  return { id, rank, width, height, isBox, before: [], after: [], at: 0, y: 0 };
}

/** The longest path to each box, less what leads back. */
function ranksOf(graph: Graph, last: ReadonlySet<string>): ReadonlyMap<string, number> {
  const next = Map.groupBy(graph.edges, ({ from }) => from);
  const state = new Map<string, "open" | "done">();
  const finished: string[] = [];
  const back = new Set<string>();
  for (const { id } of graph.nodes) {
    const stack = [{ id, at: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top === undefined) break;
      if (top.at === 0) {
        if (state.has(top.id)) {
          stack.pop();
          continue;
        }
        state.set(top.id, "open");
      }
      const edge = next.get(top.id)?.[top.at];
      top.at += 1;
      if (edge === undefined) {
        state.set(top.id, "done");
        finished.push(top.id);
        stack.pop();
      } else if (state.get(edge.to) === "open") back.add(`${edge.from} ${edge.to}`);
      else if (!state.has(edge.to)) stack.push({ id: edge.to, at: 0 });
    }
  }
  const ranks = new Map(graph.nodes.map(({ id }) => [id, 0]));
  for (const id of finished.toReversed()) {
    for (const { to } of next.get(id) ?? []) {
      if (back.has(`${id} ${to}`)) continue;
      ranks.set(to, Math.max(ranks.get(to) ?? 0, (ranks.get(id) ?? 0) + 1));
    }
  }
  const most = Math.max(0, ...ranks.values());
  for (const id of last) ranks.set(id, most);
  return ranks;
}

function layersOf(spots: readonly Spot[]): Spot[][] {
  const layers: Spot[][] = [];
  for (const spot of spots) (layers[spot.rank] ??= []).push(spot);
  const all = Array.from(layers, (layer) => layer ?? []);
  for (const layer of all) numbered(layer);
  return all;
}

function numbered(layer: readonly Spot[]): void {
  for (const [at, spot] of layer.entries()) spot.at = at;
}

/** Barycentres, forth and back; the order with the fewest crossings stays. */
function order(layers: readonly Spot[][]): void {
  let best = layers.map((layer) => [...layer]);
  let fewest = crossings(layers);
  for (let sweep = 0; sweep < SWEEPS_MAX && fewest > 0; sweep += 1) {
    const isForth = sweep % 2 === 0;
    for (const layer of isForth ? layers : layers.toReversed()) {
      const weights = new Map(layer.map((spot) => [spot, centre(spot, isForth)]));
      layer.sort((a, b) => (weights.get(a) ?? 0) - (weights.get(b) ?? 0) || a.at - b.at);
      numbered(layer);
    }
    const now = crossings(layers);
    if (now >= fewest) continue;
    fewest = now;
    best = layers.map((layer) => [...layer]);
  }
  for (const [rank, layer] of layers.entries()) {
    layer.splice(0, layer.length, ...(best[rank] ?? []));
    numbered(layer);
  }
}

function centre(spot: Spot, isForth: boolean): number {
  const tied = isForth ? spot.before : spot.after;
  if (tied.length === 0) return spot.at;
  return tied.reduce((sum, one) => sum + one.at, 0) / tied.length;
}

/** How many arrows cross, between each layer and the next: inversions, counted by a Fenwick tree. */
export function crossings(layers: readonly (readonly Spot[])[]): number {
  let count = 0;
  for (const [rank, layer] of layers.entries()) {
    const size = (layers[rank + 1]?.length ?? 0) + 1;
    const tree = new Uint32Array(size + 1);
    let seen = 0;
    for (const spot of layer) {
      const ends = spot.after.map(({ at }) => at + 1).sort((a, b) => a - b);
      for (const end of ends) {
        let below = 0;
        for (let at = end; at > 0; at -= at & -at) below += tree[at] ?? 0;
        count += seen - below;
      }
      for (const end of ends) {
        for (let at = end; at <= size; at += at & -at) tree[at] = (tree[at] ?? 0) + 1;
        seen += 1;
      }
    }
  }
  return count;
}

/** Heights: each as near to what it is tied to as its neighbours let it. */
function settle(layers: readonly (readonly Spot[])[]): void {
  for (const layer of layers) {
    let y = 0;
    for (const [at, spot] of layer.entries()) {
      y += at === 0 ? 0 : gapBetween(layer[at - 1], spot);
      spot.y = y;
    }
  }
  for (let round = 0; round < SETTLES; round += 1) {
    const isForth = round % 2 === 0;
    for (const layer of isForth ? layers : layers.toReversed()) {
      const wanted = layer.map((spot) => {
        const tied =
          round === SETTLES - 1 || round === SETTLES - 2
            ? [...spot.before, ...spot.after]
            : isForth
              ? spot.before
              : spot.after;
        return tied.length === 0 ? spot.y : tied.reduce((sum, one) => sum + one.y, 0) / tied.length;
      });
      place(layer, wanted);
    }
  }
}

function gapBetween(above: Spot | undefined, below: Spot): number {
  if (above === undefined) return 0;
  const gap = above.isBox && below.isBox ? BOX_GAP : LINE_GAP;
  return (above.height + below.height) / 2 + gap;
}

/** The least moves from `wanted` that keep the order and the gaps: blocks that touch move as one (isotonic regression). */
function place(layer: readonly Spot[], wanted: readonly number[]): void {
  const blocks: { sum: number; count: number; readonly from: number }[] = [];
  let offset = 0;
  const offsets = layer.map((spot, at) => (offset += gapBetween(layer[at - 1], spot)));
  for (const at of layer.keys()) {
    blocks.push({ sum: (wanted[at] ?? 0) - (offsets[at] ?? 0), count: 1, from: at });
    for (;;) {
      const [above, last] = blocks.slice(-2);
      if (above === undefined || last === undefined) break;
      if (above.sum / above.count <= last.sum / last.count) break;
      blocks.pop();
      above.sum += last.sum;
      above.count += last.count;
    }
  }
  for (const [index, { sum, count, from }] of blocks.entries()) {
    const end = blocks[index + 1]?.from ?? layer.length;
    for (let at = from; at < end; at += 1) {
      const spot = layer[at];
      if (spot !== undefined) spot.y = sum / count + (offsets[at] ?? 0);
    }
  }
}

function placed(
  layers: readonly (readonly Spot[])[],
  spots: ReadonlyMap<string, Spot>,
  chains: readonly (readonly Spot[])[],
): Layout {
  const all = layers.flat();
  const top = Math.min(0, ...all.map(({ y, height }) => y - height / 2));
  const bottom = Math.max(0, ...all.map(({ y, height }) => y + height / 2));
  const xs: number[] = [];
  const widths: number[] = [];
  let x = MARGIN;
  for (const layer of layers) {
    const width = Math.max(0, ...layer.map((spot) => spot.width));
    xs.push(x + width / 2);
    widths.push(width);
    x += width + LAYER_GAP;
  }
  const pointOf = (spot: Spot): Point => ({ x: xs[spot.rank] ?? 0, y: spot.y - top + MARGIN });
  return {
    width: x - LAYER_GAP + MARGIN,
    height: bottom - top + 2 * MARGIN,
    places: new Map([...spots].map(([id, spot]) => [id, pointOf(spot)])),
    routes: chains.map((chain) =>
      chain.flatMap((spot, at) => {
        const point = pointOf(spot);
        const isLeft = (chain[at + 1]?.rank ?? 0) < spot.rank;
        // What passes a layer goes level beside its boxes.
        const half = ((widths[spot.rank] ?? 0) / 2) * (isLeft ? -1 : 1);
        const { x: middle, y } = point;
        return spot.isBox
          ? [point]
          : [
              { x: middle - half, y },
              { x: middle + half, y },
            ];
      }),
    ),
  };
}
