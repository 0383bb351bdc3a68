/**
 * The graph for Graphviz.
 *
 * @module
 */
import { visibleLine } from "../../base/index.ts";
import type { Graph, GraphNode } from "./graph.ts";

const SHAPES = { start: "oval", step: "box", all: "circle", outcome: "box" } as const;

/** `graph` in the DOT language. Names are numbers, labels are quoted. */
export function renderDot({ nodes, edges }: Graph): string {
  const numbers = new Map(nodes.map(({ id }, at) => [id, `n${at}`]));
  return [
    "digraph blast {",
    '  rankdir=LR; node [fontname="sans-serif", fontsize=10]; edge [fontname="sans-serif", fontsize=9];',
    ...nodes.map((node) => `  ${numbers.get(node.id)} [${attributesOf(node)}];`),
    ...edges.map(({ from, to, persons }) => {
      const yes = persons > 0 ? ' [style=dashed, label="needs a yes"]' : "";
      return `  ${numbers.get(from)} -> ${numbers.get(to)}${yes};`;
    }),
    "}",
    "",
  ].join("\n");
}

function attributesOf({ kind, label, persons, isAssumed }: GraphNode): string {
  const text = kind === "all" ? "&" : `${label}${isAssumed ? " (assumed)" : ""}`;
  const styles = [
    ...(kind === "outcome" ? ["bold"] : []),
    ...(persons > 0 ? ["dashed"] : []),
    ...(kind === "step" ? ["rounded"] : []),
  ];
  return [
    `shape=${SHAPES[kind]}`,
    `style=${quoted(styles.join(","))}`,
    `label=${quoted(text)}`,
  ].join(", ");
}

/** In DOT only the quote is escaped; a backslash begins an escape of labels. */
function quoted(text: string): string {
  return `"${visibleLine(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
