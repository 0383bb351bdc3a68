/**
 * `npm run example:rollouts`: a small trainer in Python drives 200 rollouts through Cofferdam's Python client. Three of
 * them try at one of their steps what ROME did. The firewall outside knows addresses and ports and nothing else; from its
 * lines `cofferdam correlate` names the steps, and so do Cofferdam's own findings. Exit 0 only where each names exactly
 * those three, and a line that no rollout caused is nobody's.
 *
 * `--rollouts N` and `--threads N` make it smaller.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { z } from "zod";
import { BIN, eventually, TestHome } from "../../test/support/home.ts";
import { correlate, type StepSaid } from "./correlated.ts";
import { openOutside, type Outside } from "./outside.ts";

const { values } = parseArgs({
  options: {
    rollouts: { type: "string", default: "200" },
    threads: { type: "string", default: String(4 * availableParallelism()) },
  },
});
const TASK = [
  "task: rollouts",
  "purpose: Learn to answer from the documentation.",
  "lifetime: 1h",
  "respond: { tunnel: record, mining: record, scan: record }",
];
const CHECK = '[ "$(cat answer 2>/dev/null)" = cofferdam ] && echo passed || echo not yet\n';

const stepSchema = z.object({ trajectory: z.string(), episode: z.string(), step: z.number() });
const rolloutSchema = z.object({
  run: z.string(),
  trajectory: z.string(),
  episode: z.string(),
  steps: z.number(),
  reward: z.number(),
  astray: z.object({ kind: z.string(), step: z.number() }).nullable(),
  findings: z.array(
    z.object({ entry: z.number(), finding: z.string(), step: stepSchema.nullable() }),
  ),
});
const foundSchema = z.object({ finding: z.string(), detail: z.string() });
type Rollout = z.infer<typeof rolloutSchema>;

const home = new TestHome();
const outside = await openOutside();
let holds = false;
try {
  home.write("check.sh", CHECK);
  const task = join(home.root, "task.yaml");
  writeFileSync(task, `${TASK.join("\n")}\n${outside.grants}`);
  const begin = performance.now();
  const rollouts = await train(task);
  const seconds = (performance.now() - begin) / 1000;
  tell(rollouts, seconds);
  await loginOfNoRun(outside);
  holds = await check(rollouts);
} finally {
  await home.close();
  await outside.close();
}
console.log(holds ? "exactly those three, by each" : "NOT exactly those three");
process.exitCode = holds ? 0 : 1;

/** Runs the trainer to its end. */
async function train(task: string): Promise<readonly Rollout[]> {
  const trainer = spawn("python3", [join(import.meta.dirname, "trainer.py")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      ...process.env,
      PYTHONPATH: join(import.meta.dirname, "..", "..", "clients", "python"),
      PYTHONDONTWRITEBYTECODE: "1",
    },
  });
  trainer.stdin.end(
    JSON.stringify({
      rollouts: Number(values.rollouts),
      threads: Number(values.threads),
      seed: 9,
      home: home.state,
      program: BIN,
      task,
      workspace: home.workspace,
    }),
  );
  const ended = once(trainer, "exit");
  const rollouts: Rollout[] = [];
  for await (const line of createInterface({ input: trainer.stdout })) {
    rollouts.push(rolloutSchema.parse(JSON.parse(line)));
  }
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`the trainer ended with ${code}`);
  return rollouts;
}

function tell(rollouts: readonly Rollout[], seconds: number): void {
  const steps = rollouts.reduce((sum, one) => sum + one.steps, 0);
  const tenth = Math.max(1, Math.floor(rollouts.length / 10));
  const mean = (some: readonly Rollout[]) =>
    (some.reduce((sum, { reward }) => sum + reward, 0) / some.length).toFixed(2);
  console.log(
    `${rollouts.length} rollouts, ${steps} steps in ${seconds.toFixed(0)} s; mean reward of the first tenth ` +
      `${mean(rollouts.slice(0, tenth))}, of the last ${mean(rollouts.slice(-tenth))}`,
  );
}

/** Somebody on the training host logs in outside: the firewall cries as well, and no rollout did it. */
async function loginOfNoRun({ jump, lines }: Outside): Promise<void> {
  const before = lines.length;
  const socket = connect(jump.port, jump.address);
  await eventually("the firewall's line", 10_000, () => lines.length > before);
  socket.destroy();
}

/** One step of one run, as a key. */
function keyOf(run: string, { trajectory, episode, step }: StepSaid): string {
  return `${run} ${trajectory}/${episode}/${step}`;
}

async function check(rollouts: readonly Rollout[]): Promise<boolean> {
  const truth = rollouts.flatMap(({ run, trajectory, episode, astray }) =>
    astray === null ? [] : [[keyOf(run, { trajectory, episode, step: astray.step }), astray.kind]],
  );
  console.log("\nwhat went astray, as only the trainer knows:");
  for (const [key, kind] of truth) console.log(`  ${key}  ${kind}`);
  console.log("\nwhat Cofferdam noticed:");
  const found = new Set<string>();
  for (const { type, run = "", cause, data } of await home.log()) {
    if (type !== "finding") continue;
    const key = cause?.step === undefined ? `${run} (no step)` : keyOf(run, cause.step);
    if (!found.has(key)) {
      const { finding, detail } = foundSchema.parse(data);
      console.log(`  ${key}  ${finding}: ${detail}`);
    }
    found.add(key);
  }
  const told = new Set(
    rollouts.flatMap(({ run, findings }) =>
      findings.map(({ step }) => (step === null ? `${run} (no step)` : keyOf(run, step))),
    ),
  );

  console.log(`\nthe firewall's log has ${outside.lines.length} lines:`);
  for (const line of outside.lines) console.log(`  ${line}`);
  for (const [alarm, bytes] of outside.received)
    console.log(`  ${alarm}: ${bytes} bytes came through`);

  const expected = truth.map(([key]) => key ?? "").sort();
  const same = (keys: Iterable<string>) => [...new Set(keys)].sort().join() === expected.join();
  const log = join(home.root, "firewall.log");
  writeFileSync(log, `${outside.lines.join("\n")}\n`);
  console.log("\nwhat `cofferdam correlate` makes of them:");
  const named = (await correlate(home, log)).map(({ line, by }) => {
    const keys = by.map(({ run, step }) =>
      step === undefined ? `${run} (no step)` : keyOf(run, step),
    );
    const [key = "nobody's here", ...others] = new Set(keys);
    console.log(
      `  line ${line}: ${[key, ...others].join(" or ")}${by[0] ? `  (${by[0].how})` : ""}`,
    );
    return [key, ...others];
  });
  // The last line is the login of no run's.
  const ofRuns = named.slice(0, -1).flat();
  return (
    expected.length === 3 &&
    same(found) &&
    same(told) &&
    same(ofRuns) &&
    named.length === outside.lines.length &&
    named.at(-1)?.join() === "nobody's here"
  );
}
