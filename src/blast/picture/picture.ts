/**
 * A graph with everything in its place: what is drawn, whoever draws it.
 *
 * @module
 */
import { visibleLine } from "../../base/index.ts";
import type { Graph, GraphEdge, GraphNode } from "./graph.ts";
import { layOut, type Box, type Point } from "./layout.ts";

const BOX_WIDTH = 232;
export const LINE_HEIGHT = 15;
export const PADDING = 9;
const LINE_CHARS = 31; // Of 11.5 px type in a box.
const BOLD_CHARS = 28;
const START_WIDTH = 92;
const LINES_MAX = 4;
const DOT = 16;

/** A box: `x` and `y` are of its middle; pixels. */
export interface PlacedNode extends GraphNode {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** The label in lines, visible. */
  readonly lines: readonly string[];
  /** What the box would else say by its colour alone. */
  readonly told?: string;
}

export interface PlacedEdge extends GraphEdge {
  /** Of an SVG path, level at each end. */
  readonly curve: string;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

/** Lays `graph` out. */
export function pictureOf(graph: Graph): Picture {
  const nodes = graph.nodes.map(sized);
  const outcomes = new Set(nodes.filter(({ kind }) => kind === "outcome").map(({ id }) => id));
  const { width, height, places, routes } = layOut(graph, nodes, outcomes);
  const sizes = new Map(nodes.map((node) => [node.id, node]));
  return {
    width: Math.ceil(width),
    height: Math.ceil(height),
    nodes: nodes.map((node) => ({ ...node, ...rounded(places.get(node.id) ?? { x: 0, y: 0 }) })),
    edges: graph.edges.map((edge, at) => ({
      ...edge,
      curve: curveOf(edge, routes[at] ?? [], sizes),
    })),
  };
}

type Sized = Omit<PlacedNode, "x" | "y">;

function sized(node: GraphNode): Sized {
  const lines = linesOf(node);
  const told = toldOf(node);
  const count = lines.length + (told === undefined ? 0 : 1);
  return {
    ...node,
    ...sizeOf(node, Math.max(count, 1)),
    lines,
    ...(told === undefined ? {} : { told }),
  };
}

function sizeOf({ kind }: GraphNode, lines: number): Pick<Box, "width" | "height"> {
  if (kind === "all") return { width: DOT, height: DOT };
  const width = kind === "start" ? START_WIDTH : BOX_WIDTH;
  return { width, height: lines * LINE_HEIGHT + 2 * PADDING };
}

/** The label in lines. */
function linesOf({ kind, label }: GraphNode): readonly string[] {
  if (kind === "all") return [];
  return wrapped(visibleLine(label), kind === "step" ? LINE_CHARS : BOLD_CHARS);
}

/** What the box would else say by its colour alone. */
function toldOf({ kind, persons, isAssumed }: GraphNode): string | undefined {
  if (kind !== "step") return undefined;
  const told = [...(persons > 0 ? ["needs a yes"] : []), ...(isAssumed ? ["assumed"] : [])];
  return told.length === 0 ? undefined : told.join(", ");
}

function wrapped(text: string, chars: number): readonly string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > chars && lines.length < LINES_MAX - 1) {
    const space = rest.lastIndexOf(" ", chars);
    const end = space > chars / 2 ? space : chars;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest.length > chars ? `${rest.slice(0, chars - 1)}…` : rest];
}

function curveOf(
  { from, to }: GraphEdge,
  route: readonly Point[],
  sizes: ReadonlyMap<string, Sized>,
): string {
  const first = route[0];
  const last = route.at(-1);
  if (first === undefined || last === undefined) return "";
  const half = (id: string) => (sizes.get(id)?.width ?? 0) / 2;
  return curve([
    { x: first.x + half(from), y: first.y },
    ...route.slice(1, -1),
    { x: last.x - half(to) - 2, y: last.y },
  ]);
}

/** Level at each point, so that bends are soft. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  let before = first;
  const parts = [`M${round(first.x)} ${round(first.y)}`];
  for (const point of rest) {
    const middle = round((before.x + point.x) / 2);
    parts.push(
      `C${middle} ${round(before.y)} ${middle} ${round(point.y)} ${round(point.x)} ${round(point.y)}`,
    );
    before = point;
  }
  return parts.join("");
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function rounded({ x, y }: Point): Point {
  return { x: round(x), y: round(y) };
}
