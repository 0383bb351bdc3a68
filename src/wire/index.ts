/** Layer 2, pure: bytes to messages where no library does it: first bytes, TLS ClientHello, mining, WebSocket. */
export * from "./first-bytes.ts";
export * from "./client-hello.ts";
export * from "./stratum.ts";
export * from "./message-watch.ts";
export * from "./websocket.ts";
export * from "./tls-records.ts";
