/** Layer 1: the kernel calls that Node lacks, through koffi. Nothing else in the tree loads koffi. */
export * from "./libc.ts";
export * from "./descriptors.ts";
export * from "./sockets.ts";
export * from "./lock.ts";
export * from "./terminal.ts";
