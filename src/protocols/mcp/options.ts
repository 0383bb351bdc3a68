/**
 * What a grant of `system: mcp` says under `with:`.
 *
 * @module
 */
import { z } from "zod";
import type { Json } from "../../action/index.ts";
import { digestSchema, pinSchema, type Pin } from "./pin.ts";

const RESULT_BYTES_MAX = 8 << 20;
const RESULT_BYTES = 1 << 20; // What a model reads is much less.

/** A server that speaks over its standard input and output, in a cofferdam of its own. */
const serverSchema = z.strictObject({
  /** Program and arguments, as one would type them. */
  command: z.array(z.string().min(1).max(4096)).min(1).max(100),
  /** Task file of its run, relative to this one: what it may reach, its credential, its limits. None: nothing. */
  task: z.string().min(1).max(4096).optional(),
  /** Folder that it works in, relative to the task file; the agent's workspace by default. */
  folder: z.string().min(1).max(4096).optional(),
});

export const optionsSchema = z.strictObject({
  /** The one path of the server's endpoint. */
  path: z
    .string()
    .regex(/^\/[!"$-~]{0,500}$/, "is a path: /mcp")
    .default("/mcp"),
  /** File of the pin, relative to the task file; or its digest. What a daemon has read stands here itself. */
  pin: z.union([digestSchema, z.string().min(1).max(4096), pinSchema]).optional(),
  server: serverSchema.optional(),
  /** Longest result that the agent is given whole, in bytes. */
  result_bytes: z.int().min(1024).max(RESULT_BYTES_MAX).default(RESULT_BYTES),
});

export type Options = z.output<typeof optionsSchema>;
export type ServerOptions = NonNullable<Options["server"]>;

/** The options of a grant, which were checked when its task file was read. */
export function readOptions(options: Json): Options {
  return optionsSchema.parse(options);
}

/** The pin itself, where the file was read; `undefined` where there is none, or only its digest. */
export function pinOf({ pin }: Options): Pin | undefined {
  return typeof pin === "object" ? pin : undefined;
}

/** Whether the pin is a digest of all that is listed. */
export function isDigest(pin: Options["pin"]): pin is string {
  return digestSchema.safeParse(pin).success;
}
