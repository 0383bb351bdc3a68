/**
 * HTTP/1.1 messages on the wire (RFC 9112), strict: bytes in, events out; checked parts in, text out.
 *
 * @module
 */
export * from "./head.ts";
export * from "./reader.ts";
export * from "./writer.ts";
