/**
 * The ROME drill itself, as the program of its test world: every attempt bare, every attempt inside a
 * run, the benign twins, then what the ledger says and proves about all of it.
 *
 *   node inside.ts COFFERDAM [live] FOLDER        COFFERDAM: the command line's path, or `-` for bare only;
 *                                                 live: what happens is told while it happens
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { createCofferdam, detectorOf, type Cofferdam, type Entry } from "../cofferdam.ts";
import type { DrillEvent, Live } from "../live.ts";
import { inParallel } from "../parallel.ts";
import { verifyProof } from "../proof.ts";
import { drillSchema, type AttemptRecord, type TwinRecord } from "../record.ts";
import { findTools, ordinary, runInside, type Inside } from "../world/index.ts";
import { listAttempts, type Attempt } from "./attempts.ts";
import { attemptBare, type Bare } from "./bare.ts";
import { attemptContained, runSteps, writeTask, type Contained } from "./contained.ts";
import { readEvidence } from "./evidence.ts";
import { SECRET } from "./geography.ts";
import { ROME_STORY } from "./story.ts";
import { buildScene, type Scene } from "./scene.ts";
import { listTwins } from "./twins.ts";
import { readSaid } from "./words.ts";

/** How many runs at once. */
const RUNS_AT_ONCE = 4;
/** How long one twin may take, in milliseconds. */
const TWIN_MS = 10_000;

await runInside(main);

async function main(inside: Inside): Promise<void> {
  const bin = process.argv[2] ?? "-";
  const live =
    process.argv[3] === "live"
      ? (event: DrillEvent) => inside.say({ kind: "live", event })
      : undefined;
  const tools = findTools(process.env["PATH"] ?? "");
  const tell = (text: string) => inside.say({ kind: "progress", text });
  tell(
    "building a small internet: an outside host with SSH and a mining pool, an internal network",
  );
  const scene = await buildScene(tools, inside);
  const secret = `${SECRET}-${randomBytes(8).toString("hex")}`;
  const attempts = listAttempts(scene.user);
  live?.(planOf(attempts));

  tell(`${attempts.length} attempts without Cofferdam`);
  const bare = await Promise.all(
    attempts.map((attempt) => attemptBare({ tools, scene, attempt, secret, live })),
  );
  if (bin === "-") {
    const records = attempts.map((attempt, index) => recordOf(attempt, bare[index]));
    const drill = drillSchema.parse({
      name: "rome",
      attempts: records,
      twins: [],
      ledgerIntact: false,
    });
    inside.say({ kind: "result", drill });
    return;
  }
  const through = bare.filter(({ harm }) => harm).length;
  tell(`${through} of ${attempts.length} got through bare; now each inside a run`);
  const cofferdam = openCofferdam(inside, [...ordinary(tools), bin]);
  await cofferdam.entries(); // Starts the daemon, once, before the runs ask for it together.
  const task = writeTask(scene);
  let done = 0;
  const contained = await inParallel(attempts, RUNS_AT_ONCE, async (attempt) => {
    const result = await attemptContained({ cofferdam, scene, task, attempt, secret, live });
    done += 1;
    tell(`${done} of ${attempts.length} attempts inside runs`);
    return result;
  });
  tell("the benign twins");
  const twins = await runTwins({ cofferdam, scene, task, secret, live });
  tell("what the ledger says, and its proofs");
  const entries = await cofferdam.entries();
  const records = await inParallel([...attempts.entries()], RUNS_AT_ONCE, ([index, attempt]) =>
    recordWith({ cofferdam, entries, attempt, bare: bare[index], contained: contained[index] }),
  );
  const { ok } = await cofferdam.verify();
  const quiet = quietTwin(entries, twins.run);
  const drill = drillSchema.parse({
    name: "rome",
    title: ROME_STORY.title,
    incidents: "A9, A10",
    attempts: [...records],
    twins: [...twins.records, quiet],
    ledgerIntact: ok,
  });
  inside.say({ kind: "result", drill });
}

function planOf(attempts: readonly Attempt[]): DrillEvent {
  const planned = attempts.map(({ name, what, target }) => {
    return { name, channel: "command" as const, what, target };
  });
  const twins = listTwins(existsSync("/usr/bin/cc")).map(({ name }) => name);
  return { event: "plan", drill: "rome", attempts: planned, twins };
}

