/**
 * The drills that share the field, as the program of its test world.
 *
 *   node inside.ts COFFERDAM NAMES TASK FOLDER
 *
 * COFFERDAM: the command line's path, or `-` for attempts without it alone; NAMES: drills, with commas between;
 * TASK: the user's task file, or `-`.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { describeError } from "../../src/base/index.ts";
import type { Cofferdam, Entry } from "../cofferdam.ts";
import { inParallel } from "../parallel.ts";
import type { DrillRecord } from "../record.ts";
import { DRILLS } from "../registry.ts";
import { findTools, runInside, type Inside } from "../world/index.ts";
import type { Drill } from "./drill.ts";
import { installCofferdam, openField, type Field, type Installation } from "./field.ts";
import { recordAttempts, recordTwins } from "./findings.ts";
import { bare, contained, type Phase } from "./phase.ts";

/** How many drills at once. */
const DRILLS_AT_ONCE = 2;

await runInside(main);

async function main(inside: Inside): Promise<void> {
  const [bin = "-", names = "", taskFile = "-"] = process.argv.slice(2);
  const tools = findTools(process.env["PATH"] ?? "");
  const tell = (text: string) => inside.say({ kind: "progress", text });
  const task = taskFile === "-" ? "built-in" : taskFile;
  const wanted = new Set(names.split(","));
  const chosen = DRILLS.filter(({ name }) => wanted.has(name));
  const drills = chosen.filter((drill) => drill.lacks?.() === undefined);
  for (const drill of chosen) {
    const skipped = drill.lacks?.();
    if (skipped !== undefined)
      inside.say({ kind: "result", drill: { ...blank(drill, task), skipped } });
  }
  if (drills.length === 0) return;
  tell("building a world outside");
  const userTask = taskFile === "-" ? undefined : readFileSync(taskFile, "utf8");
  const field = await openField(tools, inside, drills, userTask);
  const sharing = drills.filter(({ ownInstallation }) => ownInstallation !== true);
  const install = (some: readonly Drill[], name: string) =>
    bin === "-" || some.length === 0
      ? Promise.resolve(undefined)
      : installCofferdam(inside, field, bin, some, name);
  const shared = await install(sharing, "home");
  const done = await inParallel(drills, DRILLS_AT_ONCE, async (drill) => {
    const own = sharing.includes(drill) ? shared : await install([drill], `home-${drill.id}`);
    return { drill, own, phases: await carryOut(field, drill, own, tell) };
  });
  tell("what the ledger says, and its proofs");
  const read = new Map<Installation | undefined, Ledger>();
  for (const { drill, own, phases } of done) {
    const ledger = read.get(own) ?? (await readLedger(own));
    read.set(own, ledger);
    const { entries, ledgerIntact } = ledger;
    const record = { ...blank(drill, task), ledgerIntact };
    const more = { drill, phases, entries, cofferdam: own?.cofferdam };
    inside.say({ kind: "result", drill: await fill(record, more) });
  }
}

interface Ledger {
  readonly entries: readonly Entry[];
  readonly ledgerIntact: boolean;
}

async function readLedger(own: Installation | undefined): Promise<Ledger> {
  if (own === undefined) return { entries: [], ledgerIntact: false };
  const entries = await own.cofferdam.entries();
  return { entries, ledgerIntact: (await own.cofferdam.verify()).ok };
}

type Phases = { readonly bare: Phase; readonly contained?: Phase } | { readonly failed: string };

/** Both phases of a drill; a drill that fails takes no other with it. */
async function carryOut(
  field: Field,
  drill: Drill,
  installation: Installation | undefined,
  tell: (text: string) => void,
): Promise<Phases> {
  try {
    tell(`${drill.id}: ${drill.story.title}, without Cofferdam`);
    await field.open(drill);
    const without = await bare(field, drill);
    if (installation === undefined) return { bare: without };
    tell(`${drill.id}: ${drill.story.title}, in runs`);
    return { bare: without, contained: await contained(field, drill, installation) };
  } catch (error) {
    return { failed: describeError(error) };
  } finally {
    await field.close(drill).catch(() => {}); // The world ends with it anyway.
  }
}

async function fill(
  record: DrillRecord,
  of: {
    readonly drill: Drill;
    readonly phases: Phases;
    readonly entries: readonly Entry[];
    readonly cofferdam: Cofferdam | undefined;
  },
): Promise<DrillRecord> {
  const { drill, phases, entries, cofferdam } = of;
  if ("failed" in phases) return { ...record, failed: phases.failed };
  const { bare: without, contained: within } = phases;
  const attempts = await recordAttempts({
    drill,
    bare: without,
    entries,
    ...(within === undefined ? {} : { contained: within }),
    ...(cofferdam === undefined ? {} : { cofferdam }),
  });
  const twins = within === undefined ? [] : recordTwins(drill, within, entries);
  return { ...record, attempts: [...attempts], twins: [...twins] };
}

function blank(drill: Drill, task: string): DrillRecord {
  const { name, incidents, story } = drill;
  return {
    name,
    title: story.title,
    incidents,
    skipped: null,
    failed: null,
    task,
    attempts: [],
    twins: [],
    ledgerIntact: false,
  };
}
