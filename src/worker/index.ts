/** Layer 5: the processes in which hostile bytes are parsed, apart from the keys, and their keeper. */
export type { Describe, DescribeContext } from "./describe.ts";
export type { HeldRun, ServedPorts } from "./served.ts";
export { outOf } from "./ways-out.ts";
export { createWorkers, type ServedGateway, type Workers, type WorkersOptions } from "./workers.ts";
