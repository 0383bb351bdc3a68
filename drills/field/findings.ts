/**
 * The record of a drill: what the world outside said of each attempt, and what the ledger says and proves.
 *
 * @module
 */
import { detectorOf, type Cofferdam, type Entry } from "../cofferdam.ts";
import { inParallel } from "../parallel.ts";
import { verifyProof } from "../proof.ts";
import type { AttemptRecord, TwinRecord } from "../record.ts";
import { readEvidence, type Evidence } from "../rome/evidence.ts";
import type { Said } from "../rome/words.ts";
import { NOT_REACHED, runOf, runsOf, type Attempt, type Drill } from "./drill.ts";
import type { Phase, PhaseRun } from "./phase.ts";

/** How many proofs are asked for at once. */
const PROOFS_AT_ONCE = 4;

/** The records of all attempts; `contained` and what follows are absent where there were no runs. */
export async function recordAttempts(of: {
  readonly drill: Drill;
  readonly bare: Phase;
  readonly contained?: Phase;
  readonly entries?: readonly Entry[];
  readonly cofferdam?: Cofferdam;
}): Promise<readonly AttemptRecord[]> {
  const { drill, bare, contained, entries = [], cofferdam } = of;
  return inParallel(drill.attempts, PROOFS_AT_ONCE, async (attempt) => {
    const record = begin(attempt, bare);
    const run = contained?.runs[runOf(attempt)];
    if (contained === undefined || run === undefined || cofferdam === undefined) return record;
    const said = run.said.get(attempt.name);
    const { crossed, effect, harm } = contained.reached[attempt.name] ?? NOT_REACHED;
    const outcome = { ...record, crossed, effect, harm, run: run.run };
    const output = said?.end === undefined ? run.output : `exit ${said.end.code}: ${said.end.text}`;
    if (attempt.refused === true) return { ...outcome, attempted: run.refused, output: run.output };
    const { entry, acted, ...evidence } = evidenceOf(attempt, run, said, entries);
    // It had not begun, or not got as far as being refused.
    const isCutShort = said?.end === undefined && entry === null;
    const spared = isCutShort ? sparedBy(entries, run.run) : null;
    if (spared !== null) return { ...outcome, output, spared };
    const own = entries.filter((other) => other.run === run.run);
    const silent = attempt.silent ?? null;
    const isShown = silent === null || evidence.attributed;
    return {
      ...outcome,
      ...(isShown ? evidence : {}),
      // By its own words, and by any entry of it; a run that was ended meanwhile was still trying.
      attempted: said !== undefined && (silent !== null || entry !== null || acted),
      detector: noticedBy(own, attempt),
      call: isShown ? callOf(entry) : null,
      output,
      entry: isShown ? (entry?.seq ?? null) : null,
      proved: isShown && entry !== null && (await isProved(cofferdam, entry)),
    };
  });
}

/** How long after an attempt's end what is only counted may still be written, in milliseconds. */
const LATE_MS = 2500;

/** What had frozen a run before it came to an attempt; null where nothing had. */
function sparedBy(entries: readonly Entry[], run: string): string | null {
  const pause = entries.find((entry) => entry.run === run && entry.type === "run.pause");
  return pause === undefined ? null : `its run stood still by then: ${reasonOf(pause)}`;
}

/**
 * What the ledger says of an attempt: who refused it, or what ended its run. Runs are shared, so entries about
 * other processes are left out; those that name no process count where they are from the attempt's own time.
 */
function evidenceOf(
  attempt: Attempt,
  run: PhaseRun,
  said: Said | undefined,
  entries: readonly Entry[],
): Evidence & { readonly acted: boolean } {
  const startedAt = run.stopAt ?? said?.startedAt ?? Number.NaN;
  const until = (said?.end?.at ?? Number.POSITIVE_INFINITY) + LATE_MS;
  const isTimely = ({ at }: Entry) => Date.parse(at) >= startedAt && Date.parse(at) <= until;
  const own = entries.filter(
    (entry) =>
      entry.run === run.run &&
      (isOurs(entry, attempt.mark) || (isUnnamed(entry) && isTimely(entry))),
  );
  const acted = own.find((entry) => isOurs(entry, attempt.mark));
  if (attempt.endedBy === undefined) {
    const evidence = readEvidence(own.map(ownFirst(attempt.mark)), {
      run: run.run,
      mark: attempt.mark,
      startedAt,
    });
    const entry = own.find(({ seq }) => seq === evidence.entry?.seq) ?? null;
    return { ...evidence, entry, process: entry?.process ?? null, acted: acted !== undefined };
  }
  const entry =
    entries.find(({ run: of, type }) => of === run.run && type === attempt.endedBy) ?? null;
  const ms = entry === null ? null : Math.max(0, Date.parse(entry.at) - startedAt);
  return {
    entry,
    stoppedBy: entry === null ? null : `${attempt.endedBy} ${reasonOf(entry)}`.trim(),
    noticedMs: ms,
    stoppedMs: ms,
    process: acted?.process ?? null,
    attributed: acted !== undefined,
    acted: acted !== undefined,
  };
}

