/**
 * What the record says of one run so far: plain data, so that it stands in the index and crosses to another thread.
 *
 * @module
 */
import { z } from "zod";
import { runEndSchema, STRIP_EFFECTS } from "../../api/index.ts";

const count = z.number().nonnegative();
const since = z.object({ seq: count, at: z.string(), text: z.string() });
const traffic = z.object({ out: count, in: count });

export const factsSchema = z.object({
  run: z.string(),
  task: z.string(),
  purpose: z.string(),
  command: z.array(z.string()),
  profile: z.string().optional(),
  workspace: z.string(),
  startedAt: z.string(),
  lifetimeMs: z.number().optional(),
  limits: z.object({
    cpus: z.number().optional(),
    memoryBytes: z.number().optional(),
    pids: z.number().optional(),
    diskBytes: z.number().optional(),
    gpus: z.number().optional(),
  }),
  grants: z.array(z.string()),
  leave: z.object({ rules: count, actions: count, taken: z.string().optional() }),
  state: z.enum(["starting", "running", "paused", "ended"]),
  paused: since.optional(),
  ended: since.extend({ end: runEndSchema }).optional(),
  attempt: z.number().optional(),
  last: z.object({ seq: count, at: z.string() }),
  counts: z.object({
    actions: count,
    allow: count,
    confirm: count,
    deny: count,
    findings: count,
    flows: count,
  }),
  used: z.object({
    tokens: count,
    cpuSeconds: count,
    cpuNow: count,
    memory: count,
    disk: count,
    pids: count,
    gpu: count,
  }),
  /** Bytes of connections that ended, and of exchanges on those that are open, by flow. */
  closed: traffic,
  open: z.record(z.string(), traffic),
  /** Money that actions move which have no outcome yet, by their id, and what was moved, by currency. */
  due: z.record(z.string(), z.object({ currency: z.string(), value: count })),
  spent: z.record(z.string(), count),
  finding: since.extend({ kind: z.string() }).optional(),
  /** Approvals that wait, by their id. */
  waiting: z.record(z.string(), since),
  /** By the second (since the epoch): what kind (place in STRIP_EFFECTS × 3 + place in VERDICTS), and how many. */
  strip: z.array(z.tuple([z.number(), z.number(), z.number()])),
});
export type RunFacts = z.infer<typeof factsSchema>;

/** The place of what is refused below the level of an action. */
export const CONNECT = STRIP_EFFECTS.length - 1;

/** What is known of a run before its first entry. */
export function factsOf(run: string, at: string): RunFacts {
  return {
    run,
    task: "",
    purpose: "",
    command: [],
    workspace: "",
    startedAt: at,
    limits: {},
    grants: [],
    leave: { rules: 0, actions: 0 },
    state: "starting",
    last: { seq: 0, at },
    counts: { actions: 0, allow: 0, confirm: 0, deny: 0, findings: 0, flows: 0 },
    used: { tokens: 0, cpuSeconds: 0, cpuNow: 0, memory: 0, disk: 0, pids: 0, gpu: 0 },
    closed: { out: 0, in: 0 },
    open: {},
    due: {},
    spent: {},
    waiting: {},
    strip: [],
  };
}
