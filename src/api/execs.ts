/**
 * The control contract's part on commands and files of runs that live: what a trainer, or a person, does in them.
 *
 * @module
 */
import { z } from "zod";

const run = z.string().regex(/^r-[0-9a-z]{1,20}$/);
const execId = z.string().regex(/^x-[0-9a-z]{1,20}$/);
const name = z.string().min(1).max(200);
/** What has a UTF-8 form: a lone surrogate would reach the run as another character, and name another file. */
const isText = (said: string) => said.isWellFormed();
const text = z.string().refine(isText, "it has half of a surrogate pair");
const absolute = z
  .string()
  .startsWith("/")
  .max(4096)
  .refine(isText, "it has half of a surrogate pair");
const size = z.int().min(1).max(10_000);

/** Where a training framework is (the `step` of every event that follows from it). */
export const stepSchema = z.strictObject({
  trajectory: name,
  episode: name,
  step: z.int().nonnegative(),
});
export type Step = z.infer<typeof stepSchema>;

export const EXEC_SIGNALS = [
  ...["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGKILL"],
  ...["SIGUSR1", "SIGUSR2", "SIGSTOP", "SIGCONT"],
] as const;

export const execStartSchema = z.strictObject({
  run,
  /** The command and its arguments; the command is looked up on the run's PATH. */
  argv: z.array(text).min(1).max(4096),
  /** Absolute, inside the run; its workspace where it is not said. */
  cwd: absolute.optional(),
  /** Over the run's own environment. */
  environment: z.record(z.string().regex(/^[^=\0]{1,200}$/), text).optional(),
  /** All of its input. */
  stdin: z.base64().optional(),
  /** More input comes by `exec.input`. */
  interactive: z.boolean().optional(),
  terminal: z.strictObject({ columns: size, rows: size, term: name.optional() }).optional(),
  step: stepSchema.optional(),
  /** What the caller calls it, on record. */
  label: name.optional(),
  timeoutMs: z.int().min(1).max(86_400_000).optional(),
});
export type ExecStart = z.infer<typeof execStartSchema>;

/**
 * Why a command is over. `exited`: it ended itself, or by a signal; `cancelled`: its caller went, or said so; `timeout`;
 * `not-started`: it was not found, or could not be; `run`: its run ended.
 */
export const EXEC_REASONS = ["exited", "cancelled", "timeout", "not-started", "run"] as const;

export const execLineSchema = z.discriminatedUnion("type", [
  /** `entry` is its number on the record, where it stands before it begins. */
  z.strictObject({ type: z.literal("started"), exec: execId, entry: z.int().nonnegative() }),
  z.strictObject({ type: z.literal("stdout"), data: z.base64() }),
  z.strictObject({ type: z.literal("stderr"), data: z.base64() }),
  z.strictObject({
    type: z.literal("ended"),
    code: z.int().optional(),
    signal: z.string().optional(),
    reason: z.enum(EXEC_REASONS),
    detail: z.string().optional(),
  }),
]);
export type ExecLine = z.infer<typeof execLineSchema>;

export const execInfoSchema = z.strictObject({
  exec: execId,
  argv: z.array(z.string()),
  label: z.string().optional(),
  step: stepSchema.optional(),
  startedAt: z.string(),
});
export type ExecInfo = z.infer<typeof execInfoSchema>;

const FILE_KINDS = ["file", "folder", "link", "other"] as const;

/** A file of a run, as the run itself sees it. */
export const fileInfoSchema = z.strictObject({
  /** Relative to the folder that was asked for; of `file.stat` the path itself. */
  path: z.string(),
  kind: z.enum(FILE_KINDS),
  bytes: z.number(),
  /** Permission bits, octal: `644`. */
  mode: z.string(),
  /** RFC 3339. */
  modifiedAt: z.string(),
  /** What a link says. */
  leadsTo: z.string().optional(),
});
export type FileInfo = z.infer<typeof fileInfoSchema>;

const nothing = z.strictObject({});
const file = z.strictObject({ run, path: absolute, step: stepSchema.optional() });
const one = z.strictObject({ run, exec: execId });

export const EXEC_ENDPOINTS = {
  /** Starts a command and gives its output; whoever stops listening cancels it. */
  "run.exec": { needs: "owner", takes: execStartSchema, gives: execLineSchema, streams: true },
  "exec.list": {
    needs: "viewer",
    takes: z.strictObject({ run }),
    gives: z.array(execInfoSchema),
    streams: false,
  },
  "exec.input": {
    needs: "owner",
    takes: one.extend({ data: z.base64().optional(), end: z.boolean().optional() }),
    gives: nothing,
    streams: false,
  },
  "exec.signal": {
    needs: "owner",
    takes: one.extend({ signal: z.enum(EXEC_SIGNALS) }),
    gives: nothing,
    streams: false,
  },
  "exec.resize": {
    needs: "owner",
    takes: one.extend({ columns: size, rows: size }),
    gives: nothing,
    streams: false,
  },
  /** Ends it and all that it started. */
  "exec.cancel": { needs: "owner", takes: one, gives: nothing, streams: false },
  "file.stat": { needs: "owner", takes: file, gives: fileInfoSchema, streams: false },
  "file.list": {
    needs: "owner",
    takes: file.extend({ depth: z.int().min(1).max(64).optional() }),
    gives: z.array(fileInfoSchema),
    streams: false,
  },
  "file.folder": { needs: "owner", takes: file, gives: nothing, streams: false },
  "file.remove": { needs: "owner", takes: file, gives: nothing, streams: false },
  "file.move": {
    needs: "owner",
    takes: file.extend({ to: absolute }),
    gives: nothing,
    streams: false,
  },
} as const;

/**
 * What moves bytes and not JSON, of any length in constant memory. `file.read` takes JSON and answers
 * `application/octet-stream`; of `file.write` the body is the content, and the JSON stands in the query as `request`.
 */
export const TRANSFERS = {
  "file.read": { needs: "owner", takes: file },
  "file.write": {
    needs: "owner",
    takes: file.extend({
      mode: z
        .string()
        .regex(/^[0-7]{3,4}$/)
        .optional(),
    }),
  },
} as const;
export type FileRead = z.infer<(typeof TRANSFERS)["file.read"]["takes"]>;
export type FileWrite = z.infer<(typeof TRANSFERS)["file.write"]["takes"]>;
