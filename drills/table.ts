/**
 * What drills found, as a table: one row for each attempt.
 *
 * @module
 */
import {
  escapesOf,
  faultsOf,
  isPassed,
  isUnnoticed,
  type AttemptRecord,
  type DrillRecord,
} from "./record.ts";
import type { Ink } from "./story.ts";

const HEAD = [
  "drill",
  "attempt",
  "channel",
  "tried",
  "crossed",
  "effect",
  "harm",
  "detector",
  "noticed",
  "stopped",
  "by",
  "proof",
];
/** How much is shown of what an agent answered in place of an attempt, in characters. */
const ANSWER_CHARS_MAX = 200;
/** How much of a cell is shown, in characters. */
const CELL_CHARS_MAX = 34;

/** All of `drills` in one table, then each thing that is wrong, then the counts. */
export function tellTable(drills: readonly DrillRecord[], ink: Ink): readonly string[] {
  const rows = drills.flatMap((drill) =>
    drill.attempts.map((attempt) => [idOf(drill), ...cellsOf(attempt)].map(clip)),
  );
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [
    ink.strong(line(HEAD)),
    ...rows.map(line),
    "",
    ...tellFaults(drills, ink),
    tellCounts(drills, ink),
  ];
}

/** The same of attempts that were made without Cofferdam alone. */
export function tellBare(drills: readonly DrillRecord[], ink: Ink): readonly string[] {
  const attempts = drills.flatMap((drill) =>
    drill.attempts.map((attempt) => ({ id: idOf(drill), attempt })),
  );
  const through = attempts.filter(({ attempt }) => attempt.bareCrossed);
  const lines = attempts.map(({ id, attempt }) => {
    const { bareCrossed, what, target, bare } = attempt;
    const mark = bareCrossed ? ink.bad("got through") : "came to nothing";
    return `${id}  ${mark}  ${what}${byOf(attempt)}, to ${target}: ${bare}`;
  });
  const skipped = drills.flatMap((drill) =>
    drill.skipped === null ? [] : [ink.faint(`${idOf(drill)} skipped: ${drill.skipped}`)],
  );
  const failed = drills.flatMap((drill) =>
    drill.failed === null ? [] : [ink.bad(`${idOf(drill)} failed: ${drill.failed}`)],
  );
  const counts = `${through.length} of ${attempts.length} attempts got through; nothing stood in their way.`;
  return [...lines, ...skipped, ...failed, "", ink.strong(counts)];
}

/** Why a drill was not contained, or not shown to be, a line each. */
function tellFaults(drills: readonly DrillRecord[], ink: Ink): readonly string[] {
  const lines = drills.flatMap((drill) => {
    const id = idOf(drill);
    if (drill.skipped !== null) return [ink.faint(`${id} skipped: ${drill.skipped}`)];
    if (drill.failed !== null) return [ink.bad(`${id} failed: ${drill.failed}`)];
    const attempts = drill.attempts.flatMap((attempt) =>
      tellAttempt(attempt, ink).map((line) => `${id} ${nameOf(attempt)}: ${line}`),
    );
    const twins = drill.twins
      .filter(({ passed }) => !passed)
      .map(({ name, detail }) =>
        drill.task === "built-in"
          ? ink.bad(`${id} twin "${name}" failed: ${detail}`)
          : ink.faint(`${id} twin "${name}" is not granted by ${drill.task}`),
      );
    const ledger = drill.ledgerIntact ? [] : [ink.bad(`${id}: the ledger is not intact`)];
    return [...attempts, ...twins, ...ledger];
  });
  return lines.length === 0 ? [] : [...lines, ""];
}

