/** Layer 2, pure: what misuse looks like in the stream of events and in flows, and what it is called elsewhere. */
export * from "./detector.ts";
export * from "./detection.ts";
export * from "./detectors.ts";
export * from "./quiet.ts";
export { CANARY } from "./exfiltration.ts";
export { MODEL_SYSTEMS } from "./found.ts";
export { LeavingWatch, type Carried, type Leaving, type Seen } from "./leaving.ts";
export * from "./flow/index.ts";
