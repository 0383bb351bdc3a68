/**
 * `retention`: how long the record is kept, what is due and what is on hold.
 *
 * @module
 */
import { Fault, visibleLine } from "../../base/index.ts";
import type { Gives } from "../../api/index.ts";
import {
  EXIT,
  JSON_HELP,
  JSON_OPTION,
  textOption,
  type Command,
  type Context,
} from "../command.ts";
import { table } from "./runs.ts";

const USAGE = "[--prune] | hold RUN --why TEXT | release RUN --why TEXT";
type Shown = Gives<"retention.show">;

export const retentionCommand: Command = {
  name: "retention",
  usage: `${USAGE} [--json]`,
  options: { prune: { type: "boolean" }, why: { type: "string" }, ...JSON_OPTION },
  optionHelp: {
    prune: "remove what is due now; without it nothing is removed. The daemon does it once a day",
    why: "hold, release: the reason, which goes on record",
    ...JSON_HELP,
  },
  examples: [
    "cofferdam retention",
    "cofferdam retention --prune",
    'cofferdam retention hold r-06hcx9k2m4q7tz --why "case 2026-17"',
    'cofferdam retention release r-06hcx9k2m4q7tz --why "case closed"',
  ],
  positionals: [0, 2],
  async run(context) {
    const [word, run] = context.positionals;
    const why = textOption(context.values, "why");
    if (word === undefined && why === undefined) return await show(context);
    const isKnown = word === "hold" || word === "release";
    if (!isKnown || run === undefined || why === undefined || context.values["prune"] === true) {
      throw new Fault("cli.usage", `retention takes ${USAGE}`);
    }
    await (await context.daemon()).call(`retention.${word}`, { run, why });
    if (context.values["json"] === true) context.out(`${JSON.stringify({ [word]: run })}\n`);
    else context.out(word === "hold" ? `${run} is on hold\n` : `${run} is released\n`);
    return EXIT.ok;
  },
};

async function show(context: Context): Promise<number> {
  const client = await context.daemon();
  const done =
    context.values["prune"] === true ? await client.call("retention.prune", {}) : undefined;
  const shown = done?.show ?? (await client.call("retention.show", {}));
  const { monthsOf } = await import("../../retention/index.ts");
  const byMonth = monthsOf(context.home.ledger);
  const pruned = done && { entries: done.entries, runs: done.runs };
  if (context.values["json"] === true) {
    context.out(`${JSON.stringify({ ...shown, byMonth, ...(pruned && { done: pruned }) })}\n`);
    return EXIT.ok;
  }
  const rows = byMonth.map(({ month, entries, bytes }) => [
    month,
    String(entries),
    `${(bytes / 2 ** 20).toFixed(1)} MiB`,
  ]);
  context.out(table([["MONTH", "ENTRIES", "SIZE"], ...rows]));
  context.out(`${linesOf(shown).join("\n")}\n`);
  if (pruned !== undefined) {
    const { entries, runs } = pruned;
    context.out(`removed now: ${entries} entries, and all of ${runs.length} runs\n`);
  }
  return EXIT.ok;
}

function linesOf({ months, warning, cutoff, due, kept, pruned, last, holds }: Shown): string[] {
  const span = ({ from, to }: { readonly from: number; readonly to: number }) =>
    `${from}-${to - 1}`;
  const on = last === undefined ? "" : `, last on ${last.at.slice(0, 10)} (entry ${last.entry})`;
  const lines = [
    cutoff === undefined
      ? "kept for ever"
      : `kept for ${months} months: what is older than ${cutoff.slice(0, 10)} is due`,
    ...(warning === undefined ? [] : [`note: ${warning}`]),
    due.entries === 0
      ? "due: nothing"
      : `due: ${due.entries} entries (${due.ranges.map(span).join(", ")})`,
    ...kept.map((one) => `stays: entries ${span(one)}: ${one.why}`),
    ...(pruned.length === 0 ? [] : [`pruned: entries ${pruned.map(span).join(", ")}${on}`]),
    ...holds.map(
      ({ run, at, by, why }) => `on hold: ${run} since ${at.slice(0, 10)} by ${by}: ${why}`,
    ),
  ];
  return lines.map(visibleLine);
}
