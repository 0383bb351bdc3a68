/** A test world: hosts in network namespaces of their own that end with the drill. */
export * from "./certificate.ts";
export * from "./hold.ts";
export * from "./host.ts";
export * from "./inside.ts";
export * from "./lines.ts";
export * from "./program.ts";
export * from "./tools.ts";
export * from "./postgres.ts";
export * from "./git-server.ts";
export * from "./mail-sink.ts";
