/**
 * The control contract: every endpoint with what it takes and gives. The daemon serves this table and
 * nothing else; the command line speaks to the daemon only through it.
 *
 * `POST /v1/NAME` with a JSON body answers JSON, or JSON lines where the endpoint streams. A refusal
 * is `{code, message, hint}` with status 400 (409 where the state forbids it, 404 where there is no
 * such run). `attach?run=ID` is an HTTP upgrade to the frames of link/frames.ts, and so is `run`, which
 * starts the run that it shows.
 *
 * @module
 */
import { z } from "zod";
import { EVENT_TYPES, eventSchema, lineageKeySchema } from "../action/index.ts";
import { ANNOUNCE_ENDPOINTS } from "./consoles.ts";
import { APPROVAL_ENDPOINTS } from "./approvals.ts";
import { AUTONOMY_ENDPOINTS } from "./autonomy.ts";
import { CREDENTIAL_ENDPOINTS } from "./credentials.ts";
import type { Endpoint } from "./endpoint.ts";
import { EXEC_ENDPOINTS, stepSchema } from "./execs.ts";
import { LINEAGE_ENDPOINTS, lineageStartSchema } from "./lineages.ts";
import { METRICS_ENDPOINTS } from "./metrics.ts";
import { PASSKEY_ENDPOINTS } from "./passkeys.ts";
import { PROBE_ENDPOINTS } from "./probes.ts";
import { RECORDING_ENDPOINTS } from "./recordings.ts";
import { RETENTION_ENDPOINTS, retentionSchema } from "./retention.ts";
import { SUPPORT_ENDPOINTS } from "./support.ts";
import { SNAPSHOT_ENDPOINTS, snapshotId } from "./snapshots.ts";

const runId = z.string().regex(/^r-[0-9a-z]{1,20}$/);

/** How a run ended. `code` is absent where a signal ended it. */
export const runEndSchema = z.strictObject({
  code: z.number().int().optional(),
  signal: z.string().optional(),
  /** exited | killed | lifetime | sandbox | limit | daemon | finding */
  reason: z.string(),
  detail: z.string().optional(),
});
export type RunEnd = z.infer<typeof runEndSchema>;

export const RUN_STATES = ["starting", "running", "paused", "ended"] as const;

/** What whoever starts a run calls it, on record; nothing is decided by it. */
export const labelsSchema = z
  .record(z.string().regex(/^[\w.-]{1,100}$/), z.string().max(8192))
  .refine((labels) => Object.keys(labels).length <= 32, "at most 32 labels");

/** A run as `ps` shows it. */
export const runInfoSchema = z.strictObject({
  run: runId,
  task: z.string(),
  purpose: z.string(),
  state: z.enum(RUN_STATES),
  command: z.array(z.string()),
  workspace: z.string(),
  workspaceMode: z.enum(["overlay", "read-only"]),
  startedAt: z.string(),
  endedAt: z.string().optional(),
  end: runEndSchema.optional(),
  pauseReason: z.string().optional(),
  /** First and last ledger entry of the run so far. */
  entries: z.strictObject({ first: z.number().int(), last: z.number().int() }),
  counts: z.strictObject({
    flows: z.number().int(),
    actions: z.number().int(),
    denials: z.number().int(),
    findings: z.number().int(),
  }),
  pid: z.number().int().optional(),
  /** Which start of its command this is, where there was more than one. */
  attempt: z.number().int().min(2).optional(),
  /** Digest of the policy of now, where it is not the one that the run started with. */
  policy: z.string().optional(),
  /** Whether its policy was narrowed while it lived, and the names of grants taken back. */
  narrowed: z.boolean().optional(),
  revoked: z.array(z.string()).optional(),
  /** What it is one of: `job:NAME`, `agent:NAME`, `credential:ID`. */
  lineage: z.array(lineageKeySchema).optional(),
  /** The snapshot that it started from, and the run that this is of. */
  from: z.strictObject({ snapshot: snapshotId, run: runId }).optional(),
  /** Ports of this machine that lead into it: `3000`, `3000:8080`. */
  publish: z.array(z.string()).optional(),
  labels: labelsSchema.optional(),
});
export type RunInfo = z.infer<typeof runInfoSchema>;

