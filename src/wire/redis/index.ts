/** Redis: commands and replies. */
export * from "./commands.ts";
export * from "./replies.ts";
