/** Layer 2, pure: the control contract between command line, console and daemon. */
export * from "./endpoints.ts";
export * from "./frames.ts";
export * from "./home.ts";