/** The task file's text and the name that its faults carry; relative paths start at its folder. */
const taskText = z.strictObject({ source: z.string(), fileName: z.string() });

export const runStartSchema = z.strictObject({
  task: taskText,
  profile: z.string().optional(),
  /** None: it holds still until commands come (`run.exec`), and is killed in the end. */
  command: z.array(z.string()),
  /** Absolute; the workspace. */
  cwd: z.string().startsWith("/"),
  /** The caller's PATH, to find CMD and its toolchain with. */
  path: z.string(),
  /** Values of the variables that the task passes in, and of nothing else. */
  environment: z.record(z.string(), z.string()),
  /** What it is one of; without it the agent is the task. */
  lineage: lineageStartSchema.optional(),
  /** The snapshot that its workspace and HOME begin with. */
  from: snapshotId.optional(),
  /** Nobody will attach at once: output is kept to the last of it, not held back. */
  detach: z.boolean(),
  labels: labelsSchema.optional(),
  terminal: z
    .strictObject({
      columns: z.number().int().min(1).max(10_000),
      rows: z.number().int().min(1).max(10_000),
      term: z.string(),
    })
    .optional(),
});
export type RunStart = z.infer<typeof runStartSchema>;

/** The first frame of a `/v1/run` stream: the daemon asks for the environment by name. */
export const runOrderSchema = runStartSchema.omit({ environment: true });
export type RunOrder = z.infer<typeof runOrderSchema>;

const changeSchema = z.strictObject({
  path: z.string(),
  kind: z.string(),
  executes: z.string().optional(),
  detail: z.string().optional(),
});

const remarkSchema = z.strictObject({ path: z.string(), why: z.string() });

/** A task file or budget among the changes: what is possible at worst before and after. */
const radiusSchema = z.strictObject({ path: z.string(), lines: z.array(z.string()) });

/** Commits of one repository of the workspace: the refs that `apply` writes, and what they are in the run. */
const commitsSchema = z.strictObject({
  repository: z.string(),
  refs: z.array(z.strictObject({ name: z.string(), commit: z.string(), was: z.string() })),
  skipped: z.array(remarkSchema),
});

/** A ledger entry as `log --json` prints it: the event with its number. */
export const entrySchema = eventSchema.extend({ seq: z.number().int().nonnegative() });
export type Entry = z.infer<typeof entrySchema>;

const one = z.strictObject({ run: runId });
const nothing = z.strictObject({});