function openCofferdam(inside: Inside, words: readonly [string, ...string[]]): Cofferdam {
  const home = join(inside.folder, "home");
  const user = join(inside.folder, "user");
  mkdirSync(home, { mode: 0o700 });
  mkdirSync(user, { mode: 0o700 });
  const cofferdam = createCofferdam(words, {
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
    HOME: user,
    LANG: "C.UTF-8",
    COFFERDAM_HOME: home,
    // Some thirty calls of the command line: in a checkout most of each is stripping types again.
    NODE_COMPILE_CACHE: join(inside.folder, "compiled"),
  });
  inside.atEnd(() => cofferdam.stop());
  return cofferdam;
}

/** Runs all twins, one after the other, in one run of the same task. */
async function runTwins(of: {
  readonly cofferdam: Cofferdam;
  readonly scene: Scene;
  readonly task: string;
  readonly secret: string;
  readonly live: Live | undefined;
}): Promise<{ readonly run: string; readonly records: readonly TwinRecord[] }> {
  const twins = listTwins(existsSync("/usr/bin/cc"));
  const steps = twins.map(({ name, command }) => ({ name, command, limitMs: TWIN_MS }));
  const { run, stdout, stderr } = await runSteps({
    ...of,
    ...{ name: "twins", steps, servePort: 0, attempts: [] },
  });
  const said = readSaid(stdout);
  const records = twins.map(({ name, expected }) => {
    const end = said.get(name)?.end;
    const passed = end?.code === 0 && end.text.includes(expected);
    const instead = (end?.text ?? stderr).trim().slice(-500);
    const detail = passed ? "" : `expected ${expected}, exit ${end?.code}: ${instead}`;
    return { name, passed, detail };
  });
  return { run, records };
}

/** A wall that passes ordinary work but cries wolf over it would be switched off. */
function quietTwin(entries: readonly Entry[], run: string): TwinRecord {
  const loud = entries.filter(
    (entry) => entry.run === run && (entry.type === "finding" || entry.type === "denial"),
  );
  const detail = loud.map((entry) => `entry ${entry.seq}: ${entry.type} ${entry.rule ?? ""}`);
  return {
    name: "no denial and no finding on any of these",
    passed: loud.length === 0,
    detail: detail.join("; ").slice(0, 500),
  };
}

/** The record of an attempt made inside a run: its outcome, and the ledger's evidence with its proof. */
async function recordWith(of: {
  readonly cofferdam: Cofferdam;
  readonly entries: readonly Entry[];
  readonly attempt: Attempt;
  readonly bare: Bare | undefined;
  readonly contained: Contained | undefined;
}): Promise<AttemptRecord> {
  const { contained } = of;
  const record = recordOf(of.attempt, of.bare);
  if (contained === undefined) return record;
  const { said, run } = contained;
  const startedAt = said?.startedAt ?? Number.NaN;
  const evidence = readEvidence(of.entries, { run, mark: of.attempt.mark, startedAt });
  const { entry, ...rest } = evidence;
  return {
    ...record,
    ...rest,
    attempted: said?.end !== undefined && entry !== null,
    crossed: contained.crossed,
    effect: contained.effect,
    harm: contained.harm,
    run,
    detector: entry?.type === "finding" ? detectorOf(entry) : null,
    output: contained.output,
    entry: entry?.seq ?? null,
    proved: entry !== null && (await isProved(of.cofferdam, entry)),
  };
}

async function isProved(cofferdam: Cofferdam, entry: Entry): Promise<boolean> {
  const { proof = "", key = "" } = (await cofferdam.prove([entry.seq])).get(entry.seq) ?? {};
  return verifyProof(proof, key, entry) === undefined;
}

/** What is known of an attempt before any run. */
function recordOf(attempt: Attempt, bare: Bare | undefined): AttemptRecord {
  return {
    name: attempt.name,
    target: attempt.target,
    attempted: false,
    crossed: false,
    effect: false,
    harm: false,
    bareCrossed: bare?.crossed === true && bare.effect && bare.harm,
    stoppedBy: null,
    noticedMs: null,
    stoppedMs: null,
    process: null,
    entry: null,
    proved: false,
    attributed: false,
    run: null,
    channel: "command",
    expected: [attempt.kind],
    detector: null,
    call: null,
    silent: null,
    unnamed: null,
    spared: null,
    what: attempt.what,
    bare: bare?.told ?? "",
    output: "",
  };
}
