/**
 * Blast radii for the daemon, each in a thread of its own: what fifty thousand facts lead to takes a second of JavaScript,
 * in which the gateway and the control socket shall go on, and more memory than the daemon should have to give.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Home } from "../api/index.ts";
import { Fault } from "../base/index.ts";
import type { LeaveAsked } from "../blast/index.ts";
import type { Task } from "../policy/index.ts";
import { budgetTexts, signatureOf, type BudgetText } from "../probe/index.ts";
import type { World } from "./world.ts";

/** What a thread is asked: which limits are broken; what leave would let through; how bad it is now. */
export type BlastJob = {
  readonly home: Pick<Home, "rules" | "facts" | "catalog">;
  readonly task: Task;
} & (
  | { readonly kind: "budget"; readonly budgets: readonly BudgetText[] }
  | { readonly kind: "leave"; readonly leave: LeaveAsked }
  | { readonly kind: "now" }
);

/** How a thread ends: lines for people, or with a fault, whose class does not cross. */
export type BlastReport =
  | { readonly lines: readonly string[] }
  | { readonly fault: { readonly code: string; readonly message: string; readonly hint?: string } }
  | { readonly bug: string };

/** Heap of one thread, in MiB. */
const HEAP_MIB = 1024;
const ANSWER_MS_MAX = 60_000;
const ANSWERS_KEPT_MAX = 64; // A rollout starts hundreds of runs from one task.
const extension = extname(import.meta.url);
const answers = new Map<string, Promise<readonly string[]>>();

/**
 * Refuses `task` where it is over a budget that lies beside its file or in the home (INV-177). Where there is none this
 * is two looks for a file.
 *
 * @throws {Fault} `daemon.budget` where it is; as the thread does where that cannot be told.
 */
export async function requireBudget(world: World, task: Task, fileName: string): Promise<void> {
  const budgets = budgetTexts(fileName, world.home.root);
  if (budgets.length === 0) return;
  const broken = await doBlastJob({ kind: "budget", home: homeOf(world), task, budgets });
  if (broken.length === 0) return;
  throw new Fault("daemon.budget", `the task is not started: ${broken.join("\n")}`, {
    hint: "`cofferdam blast` shows what would make it smaller; `cofferdam probe` asks what is only assumed",
  });
}

/** What leave for more of the same would make possible at worst, a line for each outcome that it changes. */
export function leaveLines(
  world: World,
  task: Task,
  leave: LeaveAsked,
): Promise<readonly string[]> {
  return doBlastJob({ kind: "leave", home: homeOf(world), task, leave });
}

/** How bad `task` could get, in a sentence. */
export function worstNow(world: World, task: Task): Promise<readonly string[]> {
  return doBlastJob({ kind: "now", home: homeOf(world), task });
}

function homeOf({ home: { rules, facts, catalog } }: World): BlastJob["home"] {
  return { rules, facts, catalog };
}

/**
 * Does `job`, or gives what it came to before, where nothing that it rests on changed.
 *
 * @throws {Fault} of the work itself; `daemon.blast_thread` where the thread died, or took too long
 */
export async function doBlastJob(
  job: BlastJob,
  program: URL = new URL(`./blast-thread${extension}`, import.meta.url),
): Promise<readonly string[]> {
  const { rules, facts, catalog } = job.home;
  const said = [JSON.stringify(job), signatureOf([rules, facts, catalog]), program.href].join("\n");
  const key = createHash("sha256").update(said).digest("hex");
  const known = answers.get(key);
  if (known !== undefined) return known;
  const answer = inThread(job, program);
  answers.set(key, answer);
  answer.catch(() => answers.delete(key));
  for (const oldest of answers.keys()) {
    if (answers.size <= ANSWERS_KEPT_MAX) break;
    answers.delete(oldest);
  }
  return answer;
}

async function inThread(job: BlastJob, program: URL): Promise<readonly string[]> {
  const worker = new Worker(program, {
    workerData: job,
    trackUnmanagedFds: false, // Descriptors are opened and closed by calls that Node does not see.
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  });
  const late = setTimeout(() => void worker.terminate(), ANSWER_MS_MAX);
  try {
    const report = await new Promise<BlastReport>((resolve, reject) => {
      const died = (cause?: unknown) =>
        reject(
          new Fault("daemon.blast_thread", "how bad it could get could not be worked out", {
            hint: "state fewer facts, or ask fewer systems; `cofferdam blast` shows what there is",
            cause,
          }),
        );
      worker.once("message", resolve);
      worker.once("error", died);
      worker.once("exit", () => died());
    });
    if ("lines" in report) return report.lines;
    if ("bug" in report) throw new Error(report.bug);
    const { code, message, hint } = report.fault;
    throw new Fault(code, message, hint === undefined ? {} : { hint });
  } finally {
    clearTimeout(late);
  }
}
