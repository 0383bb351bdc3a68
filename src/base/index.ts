/** Layer 0: what every folder may use: faults, assertions, clocks, identifiers, the operating log, careful reads. */
export * from "./fault.ts";
export * from "./clock.ts";
export * from "./html.ts";
export * from "./id.ts";
export * from "./log.ts";
export * from "./own-database.ts";
export * from "./own-folder.ts";
export * from "./quantity.ts";
export * from "./text-file.ts";
export * from "./visible-text.ts";
