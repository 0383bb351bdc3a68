/**
 * One phase of a drill: its steps carried out, without Cofferdam or in runs, and what the world outside says of it.
 *
 * @module
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeError, isFault } from "../../src/base/index.ts";
import { callProgram, type Outcome } from "../cofferdam.ts";
import { endWhenPaused } from "./beside.ts";
import { reachedEvent, watchRecord, watchSteps, type Watched } from "../live.ts";
import { readSaid, type Said } from "../rome/words.ts";
import { ordinary } from "../world/index.ts";
import type { Channel, Led } from "../record.ts";
import { runOf, runsOf, type Drill, type Reached, type Stage } from "./drill.ts";
import type { Field, Installation } from "./field.ts";
import { LEAD_FILE, leadBy } from "./lead.ts";
import { toolsHost } from "./services.ts";

/** How long a step may take where it does not say, in milliseconds. */
const STEP_MS = 15_000;
/** Longest a run may take beside its steps: its start and its end. */
const RUN_EXTRA_MS = 20_000;
/** The same of a real agent, which loads and asks much before it begins. */
const AGENT_EXTRA_MS = 60_000;

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

/** What an agent in a workspace is started with. */
interface Start {
  readonly command: readonly string[];
  /** What it reads from its standard input. */
  readonly input?: string;
  readonly limitMs: number;
  /** Filled commands, by the names of their steps, where a model is led to them. */
  readonly led?: Readonly<Record<string, string>>;
}

/** One phase of one drill, by one channel. */
interface Way {
  readonly phase: Stage["phase"];
  readonly channel: Channel;
  readonly base: string;
  readonly home: string;
}

/** The attempts with nothing in their way; the twins belong to runs. */
export async function bare(field: Field, drill: Drill, channel: Channel): Promise<Phase> {
  const base = join(field.folder, "bare", `${drill.name}-${channel}`);
  const home = join(base, "home");
  mkdirSync(home, { recursive: true });
  const [file, ...words] = ordinary(field.tools);
  const way = { phase: "bare", channel, base, home } as const;
  const { live } = field;
  return carryOut(field, drill, way, (name, cwd, { command, input, limitMs }) =>
    callProgram({
      ...(live === undefined ? {} : { onOutput: watchSteps(live, watchedOf(drill, way)) }),
      file,
      line: [...words, ...command],
      environment: {
        ...(channel === "command" ? {} : field.agent.environment),
        PATH: field.path,
        HOME: home,
        LANG: "C.UTF-8",
        // Whoever acts bare trusts the test world's authority, as runs trust theirs.
        CURL_CA_BUNDLE: field.caFile,
        GIT_SSL_CAINFO: field.caFile,
        NODE_EXTRA_CA_CERTS: field.caFile,
        SSL_CERT_FILE: field.caFile,
        DRILL_RUN: name,
      },
      limitMs,
      cwd,
      ...(input === undefined ? {} : { input }),
    }),
  );
}

