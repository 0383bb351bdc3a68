/** Layer 2, pure: bytes to messages where no library does it: first bytes, TLS ClientHello, mining, HTTP/1.1, WebSocket, Redis, MySQL, SFTP, SMTP, APIs of models. */
export * from "./first-bytes.ts";
export * from "./client-hello.ts";
export * from "./stratum.ts";
export * from "./message-watch.ts";
export * from "./websocket.ts";
export * from "./http1/index.ts";
export * from "./tls-records.ts";
export * from "./sftp/index.ts";
export * from "./event-stream.ts";
export * from "./redis/index.ts";
export * from "./smtp/index.ts";
export * from "./mysql/index.ts";
export * from "./model/index.ts";
export * from "./capture/index.ts";
