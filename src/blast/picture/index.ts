/** Answers to look at: a page with a picture, and the graph for Graphviz. */
export { renderDot } from "./dot.ts";
export {
  drawnGraph,
  graphOf,
  NODES_MAX,
  type DrawnGraph,
  type Graph,
  type GraphEdge,
  type GraphNode,
} from "./graph.ts";
export { pictureOf, type Picture, type PlacedEdge, type PlacedNode } from "./picture.ts";
export { renderPage, type PageContent } from "./page.ts";
