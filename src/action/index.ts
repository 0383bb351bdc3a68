/** Layer 1, pure: the nouns that everything else speaks of: Action, Effect, Verdict, Process, Cause, Event. */
export * from "./action.ts";
export * from "./canonical.ts";
export * from "./cause.ts";
export * from "./event.ts";
export * from "./http-method.ts";
export * from "./lineage.ts";
export * from "./own-system.ts";
export * from "./process.ts";