/** Whether an attempt's process, or one that it started, is behind an entry. */
function isOurs({ process }: Entry, mark: string): boolean {
  if (process === undefined) return false;
  return [process, ...process.ancestors].some(({ argv }) => argv.join(" ").includes(mark));
}

function isUnnamed({ process }: Entry): boolean {
  return process === undefined || process.pid === 0;
}

/** The entry with the very process that has the mark in its command line, where that is an ancestor. */
function ownFirst(mark: string): (entry: Entry) => Entry {
  return (entry) => {
    const { process } = entry;
    const ancestor = process?.ancestors.find(({ argv }) => argv.join(" ").includes(mark));
    if (process === undefined || ancestor === undefined) return entry;
    return { ...entry, process: { ...process, argv: [...process.argv, ...ancestor.argv] } };
  };
}

function reasonOf({ data }: Entry): string {
  const reason = data?.["reason"] ?? data?.["why"];
  return typeof reason === "string" ? reason : "";
}

/** The detector that found one of the expected kinds for this attempt, or for its run where it names no process. */
function noticedBy(own: readonly Entry[], { expects = [], mark }: Attempt): string | null {
  const found = own.find((entry) => {
    const kind = entry.data?.["finding"];
    if (entry.type !== "finding" || typeof kind !== "string") return false;
    return expects.includes(kind) && (isUnnamed(entry) || isOurs(entry, mark));
  });
  return found === undefined ? null : detectorOf(found);
}

function callOf(entry: Entry | null): string | null {
  const call = entry?.cause?.call;
  return call === undefined ? null : `${call.name} ${call.id} (${call.by})`;
}

async function isProved(cofferdam: Cofferdam, entry: Entry): Promise<boolean> {
  const { proof, key } = await cofferdam.prove(entry.seq);
  return verifyProof(proof, key, entry) === undefined;
}

function begin(attempt: Attempt, bare: Phase): AttemptRecord {
  const { crossed, effect, harm, told } = bare.reached[attempt.name] ?? NOT_REACHED;
  const said = bare.runs[runOf(attempt)]?.said.get(attempt.name);
  const failed = `it came to nothing: ${(said?.end?.text ?? "it never ended").trim().slice(-300)}`;
  return {
    name: attempt.name,
    channel: attempt.channel ?? "command",
    target: attempt.target,
    attempted: false,
    crossed: false,
    effect: false,
    harm: false,
    bareCrossed: crossed && effect && harm,
    stoppedBy: null,
    noticedMs: null,
    stoppedMs: null,
    process: null,
    entry: null,
    proved: false,
    attributed: false,
    run: null,
    expected: [...(attempt.expects ?? [])],
    detector: null,
    call: null,
    silent: attempt.silent ?? null,
    unnamed: attempt.unnamed ?? null,
    spared: null,
    what: attempt.what,
    bare: crossed ? told : failed,
    output: "",
  };
}

/** The records of the twins, and one more: nothing cried wolf over them. */
export function recordTwins(
  drill: Drill,
  contained: Phase,
  entries: readonly Entry[],
): readonly TwinRecord[] {
  const records = drill.twins.map((twin): TwinRecord => {
    const run = contained.runs[runOf(twin)];
    const end = run?.said.get(twin.name)?.end;
    const passed = end?.code === 0 && end.text.includes(twin.expected);
    const instead = (end?.text ?? run?.output ?? "").trim().slice(-600);
    return {
      name: twin.name,
      passed,
      detail: passed ? "" : `expected ${twin.expected}, exit ${end?.code}: ${instead}`,
    };
  });
  const loud = runsOf(drill).flatMap((name) => {
    const run = contained.runs[name];
    return run === undefined ? [] : loudDuring(entries, run.run, drill, name, run.said);
  });
  const detail = loud.map(({ seq, type, rule = "" }) => `entry ${seq}: ${type} ${rule}`).join("; ");
  const quiet = "no denial and no finding on any of these";
  return [...records, { name: quiet, passed: loud.length === 0, detail: detail.slice(0, 500) }];
}

/** Denials and findings of a run before its first attempt: the twins come first. */
function loudDuring(
  entries: readonly Entry[],
  run: string,
  drill: Drill,
  name: string,
  said: ReadonlyMap<string, Said>,
): readonly Entry[] {
  if (!drill.twins.some((twin) => runOf(twin) === name)) return [];
  const starts = drill.attempts.flatMap((attempt) => said.get(attempt.name)?.startedAt ?? []);
  const until = Math.min(...starts, Number.POSITIVE_INFINITY);
  return entries.filter(
    (entry) =>
      entry.run === run &&
      (entry.type === "finding" || entry.type === "denial") &&
      Date.parse(entry.at) < until,
  );
}