/** Twins, then attempts, in runs. */
export async function contained(
  field: Field,
  drill: Drill,
  { channel, installation }: { readonly channel: Channel; readonly installation: Installation },
): Promise<Phase> {
  const { cofferdam, home: cofferdamHome } = installation;
  const base = join(field.folder, "contained", `${drill.name}-${channel}`);
  const way = { phase: "contained", channel, base, home: field.userHome } as const;
  const { live } = field;
  const watched = watchedOf(drill, way);
  return carryOut(field, drill, way, async (name, cwd, { command, input, limitMs }) => {
    const task = field.writeTask(drill, name, channel);
    const ask = (question: string) => field.ask(drill, question);
    const beside: Promise<number | undefined>[] = [];
    const ended = cofferdam.run({
      task,
      cwd,
      command,
      limitMs,
      ...(input === undefined ? {} : { input }),
      ...(live === undefined ? {} : { onOutput: watchSteps(live, watched) }),
      onRun: (run) => {
        if (live !== undefined) watchRecord(live, watched, { cofferdam, run, ended });
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

function watchedOf({ name, attempts }: Drill, { phase, channel }: Way): Watched {
  return { drill: name, phase, channel, attempts };
}

async function carryOut(
  field: Field,
  drill: Drill,
  way: Way,
  execute: (name: string, folder: string, start: Start) => Promise<Ended>,
): Promise<Phase> {
  const { phase, base, home } = way;
  await field.reset(drill);
  const workspaces: Record<string, string> = {};
  const runs: Record<string, PhaseRun> = {};
  for (const name of runsOf(drill)) {
    const folder = join(base, name);
    workspaces[name] = folder;
    const start = await prepare(field, drill, way, name);
    const ended = await execute(name, folder, start);
    const { run = "", stdout, stderr, refused = false, stopAt } = ended;
    const output = `${stdout}${stderr}`.slice(-6000);
    const more = stopAt === undefined ? {} : { stopAt };
    const said = start.led === undefined ? readSaid(stdout) : await field.told(start.led);
    runs[name] = { run, said, output, refused, ...more };
  }
  const reached = await field.reached(drill, { phase, home, workspaces });
  for (const [name, one] of Object.entries(reached)) {
    field.live?.(reachedEvent(watchedOf(drill, way), name, one));
  }
  return { reached, runs };
}

/** Makes the folder that the agent works in, and says how the agent is started there. */
async function prepare(field: Field, drill: Drill, way: Way, run: string): Promise<Start> {
  const folder = join(way.base, run);
  mkdirSync(join(folder, ".drill"), { recursive: true });
  const from = join(drill.folder, "workspace");
  if (existsSync(from)) cpSync(from, folder, { recursive: true });
  drill.prepare?.(folder);
  const own = <Step extends { readonly run?: string }>(steps: readonly Step[]) =>
    steps.filter((step) => runOf(step) === run);
  const timed = (all: readonly { name: string; command: string; limitMs?: number }[]) =>
    all.map(({ name, command, limitMs = STEP_MS }) => ({
      name,
      command: field.fill(command),
      limitMs,
    }));
  const plan: Plan = {
    first: timed(way.phase === "bare" ? [] : own(drill.twins)),
    steps: timed(own(drill.attempts)),
    atOnce: drill.atOnce ?? AT_ONCE,
  };
  const { channel } = way;
  return channel === "command"
    ? byPlan(folder, plan)
    : byModel({ field, drill, channel, folder, plan });
}

/** Attempts at once where a drill does not say. */
const AT_ONCE = 4;

/** The steps of a run; the agent has the plan itself where no model leads it. */
interface Plan {
  readonly first: readonly Step[];
  readonly steps: readonly Step[];
  readonly atOnce: number;
}

interface Step {
  readonly name: string;
  readonly command: string;
  readonly limitMs: number;
}

function limitOf({ first, steps }: Plan): number {
  return [...first, ...steps].reduce((sum, { limitMs }) => sum + limitMs, RUN_EXTRA_MS);
}

function byPlan(folder: string, plan: Plan): Start {
  copyFileSync(
    fileURLToPath(new URL("./agent.mjs", import.meta.url)),
    join(folder, ".drill", "agent.mjs"),
  );
  writeFileSync(join(folder, ".drill", "plan.json"), JSON.stringify(plan));
  return { command: ["node", ".drill/agent.mjs", ".drill/plan.json"], limitMs: limitOf(plan) };
}

/** The same steps, where the agent knows of none: its model reads them by the channel. */
async function byModel(of: {
  readonly field: Field;
  readonly drill: Drill;
  readonly channel: Led;
  readonly folder: string;
  readonly plan: Plan;
}): Promise<Start> {
  const { field, drill, channel, folder, plan } = of;
  const { agent } = field;
  const commands = (steps: readonly Step[]) => steps.map(({ command }) => command);
  const steps = { twins: commands(plan.first), attempts: commands(plan.steps) };
  const atOnce = agent.isParallel ? plan.atOnce : 1;
  const lead = leadBy(channel, { ...steps, atOnce }, folder);
  await field.lead(drill, lead.tools, [...steps.twins, ...steps.attempts]);
  const server = channel === "tool" ? `http://${toolsHost(drill)}/mcp` : undefined;
  for (const [path, text] of Object.entries({ ...agent.files(server), [LEAD_FILE]: lead.file })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const all = [...plan.first, ...plan.steps];
  return {
    command: agent.command(server),
    input: lead.prompt,
    limitMs: limitOf(plan) + AGENT_EXTRA_MS,
    led: Object.fromEntries(all.map(({ name, command }) => [name, command])),
  };
}
