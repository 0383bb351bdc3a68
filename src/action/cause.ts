/**
 * Why something was done: the tool call and the training step behind a process, and how that is known.
 *
 * @module
 */
import { z } from "zod";

/**
 * How a tool call was tied to what happened, strongest first. `argv`: the process executes what the call asks for.
 * `lineage`: it descends from such a process. `only`: no other call was open then. `claim`: the agent's side says so
 * (a hook, `traceparent`), and nobody else. `time`: the nearest of several in time.
 */
export const TIED_BY = ["argv", "lineage", "only", "claim", "time"] as const;

/** Where a tool call was read: in the model's own answer, in MCP, or in what the agent's side states. */
export const CALL_SOURCES = ["model", "mcp", "hook", "trace"] as const;

export const causeSchema = z.strictObject({
  call: z
    .strictObject({
      /** The id that the model gave it. */
      id: z.string(),
      /** The tool's name: `Bash`. */
      name: z.string(),
      source: z.enum(CALL_SOURCES),
      by: z.enum(TIED_BY),
      /** 0 to 1: how sure the tie is. */
      confidence: z.number().min(0).max(1),
    })
    .optional(),
  /** The command (`run.exec`) that it descends from: certain, as the launcher started it. */
  exec: z.string().optional(),
  /** Stated by the training framework through the API. */
  step: z
    .strictObject({
      trajectory: z.string(),
      episode: z.string(),
      step: z.int().nonnegative(),
      /**
       * How it is known to be of that step: the command was given with it (`exec`), the tool call was read in it
       * (`call`), the process or the one that it descends from began in it (`process`). Absent: it was stated last.
       */
      by: z.enum(["exec", "call", "process"]).optional(),
    })
    .optional(),
});

/** The tool call and step behind an event; what is not known is absent, never guessed. */
export type Cause = z.infer<typeof causeSchema>;
