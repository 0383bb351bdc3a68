/**
 * What is asked of the field's program, as it is handed over.
 *
 * @module
 */
import { z } from "zod";

export const orderSchema = z.object({
  /** The command line's path; absent for attempts without it alone. */
  cofferdam: z.string().optional(),
  /** Drills, by their folders' names. */
  names: z.array(z.string()),
  /** The user's task file. */
  task: z.string().optional(),
  /** The real agent that was asked for, and the folder with its program. */
  agent: z.string().optional(),
  agentFolder: z.string(),
  /** The model follows nothing that is injected. */
  careful: z.boolean(),
  /** Tell what happens while it happens. */
  live: z.boolean(),
});
export type FieldOrder = z.infer<typeof orderSchema>;
