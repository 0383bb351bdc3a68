/**
 * An answer as text.
 *
 * @module
 */
import { visibleLine } from "../base/index.ts";
import { printAmount } from "./amount.ts";
import type { Answer, Outcome, OutcomeObject } from "./answer.ts";
import { printCutOutcome, type Cut } from "./cut/index.ts";
import type { PathFact, PathStep } from "./path.ts";
import { UNBOUNDED } from "./program.ts";

const OBJECTS_SHOWN = 5;
const COMPUTE = "compute_usable"; // One step, which says what the table does.

/** What `blast` prints. Names that systems gave are spelled out where they would not show. */
export function printAnswer(answer: Answer, cuts: readonly Cut[] = []): string {
  const lines = [answer.sentence, "", ...tableOf(answer)];
  const told: Told = { steps: new Map(), facts: new Set() };
  for (const outcome of answer.outcomes) lines.push(...sectionOf(outcome, told));
  lines.push(...cuts.flatMap((cut, at) => cutLines(cut, at === 0)), ...assumptionLines(answer));
  return `${lines.map(visibleLine).join("\n")}\n`;
}

/** What was told before: the same way is not told twice. */
interface Told {
  /** Texts of the first steps of ways, and under which outcome they stand. */
  readonly steps: Map<string, string>;
  readonly facts: Set<string>;
}

function tableOf({ outcomes, without }: Answer): readonly string[] {
  const rows = outcomes.map(({ name, says, unattended, approverFooled }) => {
    const bare = without?.outcomes.find((one) => one.name === name)?.amount;
    return [
      says,
      ...[unattended, approverFooled, ...(bare === undefined ? [] : [bare])].map(printAmount),
    ];
  });
  const head = ["", "unattended", "approver fooled"];
  return columns([without === undefined ? head : [...head, "without Cofferdam"], ...rows]);
}

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

function sectionOf(outcome: Outcome, told: Told): readonly string[] {
  const { says, approverFooled, unattended, path, fooledPath, objects } = outcome;
  if (approverFooled === 0 || outcome.name === COMPUTE) return [];
  const [first] = objects;
  const needsYes = (first?.persons ?? 0) > 0;
  return [
    "",
    `${capitalized(says)}${needsYes ? ", if whoever approves is fooled" : ""}`,
    ...wayOf(path, says, told),
    ...(fooledPath === undefined
      ? []
      : [
          `  With a yes more (${printAmount(approverFooled)} instead of ${printAmount(unattended)}):`,
          ...wayOf(fooledPath, says, told),
        ]),
    ...backupLines(outcome),
    ...furtherLines(objects),
  ];
}

/** For the begin of a line; what begins with a name stays as the name is written. */
export function capital(text: string): string {
  const isOurs = /^(?:as|by|from|have|it|its|keep|let|take|the|what)\b/.test(text);
  return isOurs ? capitalized(text) : text;
}