export const ENDPOINTS = {
  "daemon.status": {
    needs: "viewer",
    takes: nothing,
    gives: z.strictObject({
      pid: z.number(),
      version: z.string(),
      home: z.string(),
      startedAt: z.string(),
      runs: z.number().int(),
      /** Sandboxes made ahead that wait for a run. */
      waiting: z.number().int(),
      entries: z.number().int(),
    }),
    streams: false,
  },
  "daemon.stop": {
    needs: "owner",
    takes: z.strictObject({ force: z.boolean() }),
    gives: nothing,
    streams: false,
  },
  "run.start": { needs: "owner", takes: runStartSchema, gives: runInfoSchema, streams: false },
  "run.list": {
    needs: "viewer",
    takes: z.strictObject({ all: z.boolean() }),
    gives: z.array(runInfoSchema),
    streams: false,
  },
  "run.show": { needs: "viewer", takes: one, gives: runInfoSchema, streams: false },
  "run.pause": { needs: "operator", takes: one, gives: runInfoSchema, streams: false },
  "run.resume": { needs: "operator", takes: one, gives: runInfoSchema, streams: false },
  "run.kill": { needs: "operator", takes: one, gives: runInfoSchema, streams: false },
  /** Ends each connection that is open now; the run goes on, and may open others that its task grants. */
  "run.cut": {
    needs: "operator",
    takes: one,
    gives: z.strictObject({ cut: z.int().nonnegative() }),
    streams: false,
  },
  "run.revoke": {
    needs: "operator",
    takes: z.strictObject({ run: runId, grant: z.string() }),
    gives: runInfoSchema,
    streams: false,
  },
  "run.narrow": {
    needs: "operator",
    takes: z.strictObject({ run: runId, task: taskText }),
    gives: runInfoSchema,
    streams: false,
  },
  /** Where a training framework is: every event from now on says so. */
  "run.step": {
    needs: "owner",
    takes: stepSchema.extend({ run: runId }),
    gives: runInfoSchema,
    streams: false,
  },
  "log.read": {
    needs: "viewer",
    takes: z.strictObject({
      run: runId.optional(),
      follow: z.boolean(),
      /** The first entry; 0 where it is not said. */
      from: z.int().nonnegative().optional(),
      /** Only these; all where it is not said. */
      types: z.array(z.enum(EVENT_TYPES)).optional(),
    }),
    gives: entrySchema,
    streams: true,
  },
  "ledger.prove": {
    needs: "viewer",
    takes: z.strictObject({ seq: z.number().int().nonnegative() }),
    gives: z.strictObject({ proof: z.string(), key: z.string() }),
    streams: false,
  },
  /** Entries whose content is gone by retention, and the newest pruning. */
  "ledger.pruned": {
    needs: "viewer",
    takes: nothing,
    gives: retentionSchema.pick({ pruned: true, last: true }),
    streams: false,
  },
  "workspace.diff": {
    needs: "viewer",
    takes: one,
    gives: z.strictObject({
      changes: z.array(changeSchema),
      commits: z.array(commitsSchema),
      radius: z.array(radiusSchema),
      text: z.string(),
      /** Of all that is shown; only where the run stood still meanwhile. */
      digest: z.string().optional(),
    }),
    streams: false,
  },
  "workspace.apply": {
    needs: "operator",
    takes: z.strictObject({
      run: runId,
      /** Paths that other programs execute, named one by one. */
      confirm: z.array(z.string()),
      only: z.array(z.string()).optional(),
      partial: z.boolean(),
      /** What `workspace.diff` said of the changes that are meant; others are refused. */
      digest: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional(),
    }),
    gives: z.strictObject({
      applied: z.array(z.string()),
      held: z.array(remarkSchema),
      conflicts: z.array(remarkSchema),
      refused: z.array(remarkSchema),
      /** Applied, but not in full. */
      notes: z.array(remarkSchema),
      radius: z.array(radiusSchema),
      commits: z.array(commitsSchema),
    }),
    streams: false,
  },
  "workspace.discard": { needs: "operator", takes: one, gives: nothing, streams: false },
  ...EXEC_ENDPOINTS,
  ...LINEAGE_ENDPOINTS,
  ...SNAPSHOT_ENDPOINTS,
  ...CREDENTIAL_ENDPOINTS,
  ...ANNOUNCE_ENDPOINTS,
  ...APPROVAL_ENDPOINTS,
  ...RECORDING_ENDPOINTS,
  ...PASSKEY_ENDPOINTS,
  ...PROBE_ENDPOINTS,
  ...AUTONOMY_ENDPOINTS,
  ...RETENTION_ENDPOINTS,
  ...METRICS_ENDPOINTS,
  ...SUPPORT_ENDPOINTS,
} as const satisfies Readonly<Record<string, Endpoint>>;

export type EndpointName = keyof typeof ENDPOINTS;
export type Takes<Name extends EndpointName> = z.infer<(typeof ENDPOINTS)[Name]["takes"]>;
export type Gives<Name extends EndpointName> = z.infer<(typeof ENDPOINTS)[Name]["gives"]>;

/** A refusal as it crosses the socket. */
export const faultSchema = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
});

/** On the control socket: on whose behalf its owner's process asks. A claim, and taken as one (docs/decisions/0421). */
export const IDENTITY_HEADER = "cofferdam-identity";
