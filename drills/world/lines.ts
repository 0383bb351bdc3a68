/**
 * What a program inside the test world tells the one outside: JSON, one message a line on its
 * standard output. The lifeline goes the other way: when standard input ends, the world ends.
 *
 * @module
 */
import { z } from "zod";
import type { DrillEvent } from "../live.ts";
import { drillSchema } from "../record.ts";

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

export const messageSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("progress"), text: z.string() }),
  z.object({
    kind: z.literal("fault"),
    code: z.string(),
    message: z.string(),
    hint: z.string().optional(),
  }),
  z.object({ kind: z.literal("result"), drill: drillSchema }),
  /** Made by our own programs; the console checks it against its contract. */
  z.object({ kind: z.literal("live"), event: z.custom<DrillEvent>(isObject) }),
]);
/** Progress for a person, a fault that ends the drill, its result, or what happens in it, for whoever watches. */
export type Message = z.infer<typeof messageSchema>;

/** Longest line taken from a program of ours, in characters; a result is a few tens of KiB. */
const LINE_CHARS_MAX = 1 << 22;

/** A sink for any split of a text stream that calls `onLine` with each whole line. */
export function createLineReader(onLine: (line: string) => void): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    rest += chunk;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      if (line !== "") onLine(line);
    }
    if (rest.length > LINE_CHARS_MAX) rest = "";
  };
}
