/**
 * `approvals`: what waits for a person, shown whole, and answered.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import type { ApprovalInfo } from "../../api/index.ts";
import { Fault, visibleLine } from "../../base/index.ts";
import {
  EXIT,
  JSON_HELP,
  JSON_OPTION,
  textOption,
  type Command,
  type Context,
} from "../command.ts";
import { allowanceOf, edited } from "../approval-answers.ts";
import { followAtTerminal } from "../approval-view.ts";
import { ask } from "../credential-input.ts";
import { paintCard } from "../paint.ts";
import { channels } from "./approval-channels.ts";
import { table } from "./runs.ts";

type Subcommand = (context: Context, id: string) => Promise<number>;

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  list: listApprovals,
  show: showApproval,
  approve: approveOne,
  edit: editOne,
  deny: denyOne,
  undo: undoOne,
  follow: followAll,
};
const WITHOUT_ID = new Set(["list", "follow"]);
const USAGE = `${Object.keys(SUBCOMMANDS).join("|")} [ID] [options], or channels [test NAME]`;

export const approvalsCommand: Command = {
  name: "approvals",
  usage: USAGE,
  options: {
    all: { type: "boolean", short: "a" },
    code: { type: "string" },
    reason: { type: "string" },
    body: { type: "string" },
    "for-run": { type: "boolean" },
    count: { type: "string" },
    for: { type: "string" },
    recipients: { type: "string" },
    amount: { type: "string" },
    ...JSON_OPTION,
  },
  optionHelp: {
    all: "list: also what is over",
    code: "approve: the code on the card, which is of what the card shows",
    reason: "deny: told to the agent",
    body: "show: write the body that will be sent to this file",
    "for-run": "approve: let more of the same through for this run, within --count and --for",
    count: "with --for-run: how many more",
    for: "with --for-run: for how long (30m, 2h)",
    recipients: "with --for-run: how many different recipients in all",
    amount: "with --for-run: how much money in all (20EUR)",
    ...JSON_HELP,
  },
  examples: [
    "cofferdam approvals list",
    "cofferdam approvals show p-06hcx9k2m4q7tz",
    "cofferdam approvals approve p-06hcx9k2m4q7tz --code 4f2a91",
    "cofferdam approvals approve p-06hcx9k2m4q7tz --code 4f2a91 --for-run --count 5 --for 1h",
    "cofferdam approvals edit p-06hcx9k2m4q7tz",
    "cofferdam approvals follow",
    'cofferdam approvals deny p-06hcx9k2m4q7tz --reason "not before Monday"',
    "cofferdam approvals undo p-06hcx9k2m4q7tz",
    "cofferdam approvals channels",
    "cofferdam approvals channels test telegram",
  ],
  positionals: [1, 3],
  async run(context) {
    const [word = "", id = "", ...more] = context.positionals;
    if (word === "channels") return channels(context, id, more);
    const subcommand = Object.hasOwn(SUBCOMMANDS, word) ? SUBCOMMANDS[word] : undefined;
    const isWrong = (id === "") !== WITHOUT_ID.has(word) || more.length > 0;
    if (subcommand === undefined || isWrong) {
      throw new Fault("cli.usage", `approvals takes ${USAGE}`);
    }
    return subcommand(context, id);
  },
};

async function listApprovals(context: Context): Promise<number> {
  const all = context.values["all"] === true;
  const approvals = await (await context.daemon()).call("approvals.list", { all });
  if (isJson(context)) {
    context.out(`${JSON.stringify(approvals)}\n`);
    return EXIT.ok;
  }
  const rows = approvals.map((one) => [
    one.id,
    one.state,
    one.run,
    one.system,
    one.verb,
    one.summary,
  ]);
  context.out(table([["ID", "STATE", "RUN", "SYSTEM", "VERB", "WHAT"], ...rows]));
  return EXIT.ok;
}

async function showApproval(context: Context, id: string): Promise<number> {
  const shown = await (await context.daemon()).call("approvals.show", { id, ...width() });
  const file = textOption(context.values, "body");
  if (file !== undefined) writeFileSync(file, Buffer.from(shown.body, "base64"), { mode: 0o600 });
  if (isJson(context)) context.out(`${JSON.stringify(shown)}\n`);
  else printCard(context, shown.card);
  return EXIT.ok;
}

async function approveOne(context: Context, id: string): Promise<number> {
  const client = await context.daemon();
  const code = await codeFor(context, id);
  const allowance = leaveOf(context);
  const approved = await client.call("approvals.approve", {
    id,
    code,
    ...(allowance === undefined ? {} : { allowance }),
  });
  tell(context, approved);
  return EXIT.ok;
}

/**
 * Has a person change the content in $EDITOR. The new card shows each change, and has another code; the agent is
 * told what was changed.
 */
