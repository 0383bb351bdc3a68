/** The run's only resolver: every name gets an address of the run's own, nothing is asked outside. */
export * from "./name-pool.ts";
export { ODD_KINDS, type Odd, type OddKind } from "./name-watch.ts";
export * from "./resolver.ts";
export * from "./serve.ts";
