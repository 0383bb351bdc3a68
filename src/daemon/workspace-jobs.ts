/**
 * Work on a run's workspace, each piece in a thread of its own: a walk over 100,000 files takes seconds
 * of JavaScript, in which the other runs' gateway and the control socket shall go on. A thread has a heap
 * of its own too, so a workspace that is too much for it ends that piece of work and nothing else.
 *
 * The answer comes as the bytes that the caller is sent: to copy 100,000 objects into the daemon's heap
 * and turn them into text there would stall it after all.
 *
 * @module
 */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Takes } from "../api/index.ts";
import { Fault } from "../base/index.ts";
import type { KnownAt } from "./blast-changes.ts";
import type { LayerOptions } from "../workspace/index.ts";

/** What a thread is asked for; `layer` is the layer's folder. */
export type WorkspaceJob =
  | ({
      readonly kind: "diff";
      readonly run: string;
      readonly layer: string;
      /** Nothing of the run can write meanwhile: what is shown is what can be applied. */
      readonly frozen: boolean;
    } & Judged)
  | ({ readonly kind: "apply"; readonly layer: string; readonly frozen: boolean } & Judged &
      ApplyTakes)
  | { readonly kind: "discard"; readonly layer: string }
  | { readonly kind: "copy"; readonly layer: string; readonly host: string; readonly ids: RunIds };
/** By what task files among the changes are judged. */
interface Judged {
  readonly known: KnownAt;
  readonly nowMs: number;
}
/** Who the run is on the host, where that is not the daemon's own user. */
export type RunIds = Pick<LayerOptions, "run">;
type ApplyTakes = Takes<"workspace.apply">;

/** What a thread answers: the body of the answer, and what goes on record. */
export interface JobDone {
  readonly body: Uint8Array;
  readonly noted: Readonly<Record<string, number | string | string[]>>;
}

/** How a thread ends: done, or with a fault, whose class does not cross. */
export type JobReport =
  | { readonly done: JobDone }
  | { readonly fault: { readonly code: string; readonly message: string; readonly hint?: string } }
  | { readonly bug: string };

/** Most pieces of work at once; the others wait. */
export const JOBS_MAX = 4;
/** Heap of one thread, in MiB: 500,000 changes take about 1,500. */
const HEAP_MIB = 3072;
const extension = extname(import.meta.url);

const waiting: (() => void)[] = [];
let running = 0;

/**
 * Does `job` in a thread.
 *
 * @throws {Fault} those of the work itself; `daemon.workspace_thread` where the thread died.
 */
export async function doJob(
  job: WorkspaceJob,
  program: URL = new URL(`./workspace-thread${extension}`, import.meta.url),
  { heapMiB }: { readonly heapMiB: number } = { heapMiB: HEAP_MIB },
): Promise<JobDone> {
  if (running < JOBS_MAX) running += 1;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await inThread(job, program, heapMiB);
  } finally {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next(); // It takes this one's place.
  }
}

async function inThread(job: WorkspaceJob, program: URL, heapMiB: number): Promise<JobDone> {
  const worker = new Worker(program, {
    workerData: job,
    trackUnmanagedFds: false, // Descriptors are opened and closed by calls that Node does not see.
    resourceLimits: { maxOldGenerationSizeMb: heapMiB },
  });
  const report = await new Promise<JobReport>((resolve, reject) => {
    const died = (cause?: unknown) =>
      reject(
        new Fault("daemon.workspace_thread", "the work on the workspace broke off", {
          hint: "the workspace may hold too much; try parts of it with --only, or discard it",
          cause,
        }),
      );
    worker.once("message", resolve);
    worker.once("error", died);
    worker.once("exit", () => died());
  });
  if ("done" in report) return report.done;
  if ("bug" in report) throw new Error(report.bug);
  const { code, message, hint } = report.fault;
  throw new Fault(code, message, hint === undefined ? {} : { hint });
}
