/** Layer 1: the kernel calls that Node lacks, through koffi. Nothing else in the tree loads koffi. */
export * from "./libc.ts";
export * from "./beneath.ts";
export * from "./descriptors.ts";
export * from "./sockets.ts";
export * from "./socket-family.ts";
export * from "./reset.ts";
export * from "./lock.ts";
export * from "./terminal.ts";
export * from "./call-number.ts";
export * from "./notify.ts";
export * from "./process-memory.ts";
export * from "./pidfd.ts";
export * from "./poll.ts";
export * from "./sock-diag.ts";
export * from "./proc-events.ts";
export * from "./process-handle.ts";
export * from "./landlock.ts";
