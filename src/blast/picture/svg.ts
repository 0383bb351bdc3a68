/**
 * The graph as SVG. What needs a person's yes is told by a broken line and by words, not by colour alone.
 *
 * @module
 */
import { escapeHtml, visibleLine } from "../../base/index.ts";
import type { Graph } from "./graph.ts";
import {
  LINE_HEIGHT,
  PADDING,
  pictureOf,
  round,
  type PlacedEdge,
  type PlacedNode,
} from "./picture.ts";

/** `graph` as one svg element; ids of boxes are numbers, so nothing of a name is in an attribute but as text. */
export function renderSvg(graph: Graph): string {
  const { width: w, height: h, nodes, edges } = pictureOf(graph);
  const numbers = new Map(nodes.map(({ id }, at) => [id, at]));
  const arrows = edges.map((edge) => arrowOf(edge, numbers));
  const drawn = nodes.map((node) => boxSvg(node, numbers.get(node.id) ?? 0));
  return `<svg id="graph" role="group" aria-label="What leads to what" xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}">
<defs><marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z"/></marker></defs>
${arrows.join("\n")}
${drawn.join("\n")}
</svg>`;
}

function boxSvg(node: PlacedNode, number: number): string {
  const { kind, persons, facts, label, lines, told, width, height } = node;
  const level = persons > 0 ? "yes" : "alone";
  const title = [label, ...facts].map((line) => escapeHtml(visibleLine(line))).join("\n");
  const open = `<g class="node ${kind} ${level}" data-n="${number}" tabindex="0"><title>${title}</title>`;
  if (kind === "all") {
    return `${open}<circle cx="${node.x}" cy="${node.y}" r="${width / 2}"/><text class="mark" x="${node.x}" y="${round(node.y + 4)}">&amp;</text></g>`;
  }
  const [x, y] = [node.x - width / 2, node.y - height / 2];
  const radius = kind === "start" ? height / 2 : 6;
  const text = [...lines, ...(told === undefined ? [] : [told])].map((line, index) => {
    const level = index === lines.length ? ' class="told"' : "";
    const [tx, ty] = [x + PADDING + 3, y + PADDING + LINE_HEIGHT * index + 11];
    return `<text x="${round(tx)}" y="${round(ty)}"${level}>${escapeHtml(line)}</text>`;
  });
  return `${open}<rect x="${round(x)}" y="${round(y)}" width="${width}" height="${height}" rx="${radius}"/>${text.join("")}</g>`;
}

function arrowOf(
  { from, to, persons, curve }: PlacedEdge,
  numbers: ReadonlyMap<string, number>,
): string {
  if (curve === "") return "";
  const level = persons > 0 ? "yes" : "alone";
  return `<path class="arrow ${level}" data-a="${numbers.get(from) ?? -1}" data-b="${numbers.get(to) ?? -1}" d="${curve}" marker-end="url(#tip)"/>`;
}