export function capitalized(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/** A way, less the first steps that were told under another outcome. */
function wayOf(path: readonly PathStep[], under: string, told: Told): readonly string[] {
  const keys = path.map((_, at) =>
    path
      .slice(0, at + 1)
      .map(({ gives }) => gives)
      .join("\n"),
  );
  const known = keys.findLastIndex((key) => told.steps.has(key));
  const where = told.steps.get(keys[known] ?? "");
  for (const key of keys) if (!told.steps.has(key)) told.steps.set(key, under);
  const isWorth = where !== undefined && (known > 0 || where === under);
  const from = isWorth ? known + 1 : 0;
  const lines = pathTextOf(path, { from, facts: told.facts }).map((line) => `  ${line}`);
  if (!isWorth) return lines;
  const numbers = from === 1 ? "1." : `1-${from}.`;
  return [`  ${numbers} As above${where === under ? "" : `, under ${where}`}`, ...lines];
}

/** Steps with their numbers, each with the facts behind it that no step before rests on. */
export function pathTextOf(
  path: readonly PathStep[],
  {
    from = 0,
    facts: told = new Set<string>(),
  }: { readonly from?: number; readonly facts?: Set<string> } = {},
): readonly string[] {
  return path.slice(from).flatMap(({ says, facts }, at) => {
    const shown = facts.filter((one) => {
      const isNew = !told.has(one.fact) && !isObvious(one);
      told.add(one.fact);
      return isNew || one.persons > 0; // Whom it costs is worth saying each time.
    });
    const assumed = Map.groupBy(
      shown.filter(({ isAssumed }) => isAssumed),
      ({ from: why }) => why,
    );
    return [
      `${from + at + 1}. ${capital(says)}`,
      ...shown.filter(({ isAssumed }) => !isAssumed).map((one) => `     - ${factLine(one)}`),
      ...[...assumed].map(
        ([why, some]) => `     - assumed: ${some.map(saidOf).join("; ")} (${why})`,
      ),
    ];
  });
}

/** Facts that say what their step does. */
export function isObvious({ fact }: PathFact): boolean {
  return OBVIOUS.has(fact.slice(0, fact.indexOf("(")));
}
const OBVIOUS = new Set(["uses", "principal", "host", "at", "is_effect"]);

function factLine(fact: PathFact): string {
  return fact.from === "" ? saidOf(fact) : `${saidOf(fact)} (${fact.from})`;
}

function saidOf({ says, persons }: PathFact): string {
  if (persons === 0) return says;
  return `${says}, once ${persons === 1 ? "a person says" : `${persons} persons say`} yes`;
}

function backupLines({ backup, objects }: Outcome): readonly string[] {
  if (backup === undefined) return [];
  const words = {
    "in reach": "every backup that is known of it can be destroyed as well",
    "out of reach": "a backup of it is out of reach",
    "none known": "no backup of it is known",
  } as const;
  const said = objects.flatMap(({ object, backup: own, unattended }) => {
    if (own === undefined) return [];
    const fooled = words[own.approverFooled];
    if (unattended === 0 || own.unattended === own.approverFooled)
      return [{ object, said: fooled }];
    return [{ object, said: `${words[own.unattended]}; with an approver fooled ${fooled}` }];
  });
  return [...Map.groupBy(said, (one) => one.said)].map(([text, of]) => {
    const names = of.slice(0, OBJECTS_SHOWN).map(({ object }) => object);
    const rest = of.length - names.length;
    return `  Backups: ${text} (${names.join("; ")}${rest > 0 ? `; and ${rest} more` : ""})`;
  });
}

function furtherLines(objects: readonly OutcomeObject[]): readonly string[] {
  const more = objects.slice(1);
  if (more.length === 0) return [];
  const shown = more.slice(0, OBJECTS_SHOWN).map(({ object, approverFooled, persons }) => {
    const amount = approverFooled === UNBOUNDED ? "" : ` (${printAmount(approverFooled)})`;
    return `${object}${amount}${persons > 0 ? " after a yes" : ""}`;
  });
  const rest = more.length - shown.length;
  return [`  Also: ${shown.join("; ")}${rest > 0 ? `; and ${rest} more` : ""}`];
}

function cutLines(
  { says, diff = "", cuts, takes, asks }: Cut,
  isFirst: boolean,
): readonly string[] {
  return [
    "",
    `${isFirst ? "What would cut most at the least cost" : "Or"}: ${says}`,
    ...cuts.flatMap(printCutOutcome).map((line) => `  ${line}`),
    ...(takes.length === 0 ? [] : [`  The task loses ${shortened(takes)}.`]),
    ...(asks.length === 0 ? [] : [`  More is asked of a person for ${shortened(asks)}.`]),
    ...(diff === "" ? [] : ["", ...diff.trimEnd().split("\n")]),
  ];
}

function shortened(verbs: readonly string[]): string {
  const shown = verbs.slice(0, VERBS_SHOWN).join(", ");
  return verbs.length > VERBS_SHOWN ? `${shown} and ${verbs.length - VERBS_SHOWN} more` : shown;
}
const VERBS_SHOWN = 8;

function assumptionLines({ assumptions, without }: Answer): readonly string[] {
  const bare = (without?.assumptions ?? []).filter((one) => !assumptions.includes(one));
  return [
    ...listed("Not known, and counted at its worst", assumptions),
    ...listed("Beside that, without Cofferdam", bare),
  ];
}

function listed(title: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : ["", `${title}:`, ...items.map((item) => `  - ${item}`)];
}