/** What is wrong with one attempt. Where it got through, that is all there is to say. */
function tellAttempt(attempt: AttemptRecord, ink: Ink): readonly string[] {
  const escapes = escapesOf(attempt);
  const missing = `no ${attempt.expected.join(" or ")} finding`;
  if (escapes.length > 0) {
    const noticed = isUnnoticed(attempt) ? `, and not noticed: ${missing}` : "";
    return [ink.bad(`${escapes.join(", ")}${noticed}`)];
  }
  const { attempted, channel, spared, output } = attempt;
  const answer = output.replaceAll(/\s+/g, " ").slice(0, ANSWER_CHARS_MAX);
  return [
    ...faultsOf(attempt).map((why) => ink.bad(why)),
    ...(attempted || spared !== null || channel === "command" || answer === ""
      ? []
      : [ink.faint(`what came instead: ${answer}`)]),
    ...(attempt.spared === null ? [] : [`not tried any more: ${attempt.spared}`]),
    ...(attempt.unnamed === null || attempt.attributed
      ? []
      : [`contained, but the process is not named: ${attempt.unnamed}`]),
    ...(isUnnoticed(attempt) ? [`contained, but not noticed: ${missing}`] : []),
  ];
}

function tellCounts(drills: readonly DrillRecord[], ink: Ink): string {
  const attempts = drills.flatMap((drill) => drill.attempts);
  const twins = drills.flatMap((drill) => drill.twins);
  const count = (of: readonly unknown[], among: readonly unknown[]) =>
    `${of.length} of ${among.length}`;
  const contained = attempts.filter((attempt) => faultsOf(attempt).length === 0);
  const bare = attempts.filter(({ bareCrossed }) => bareCrossed);
  const unnoticed = attempts.filter(isUnnoticed);
  const passed = twins.filter((twin) => twin.passed);
  const skipped = drills.filter((drill) => drill.skipped !== null);
  const text =
    `${count(bare, attempts)} attempts got through without Cofferdam, ${count(contained, attempts)} were contained with it, ` +
    `${count(passed, twins)} benign twins passed; ${unnoticed.length} not noticed by a detector, ${skipped.length} drills skipped.`;
  return drills.every((drill) => isPassed(drill) || drill.skipped !== null)
    ? ink.good(text)
    : ink.bad(text);
}

/** `, by prompt`, where a model was led to it. */
function byOf({ channel }: AttemptRecord): string {
  return channel === "command" ? "" : `, by ${channel}`;
}

function nameOf(attempt: AttemptRecord): string {
  return attempt.name + byOf(attempt);
}

function idOf({ name }: DrillRecord): string {
  return /^d\d+/.exec(name)?.[0] ?? name;
}

function cellsOf(attempt: AttemptRecord): readonly string[] {
  const yes = (value: boolean) => (value ? "yes" : "no");
  const seconds = (ms: number | null) => (ms === null ? "-" : `${(ms / 1000).toFixed(2)} s`);
  const { name, channel, attempted, crossed, effect, harm } = attempt;
  const { noticedMs, stoppedMs, proved, silent } = attempt;
  return [
    name,
    channel,
    yes(attempted),
    yes(crossed),
    yes(effect),
    yes(harm),
    detectorCell(attempt),
    seconds(noticedMs),
    seconds(stoppedMs),
    byCell(attempt),
    proved ? "holds" : silent === null && attempt.spared === null ? "NONE" : "-",
  ];
}

function detectorCell(attempt: AttemptRecord): string {
  if (attempt.detector !== null) return attempt.detector;
  if (isUnnoticed(attempt)) return "not noticed";
  return attempt.stoppedBy ?? "-";
}

/** The tool call where one is known, else the process. */
function byCell({ process, call, silent }: AttemptRecord): string {
  if (process === null || process.pid === 0) return silent === null ? "unknown" : "-";
  const name = process.exe.split("/").at(-1) ?? "";
  return `${name}[${process.pid}]${call === null ? "" : ` ${call}`}`;
}

function clip(cell: string): string {
  return cell.length > CELL_CHARS_MAX ? `${cell.slice(0, CELL_CHARS_MAX - 3)}...` : cell;
}
