/**
 * The console's part of the contract on task files. Only files of the home's `tasks/` are written; what runs were started
 * with and what ships is read (docs/decisions/0405).
 *
 * @module
 */
import { z } from "zod";
import { placeSchema, sourceSchema, TASK_FILE_NAME } from "./place.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const position = z.int().min(1).max(100_000);

const problemSchema = z.strictObject({
  line: z.number().int(),
  column: z.number().int(),
  message: z.string(),
  hint: z.string(),
});
export type TaskProblem = z.infer<typeof problemSchema>;

const listedSchema = z.strictObject({
  place: placeSchema,
  kind: z.enum(["own", "profile", "run"]),
  /** Its file, for people. */
  file: z.string(),
  /** What it says that it is; absent where it cannot be read as a task. */
  task: z.string().optional(),
  purpose: z.string().optional(),
  grants: z.number().int(),
  /** Runs of a task of this name that are on record. */
  runs: z.number().int(),
  /** When it was written, or first used. */
  at: z.string().optional(),
});
export type ListedTask = z.infer<typeof listedSchema>;

const textSchema = z.strictObject({
  place: placeSchema,
  file: z.string(),
  source: z.string(),
  /** SHA-256 of the text: what a save must name. */
  digest,
  isEditable: z.boolean(),
});
export type TaskText = z.infer<typeof textSchema>;

const partSchema = z.strictObject({
  about: z.string(),
  sentences: z.array(z.string()),
  /** Where the file says so. */
  line: z.number().int().optional(),
  /** Of a grant: verbs that pass, wait, and are refused. */
  verdicts: z
    .strictObject({
      system: z.string(),
      allows: z.array(z.string()),
      waits: z.array(z.string()),
      denies: z.array(z.string()),
      isUninspected: z.boolean(),
    })
    .optional(),
});
export type TaskPart = z.infer<typeof partSchema>;

export const TASK_ENDPOINTS = {
  /** Task files that there are, and how many runs each had. */
  "task.list": {
    needs: "viewer",
    takes: z.strictObject({}),
    gives: z.strictObject({ folder: z.string(), tasks: z.array(listedSchema) }),
    streams: false,
  },
  "task.read": {
    needs: "viewer",
    takes: z.strictObject({ place: placeSchema }),
    gives: textSchema,
    streams: false,
  },
  /** Writes a file of `tasks/` at once: where it still is the text of `base`; without `base`, where there is none. */
  "task.save": {
    needs: "operator",
    takes: z.strictObject({
      name: z.string().max(200).regex(TASK_FILE_NAME),
      source: sourceSchema,
      base: digest.optional(),
    }),
    gives: textSchema,
    streams: false,
  },
  /** Everything wrong with a text; where nothing is, what it means. */
  "task.check": {
    needs: "viewer",
    takes: z.strictObject({ place: placeSchema, source: sourceSchema }),
    gives: z.strictObject({
      task: z.string().optional(),
      problems: z.array(problemSchema),
      parts: z.array(partSchema),
    }),
    streams: false,
  },
  /** What the key at a place is for, and what may stand there. */
  "task.help": {
    needs: "viewer",
    takes: z.strictObject({ source: sourceSchema, line: position, column: position }),
    gives: z.strictObject({
      path: z.string(),
      isKey: z.boolean(),
      word: z.string(),
      says: z.string(),
      options: z.array(z.strictObject({ label: z.string(), detail: z.string(), says: z.string() })),
    }),
    streams: false,
  },
  /** Texts that runs of a task were started with, the latest first. */
  "task.history": {
    needs: "viewer",
    takes: z.strictObject({ task: z.string().min(1).max(200) }),
    gives: z.strictObject({
      versions: z.array(
        z.strictObject({
          place: placeSchema,
          digest,
          file: z.string(),
          /** RFC 3339: of the first run with it. */
          at: z.string(),
          runs: z.array(z.string()),
        }),
      ),
    }),
    streams: false,
  },
} as const;
