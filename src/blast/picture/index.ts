/** Answers to look at: a page with a picture, and the graph for Graphviz. */
export { renderDot } from "./dot.ts";
export { graphOf, NODES_MAX, type Graph, type GraphEdge, type GraphNode } from "./graph.ts";
export { renderPage, type PageContent } from "./page.ts";
