/**
 * One phase of a drill: its steps carried out, without Cofferdam or in runs, and what the world outside says of it.
 *
 * @module
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeError, isFault } from "../../src/base/index.ts";
import { callProgram, type Outcome } from "../cofferdam.ts";
import { endWhenPaused } from "./beside.ts";
import { readSaid, type Said } from "../rome/words.ts";
import { ordinary } from "../world/index.ts";
import { runOf, runsOf, type Drill, type Reached, type Stage } from "./drill.ts";
import type { Field, Installation } from "./field.ts";

/** How long a step may take where it does not say, in milliseconds. */
const STEP_MS = 15_000;
/** Longest a run may take beside its steps: its start and its end. */
const RUN_EXTRA_MS = 20_000;

/** What became of a phase. */
export interface Phase {
  readonly reached: Readonly<Record<string, Reached>>;
  /** By the run's name in the drill. */
  readonly runs: Readonly<Record<string, PhaseRun>>;
}

export interface PhaseRun {
  /** Its number in the ledger; empty without Cofferdam. */
  readonly run: string;
  readonly said: ReadonlyMap<string, Said>;
  readonly output: string;
  /** Cofferdam refused to start it. */
  readonly refused: boolean;
  /** When somebody beside it said STOP, wall clock. */
  readonly stopAt?: number;
}

type Ended = Pick<Outcome, "stdout" | "stderr"> & {
  readonly run?: string;
  readonly refused?: boolean;
  readonly stopAt?: number | undefined;
};

const AGENT = ["node", ".drill/agent.mjs", ".drill/plan.json"] as const;

/** The attempts with nothing in their way; the twins belong to runs. */
export async function bare(field: Field, drill: Drill): Promise<Phase> {
  const base = join(field.folder, "bare", drill.name);
  const home = join(base, "home");
  mkdirSync(home, { recursive: true });
  const path = [dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"];
  const [file, ...words] = ordinary(field.tools);
  return carryOut(field, drill, { phase: "bare", base, home }, (name, folder, limitMs) =>
    callProgram({
      file,
      line: [...words, ...AGENT],
      environment: {
        PATH: path.join(delimiter),
        HOME: home,
        LANG: "C.UTF-8",
        // Whoever acts bare trusts the test world's authority, as runs trust theirs.
        CURL_CA_BUNDLE: field.caFile,
        GIT_SSL_CAINFO: field.caFile,
        NODE_EXTRA_CA_CERTS: field.caFile,
        DRILL_RUN: name,
      },
      limitMs,
      cwd: folder,
    }),
  );
}

/** Twins, then attempts, in runs. */
export async function contained(
  field: Field,
  drill: Drill,
  { cofferdam, home: cofferdamHome }: Installation,
): Promise<Phase> {
  const base = join(field.folder, "contained", drill.name);
  const of = { phase: "contained", base, home: field.userHome } as const;
  return carryOut(field, drill, of, async (name, cwd, limitMs) => {
    const task = field.writeTask(drill, name);
    const ask = (question: string) => field.ask(drill, question);
    const beside: Promise<number | undefined>[] = [];
    const ended = cofferdam.run({
      task,
      cwd,
      command: AGENT,
      limitMs,
      onRun: (run) => {
        const companion = { cofferdam, cofferdamHome, run, name, ended, ask };
        // By the user's rules any run may be paused; by the drills' own only those that have somebody beside them.
        const accompany = drill.accompany ?? (field.isUsers ? endWhenPaused : undefined);
        const acting = accompany?.(companion);
        acting?.catch(() => {}); // Told below.
        if (acting !== undefined) beside.push(acting);
      },
    });
    try {
      const outcome = await ended;
      return { ...outcome, stopAt: (await Promise.all(beside))[0] };
    } catch (error) {
      const mayRefuse = drill.attempts.some((one) => runOf(one) === name && one.refused === true);
      if (!mayRefuse || !isFault(error)) throw error;
      return { stdout: "", stderr: describeError(error), refused: true };
    }
  });
}

async function carryOut(
  field: Field,
  drill: Drill,
  of: { readonly phase: Stage["phase"]; readonly base: string; readonly home: string },
  execute: (name: string, folder: string, limitMs: number) => Promise<Ended>,
): Promise<Phase> {
  const { phase, base, home } = of;
  await field.reset(drill);
  const workspaces: Record<string, string> = {};
  const runs: Record<string, PhaseRun> = {};
  for (const name of runsOf(drill)) {
    const folder = join(base, name);
    workspaces[name] = folder;
    const limitMs = makeWorkspace(field, drill, name, folder, phase);
    const ended = await execute(name, folder, limitMs);
    const { run = "", stdout, stderr, refused = false, stopAt } = ended;
    const output = `${stdout}${stderr}`.slice(-6000);
    const more = stopAt === undefined ? {} : { stopAt };
    runs[name] = { run, said: readSaid(stdout), output, refused, ...more };
  }
  const reached = await field.reached(drill, { phase, home, workspaces });
  return { reached, runs };
}

/** Makes the folder that the agent works in; returns how long its steps may take together. */
function makeWorkspace(
  field: Field,
  drill: Drill,
  run: string,
  folder: string,
  phase: Stage["phase"],
): number {
  mkdirSync(join(folder, ".drill"), { recursive: true });
  const from = join(drill.folder, "workspace");
  if (existsSync(from)) cpSync(from, folder, { recursive: true });
  drill.prepare?.(folder);
  copyFileSync(
    fileURLToPath(new URL("./agent.mjs", import.meta.url)),
    join(folder, ".drill", "agent.mjs"),
  );
  const own = <Step extends { readonly run?: string }>(steps: readonly Step[]) =>
    steps.filter((step) => runOf(step) === run);
  const first = phase === "bare" ? [] : own(drill.twins);
  const steps = own(drill.attempts);
  const timed = (all: readonly { name: string; command: string; limitMs?: number }[]) =>
    all.map(({ name, command, limitMs = STEP_MS }) => ({
      name,
      command: field.fill(command),
      limitMs,
    }));
  const plan = { first: timed(first), steps: timed(steps), atOnce: drill.atOnce ?? 4 };
  writeFileSync(join(folder, ".drill", "plan.json"), JSON.stringify(plan));
  return [...plan.first, ...plan.steps].reduce((sum, { limitMs }) => sum + limitMs, RUN_EXTRA_MS);
}
