/**
 * The graph as SVG. What needs a person's yes is told by a broken line and by words, not by colour alone.
 *
 * @module
 */
import { escapeHtml, visibleLine } from "../../base/index.ts";
import type { Graph, GraphEdge, GraphNode } from "./graph.ts";
import { layOut, type Box, type Point } from "./layout.ts";

const BOX_WIDTH = 232;
const LINE_HEIGHT = 15;
const PADDING = 9;
const LINE_CHARS = 31; // Of 11.5 px type in a box.
const BOLD_CHARS = 28;
const START_WIDTH = 92;
const LINES_MAX = 4;
const DOT = 16;

/** `graph` as one svg element; ids of boxes are numbers, so nothing of a name is in an attribute but as text. */
export function renderSvg(graph: Graph): string {
  const lines = new Map(graph.nodes.map((node) => [node.id, linesOf(node)]));
  const boxes = graph.nodes.map((node) =>
    boxOf(node, (lines.get(node.id)?.length ?? 1) + (toldOf(node) === undefined ? 0 : 1)),
  );
  const outcomes = new Set(
    graph.nodes.filter(({ kind }) => kind === "outcome").map(({ id }) => id),
  );
  const { width, height, places, routes } = layOut(graph, boxes, outcomes);
  const numbers = new Map(graph.nodes.map(({ id }, at) => [id, at]));
  const sizes = new Map(boxes.map((box) => [box.id, box]));
  const arrows = graph.edges.map((edge, at) => arrowOf(edge, routes[at] ?? [], { numbers, sizes }));
  const drawn = graph.nodes.map((node) =>
    boxSvg(node, {
      number: numbers.get(node.id) ?? 0,
      at: places.get(node.id) ?? { x: 0, y: 0 },
      size: sizes.get(node.id) ?? { id: "", width: 0, height: 0 },
      lines: lines.get(node.id) ?? [],
    }),
  );
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  return `<svg id="graph" role="group" aria-label="What leads to what" xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}">
<defs><marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z"/></marker></defs>
${arrows.join("\n")}
${drawn.join("\n")}
</svg>`;
}

function boxOf({ id, kind }: GraphNode, lines: number): Box {
  if (kind === "all") return { id, width: DOT, height: DOT };
  const width = kind === "start" ? START_WIDTH : BOX_WIDTH;
  return { id, width, height: lines * LINE_HEIGHT + 2 * PADDING };
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

interface Drawn {
  readonly number: number;
  readonly at: Point;
  readonly size: Box;
  readonly lines: readonly string[];
}

function boxSvg(node: GraphNode, { number, at, size, lines }: Drawn): string {
  const { kind, persons, facts, label } = node;
  const level = persons > 0 ? "yes" : "alone";
  const title = [label, ...facts].map((line) => escapeHtml(visibleLine(line))).join("\n");
  const open = `<g class="node ${kind} ${level}" data-n="${number}" tabindex="0"><title>${title}</title>`;
  if (kind === "all") {
    return `${open}<circle cx="${round(at.x)}" cy="${round(at.y)}" r="${DOT / 2}"/><text class="mark" x="${round(at.x)}" y="${round(at.y + 4)}">&amp;</text></g>`;
  }
  const { width, height } = size;
  const [x, y] = [at.x - width / 2, at.y - height / 2];
  const radius = kind === "start" ? height / 2 : 6;
  const told = toldOf(node);
  const text = [...lines, ...(told === undefined ? [] : [told])].map((line, index) => {
    const level = index === lines.length ? ' class="told"' : "";
    const [tx, ty] = [x + PADDING + 3, y + PADDING + LINE_HEIGHT * index + 11];
    return `<text x="${round(tx)}" y="${round(ty)}"${level}>${escapeHtml(line)}</text>`;
  });
  return `${open}<rect x="${round(x)}" y="${round(y)}" width="${width}" height="${height}" rx="${radius}"/>${text.join("")}</g>`;
}

interface Ends {
  readonly numbers: ReadonlyMap<string, number>;
  readonly sizes: ReadonlyMap<string, Box>;
}

function arrowOf(
  { from, to, persons }: GraphEdge,
  route: readonly Point[],
  { numbers, sizes }: Ends,
): string {
  const first = route[0];
  const last = route.at(-1);
  if (first === undefined || last === undefined) return "";
  const half = (id: string) => (sizes.get(id)?.width ?? 0) / 2;
  const points = [
    { x: first.x + half(from), y: first.y },
    ...route.slice(1, -1),
    { x: last.x - half(to) - 2, y: last.y },
  ];
  const level = persons > 0 ? "yes" : "alone";
  return `<path class="arrow ${level}" data-a="${numbers.get(from) ?? -1}" data-b="${numbers.get(to) ?? -1}" d="${curve(points)}" marker-end="url(#tip)"/>`;
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

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
