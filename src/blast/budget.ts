/**
 * Budgets: how bad a task may get at most. Given on the command line (`customer_records=0 unattended`), or in a file that is
 * committed beside the task file and holds for every task of its folder:
 *
 * ```yaml
 * budget: What agents of this repository may do at worst.
 * most:
 *   customer_records: { unattended: 0, fooled: 1000 }
 *   hosts_executable: { unattended: 0 }
 * ```
 *
 * @module
 */
import { z } from "zod";
import { Fault, visibleLine } from "../base/index.ts";
import { nearestWord, parseYamlFile, type YamlFile } from "../yaml/index.ts";
import { isMore, printAmount, type Amount } from "./amount.ts";
import type { Answer, Both, Outcome } from "./answer.ts";
import type { PathStep } from "./path.ts";
import { pathTextOf } from "./print.ts";
import type { Program } from "./program.ts";

/** What the file beside a task file is called. */
export const BUDGET_FILE = "blast-budget.yaml";

/** One bound that must hold. */
export interface Limit {
  readonly outcome: string;
  readonly which: keyof Both<Amount>;
  readonly most: number;
  /** Who says so: `--max`, a file's path. */
  readonly from: string;
}

/** A limit that does not hold. */
export interface Excess extends Limit {
  readonly found: Amount;
  /** The way by which it is broken. */
  readonly path: readonly PathStep[];
}

const AMOUNT_MAX = 1e15;
const FORM = /^\s*([a-z][a-z0-9_]{0,60})\s*=\s*(\d{1,15})\s+(unattended|fooled)\s*$/;

/** Reads `customer_records=0 unattended`. @throws {Fault} `blast.budget` */
export function parseLimit(text: string, program: Program): Limit {
  const [, outcome, most, word] = FORM.exec(text) ?? [];
  if (outcome === undefined || most === undefined || word === undefined) {
    throw new Fault("blast.budget", `not a limit: ${JSON.stringify(text)}`, {
      hint: "write OUTCOME=NUMBER and unattended or fooled: customer_records=0 unattended",
    });
  }
  if (!program.outcomes.has(outcome)) {
    throw new Fault("blast.budget", `no outcome is called ${outcome}`, {
      hint: hintFor(outcome, program),
    });
  }
  const which = word === "fooled" ? "approverFooled" : "unattended";
  return { outcome, which, most: Number(most), from: "--max" };
}

function hintFor(outcome: string, program: Program): string {
  const names = [...program.outcomes.keys()];
  const near = nearestWord(outcome, names);
  return near === undefined ? `there are ${names.join(", ")}` : `did you mean ${near}?`;
}

const amountSchema = z.int().min(0).max(AMOUNT_MAX).optional();
const budgetSchema = z.strictObject({
  budget: z
    .string()
    .trim()
    .min(1)
    .max(500)
    .meta({ description: "What the budget is for, in one sentence; shown where it is broken." }),
  most: z
    .record(
      z.string().max(60),
      z.strictObject({
        unattended: amountSchema.meta({ description: "The most without a person." }),
        fooled: amountSchema.meta({ description: "The most where whoever is asked says yes." }),
      }),
    )
    .meta({ description: "Outcomes, and the most of each: { unattended: 0, fooled: 100 }." }),
});

/** Reads a budget file. @throws {FileFault} `blast.budget`, with every problem of it */
export function parseBudget(source: string, fileName: string, program: Program): readonly Limit[] {
  const file: YamlFile<z.output<typeof budgetSchema>> = {
    code: "blast.budget",
    start: "budget: what it is for",
    empty: "an empty budget bounds nothing",
    tooLong: "keep limits of the outcomes only",
    guide: "docs/guides/blast-radius.md",
    schema: budgetSchema,
    check: ({ most }) =>
      Object.keys(most).flatMap((outcome) => [
        ...(program.outcomes.has(outcome)
          ? []
          : [
              {
                path: ["most", outcome],
                message: "is no outcome",
                hint: hintFor(outcome, program),
              },
            ]),
        ...(Object.keys(most[outcome] ?? {}).length > 0
          ? []
          : [
              {
                path: ["most", outcome],
                message: "bounds nothing",
                hint: "write unattended, fooled or both",
              },
            ]),
      ]),
  };
  const { most } = parseYamlFile(source, fileName, file);
  return Object.entries(most).flatMap(([outcome, { unattended, fooled }]) => [
    ...limitOf({ outcome, which: "unattended", from: fileName }, unattended),
    ...limitOf({ outcome, which: "approverFooled", from: fileName }, fooled),
  ]);
}

function limitOf(about: Omit<Limit, "most">, most: number | undefined): readonly Limit[] {
  return most === undefined ? [] : [{ ...about, most }];
}

/** Limits that do not hold. */
export function excessesOf(
  { outcomes }: Pick<Answer, "outcomes">,
  limits: readonly Limit[],
): readonly Excess[] {
  return limits.flatMap((limit) => {
    const outcome = outcomes.find(({ name }) => name === limit.outcome);
    if (outcome === undefined || !isMore(outcome[limit.which], limit.most)) return [];
    return [{ ...limit, found: outcome[limit.which], path: wayOf(outcome, limit) }];
  });
}

/** The nearest way; where only a yes goes beyond the limit, the one that needs it. */
function wayOf(outcome: Outcome, { which, most }: Limit): readonly PathStep[] {
  const needsYes = which === "approverFooled" && !isMore(outcome.unattended, most);
  return needsYes ? (outcome.fooledPath ?? outcome.path) : outcome.path;
}

/** `customer records readable, unattended: 12,000, and at most 0 (--max)`, and the way. */
export function printExcess({ outcome, which, most, found, from, path }: Excess): string {
  const how = which === "unattended" ? "unattended" : "with an approver fooled";
  return [
    `over budget: ${outcome}, ${how}: ${printAmount(found)}, and at most ${printAmount(most)} (${from})`,
    ...pathTextOf(path).map((line) => `  ${line}`),
  ]
    .map(visibleLine)
    .join("\n");
}
