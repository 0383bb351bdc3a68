/** A scripted model: the model APIs that agents use, with a script in place of a model. */
export * from "./dialect.ts";
export * from "./instruction.ts";
export * from "./mind.ts";
export * from "./obedient.ts";
export * from "./server.ts";
