/**
 * The thread that works out one blast radius; see blast-jobs.ts.
 *
 * @module
 */
import { parentPort, workerData } from "node:worker_threads";
import { describeError, isFault } from "../base/index.ts";
import {
  answerOf,
  differenceOf,
  excessesOf,
  factsOfTask,
  factsWithLeave,
  loadVerbs,
  parseBudget,
  printChanges,
  printExcess,
  solve,
  solveTask,
} from "../blast/index.ts";
import { findEntry } from "../catalog/index.ts";
import { readFacts, readRules } from "../probe/index.ts";
import { OwnSystems } from "../systems/index.ts";
import type { BlastJob, BlastReport } from "./blast-jobs.ts";

async function linesOf(job: BlastJob): Promise<readonly string[]> {
  const { home, task } = job;
  const program = readRules(home.rules);
  const known = readFacts(home.facts, program);
  const own = new OwnSystems(home.catalog).read();
  const verbsOf = await loadVerbs(task, (kind) => findEntry(kind) ?? own.get(kind)?.entry);
  const ground = { program, known, verbsOf };
  if (job.kind === "budget") {
    const limits = job.budgets.flatMap(({ source, file }) => parseBudget(source, file, program));
    return excessesOf(answerOf(solveTask(task, ground)), limits).map(printExcess);
  }
  const facts = factsOfTask(task, ground);
  const before = solve(program, [...known, ...facts]);
  if (job.kind === "now") return [answerOf(before).sentence];
  const after = solve(program, [...known, ...factsWithLeave(facts, job.leave)]);
  return printChanges(differenceOf(before, after));
}

async function report(job: BlastJob): Promise<BlastReport> {
  try {
    return { lines: await linesOf(job) };
  } catch (error) {
    if (!isFault(error)) return { bug: describeError(error) };
    const { code, message, hint } = error;
    return { fault: { code, message, ...(hint !== undefined && { hint }) } };
  }
}

// Whoever starts this thread gives it a job; nothing else does.
const said = await report(workerData as BlastJob);
parentPort?.postMessage(said, []);
