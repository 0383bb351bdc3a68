/** Layer 0: what every folder may use: faults, assertions, clocks, identifiers, the operating log. */
export * from "./fault.ts";
export * from "./clock.ts";
export * from "./id.ts";
export * from "./log.ts";
