/** MySQL: packets, the beginning of a connection, and answers. */
export * from "./packets.ts";
export * from "./handshake.ts";
export * from "./proof.ts";
export * from "./replies.ts";
