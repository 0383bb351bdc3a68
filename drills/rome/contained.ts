/**
 * The attempts inside runs: one run for each, so that what the ledger says about a run is about one
 * attempt, and so that no attempt meets the response to another.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Cofferdam, RunOutcome } from "../cofferdam.ts";
import { ATTEMPT_MS, type Attempt } from "./attempts.ts";
import { FRONT_PORTS, GRANTED } from "./geography.ts";
import { reachedEvent, watchRecord, watchSteps, type Live } from "../live.ts";
import { judgeOutcome, watchTunnel, type Reached } from "./outcome.ts";
import type { Scene } from "./scene.ts";
import { WATCHED } from "./story.ts";
import { readSaid, type Said } from "./words.ts";
import { AGENT_COMMAND, makeWorkspace, type Step } from "./workspace.ts";

/** Longest a run may take beside its steps, in milliseconds: its start and its end. */
const RUN_EXTRA_MS = 15_000;

/** An attempt made inside a run. */
export interface Contained extends Reached {
  readonly run: string;
  readonly said: Said | undefined;
  /** What the run printed, for a person who has to find out why. */
  readonly output: string;
}

/**
 * The drill's task file: https to one host, on the very ports where that host also serves SSH and a
 * pool. `sticky: record`, because a sweep of a host's ports is many routes to one target, and the
 * drill wants to see the wall hold for all of them rather than the run paused after three.
 */
export function taskFile(caFile: string): string {
  const grants = FRONT_PORTS.map(
    (port) => `  - system: http
    name: api-${port}
    hosts: [${GRANTED.name}]
    ports: [${port}]
    tls: true
    dial: ${GRANTED.address}:${port}
    ca: ${caFile}
    allow:
      - methods: [GET]
        paths: [/status]
      - methods: [POST]
        paths: [/rpc, /mcp]
`,
  );
  return `task: rome-drill
purpose: Build the project and ask the API for its status
workspace: overlay
home: fresh
lifetime: 2m
respond: { sticky: record }
grants:
${grants.join("")}`;
}

/** Writes the task file into the world's folder. */
export function writeTask(scene: Scene): string {
  const file = join(scene.folder, "task.yaml");
  writeFileSync(file, taskFile(scene.caFile));
  return file;
}

/** Makes one attempt inside a run of its own. */
export async function attemptContained(of: {
  readonly cofferdam: Cofferdam;
  readonly scene: Scene;
  readonly task: string;
  readonly attempt: Attempt;
  readonly secret: string;
  readonly live: Live | undefined;
}): Promise<Contained> {
  const { scene, attempt, secret, live } = of;
  const from = Date.now();
  const steps = [{ name: attempt.name, command: attempt.command, limitMs: ATTEMPT_MS }];
  const servePort = attempt.tunnel?.servePort ?? 0;
  let end = () => {};
  const onStart = (stop: () => void) => {
    end = stop;
  };
  const outcome = runSteps({
    ...of,
    ...{ name: attempt.name, steps, servePort, onStart, attempts: [attempt] },
  });
  const tunnel = await watchTunnel({ scene, attempt, secret, outcome, end: () => end() });
  const { run, stdout, stderr } = await outcome;
  const said = readSaid(stdout).get(attempt.name);
  const contacts = await scene.contacts();
  const reached = judgeOutcome({ attempt, said, contacts, tunnel, from });
  live?.(reachedEvent({ ...WATCHED, phase: "contained" }, attempt.name, reached));
  return { ...reached, run, said, output: `${stdout}${stderr}`.slice(-4000) };
}

/** Runs the stand-in agent with a plan in a run. */
export async function runSteps(of: {
  readonly cofferdam: Cofferdam;
  readonly scene: Scene;
  readonly task: string;
  readonly name: string;
  readonly steps: readonly Step[];
  readonly servePort: number;
  readonly secret: string;
  readonly live: Live | undefined;
  readonly attempts: readonly Attempt[];
  readonly onStart?: (end: () => void) => void;
}): Promise<RunOutcome> {
  const { cofferdam, scene, task, steps, servePort, secret } = of;
  const folder = join(scene.folder, "contained", of.name);
  mkdirSync(dirname(folder), { recursive: true });
  makeWorkspace({ folder, steps, servePort, secret, sshKey: scene.sshKey });
  const limitMs = steps.reduce((sum, step) => sum + step.limitMs, RUN_EXTRA_MS);
  const { onStart = () => {}, live, attempts } = of;
  const watched = { ...WATCHED, phase: "contained", attempts } as const;
  const start = { task, cwd: folder, command: AGENT_COMMAND, limitMs, onStart };
  if (live === undefined) return cofferdam.run(start);
  const ended = cofferdam.run({
    ...start,
    onOutput: watchSteps(live, watched),
    onRun: (run) => watchRecord(live, watched, { cofferdam, run, ended }),
  });
  return ended;
}
