/** A scripted model: the model APIs that agents use, with a script in place of a model. */
export * from "./dialect.ts";
export * from "./server.ts";