async function editOne(context: Context, id: string): Promise<number> {
  const client = await context.daemon();
  const { body } = await client.call("approvals.show", { id });
  const made = edited(Buffer.from(body, "base64"));
  if (made === body) context.out("nothing was changed\n");
  else await client.call("approvals.edit", { id, body: made });
  printCard(context, (await client.call("approvals.show", { id, ...width() })).card);
  return EXIT.ok;
}

/** From the line, or typed by whoever has just read the card. */
async function codeFor(context: Context, id: string): Promise<string> {
  const given = textOption(context.values, "code");
  if (given !== undefined) return given;
  const { card } = await (await context.daemon()).call("approvals.show", { id, ...width() });
  printCard(context, card);
  return (
    await ask(`type the code of ${id} to approve exactly this: `, { isHidden: false })
  ).trim();
}

function printCard(context: Context, card: string): void {
  const { stdout } = process;
  if (stdout.isTTY) stdout.write(paintCard(card, stdout));
  else context.out(card);
}

/** As wide as the terminal: what that broke off would begin a line without the card's mark. */
function width(): { readonly columns?: number } {
  return process.stdout.isTTY ? { columns: process.stdout.columns } : {};
}

async function denyOne(context: Context, id: string): Promise<number> {
  const reason = textOption(context.values, "reason") ?? "";
  tell(context, await (await context.daemon()).call("approvals.deny", { id, reason }));
  return EXIT.ok;
}

/** Takes a yes back; what still waits for a decision stays as it is. */
async function undoOne(context: Context, id: string): Promise<number> {
  tell(context, await (await context.daemon()).call("approvals.undo", { id }));
  return EXIT.ok;
}

async function followAll(context: Context): Promise<number> {
  const client = await context.daemon();
  const { stdin, stdout } = process;
  if (stdin.isTTY && stdout.isTTY && !isJson(context)) {
    await followAtTerminal(client, { input: stdin, output: stdout });
    return EXIT.ok;
  }
  for await (const approval of client.stream("approvals.follow", {})) tell(context, approval);
  return EXIT.ok;
}

function tell(context: Context, approval: ApprovalInfo): void {
  const { id, state, system, verb, summary, reason } = approval;
  const why = reason === "" ? "" : `: ${reason}`;
  const text = visibleLine(`${id}  ${state}${why}  ${system} ${verb}  ${summary}`);
  context.out(isJson(context) ? `${JSON.stringify(approval)}\n` : `${text}\n`);
}

function isJson(context: Context): boolean {
  return context.values["json"] === true;
}

function leaveOf({ values }: Context) {
  const [count, time] = [textOption(values, "count"), textOption(values, "for")];
  const [recipients, amount] = [textOption(values, "recipients"), textOption(values, "amount")];
  if (values["for-run"] !== true) {
    if ([count, time, recipients, amount].some((one) => one !== undefined)) {
      throw new Fault("cli.usage", "--count, --for, --recipients and --amount go with --for-run");
    }
    return undefined;
  }
  if (count === undefined || time === undefined) {
    throw new Fault(
      "cli.usage",
      "--for-run needs --count and --for: how many more, and for how long",
    );
  }
  return allowanceOf({ count, time, recipients, amount });
}
