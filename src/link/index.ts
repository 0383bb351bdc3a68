/** Layer 1, pure: where a daemon is and what a terminal and a run say to each other; no parser, quick to load. */
export * from "./frames.ts";
export * from "./home.ts";
