/**
 * Cards: an action as a person reads it before deciding. Made from the action alone, so that what is shown is
 * what is judged; every character that could draw, hide or reorder is spelled out.
 *
 * @module
 */
import type { Action, Json } from "../action/index.ts";
import type { Look } from "../api/index.ts";
import { visibleLine } from "../base/index.ts";
import { codeOf } from "./approval.ts";
import { diffJson } from "./look/diff.ts";
import { lookOf } from "./look/look.ts";
import { block, type Block } from "./render/block.ts";
import { printLook } from "./render/render.ts";

/** What a card says besides its action. */
export interface CardContext {
  readonly id: string;
  readonly run: string;
  readonly task: string;
  readonly state: string;
  readonly expiresAt: string;
  readonly variantOf?: string;
  readonly note?: string;
  /** The body that the agent asked for, where a person edited it. */
  readonly asked?: Json | undefined;
  /** What leave for more of the same would make possible at worst; nothing where nobody may give it. */
  readonly leave?: readonly string[];
  /** How bad its run could get now, where it asks for more access. */
  readonly worst?: readonly string[];
  /** What else its run did, a line each. */
  readonly deeds?: readonly string[];
}

export interface Card {
  readonly title: string;
  readonly blocks: readonly Block[];
  /** Set where some of what will be sent cannot be shown: who decides then must look at the bytes. */
  readonly hidden?: string;
}

const WORDS = {
  read: "reads",
  "read-private": "reads private data",
  write: "writes",
  publish: "PUBLISHES",
  send: "SENDS to others",
  execute: "EXECUTES",
  delete: "DELETES",
  administer: "ADMINISTERS",
  spend: "SPENDS",
} as const;

/** The card of `action`, of which `look` is the reading. */
export function cardOf(action: Action, context: CardContext, look = lookOf(action)): Card {
  const { impact, fields, cause } = action;
  const hidden = hiddenLine(look);
  const kinds = new Set(
    (action.parts ?? []).map(({ verb, effects, count = 1 }) => {
      return `${verb} (${effects.join(", ")})${count > 1 ? `, ${count} times` : ""}`;
    }),
  );
  const blocks: (Block | undefined)[] = [
    block("What", [action.summary]),
    block("Does", [action.effects.map((effect) => WORDS[effect]).join(", ")]),
    block("Undo", [impact?.reversible === true ? "the system can undo it" : "cannot be undone"]),
    kinds.size < 2 ? undefined : block("Parts", [...kinds]),
    listed(`To (${impact?.recipients?.length ?? 0})`, impact?.recipients),
    impact?.amount === undefined
      ? undefined
      : block("Amount", [`${impact.amount.value} ${impact.amount.currency}`]),
    impact?.takesEffectAt === undefined ? undefined : block("Takes effect", [impact.takesEffectAt]),
    block("Request", [requestLine(action)]),
    ...printLook(look),
    hidden === undefined ? undefined : block("Not shown", [hidden]),
    context.note ? block("Edited", [context.note, ...editOf(context, fields["body"])]) : undefined,
    context.variantOf
      ? block("Variant", [`${context.variantOf} asks for the same with other content`])
      : undefined,
    block("Caused by", causeLines(cause)),
    block("Run", [`${context.run}, task ${context.task}`]),
    listed("Run did", context.deeds),
    context.leave === undefined ? undefined : block("More of it", leaveLines(context.leave)),
    listed("At worst", context.worst),
    block("Answer until", [context.expiresAt]),
    block("Code", [codeOf(action)]),
  ];
  const title = `${context.id}  ${action.system}: ${action.verb}  [${context.state}]`;
  return {
    title,
    blocks: blocks.filter((one) => one !== undefined),
    ...(hidden === undefined ? {} : { hidden }),
  };
}

/** The card as text, `width` columns wide. Each line of the content is marked, so none can pass for ours. */
export function printCard(card: Card, width = 100): string {
  const labelled = card.blocks.flatMap(({ label, lines }) =>
    lines.flatMap((line, at) => {
      const head = (at === 0 ? label : "").padEnd(LABEL_COLUMNS);
      return wrapped(line, Math.max(width - LABEL_COLUMNS - 2, COLUMNS_MIN)).map(
        (part, n) => `${n === 0 ? head : "".padEnd(LABEL_COLUMNS)}| ${part}`,
      );
    }),
  );
  return `${wrapped(visibleLine(card.title), width).join("\n")}\n${labelled.join("\n")}\n`;
}
const LABEL_COLUMNS = 13;
const COLUMNS_MIN = 16;

/**
 * The card for a narrow screen: each label on a line of its own, and every line of content marked and short
 * enough that the screen does not break it: what it broke off would begin a line without the mark.
 */
export function printTallCard(card: Card): string {
  const labelled = card.blocks.flatMap(({ label, lines }) => [
    visibleLine(label),
    ...lines.flatMap((line) => wrapped(line, TALL_COLUMNS).map((part) => `| ${part}`)),
  ]);
  return `${visibleLine(card.title)}\n${labelled.join("\n")}\n`;
}
/** What a phone shows of its usual type. */
const TALL_COLUMNS = 34;

function listed(label: string, items: readonly string[] = []): Block | undefined {
  return items.length === 0 ? undefined : block(label, items.map(visibleLine));
}

/** Before and after: what `--for-run` would widen. */
function leaveLines(changes: readonly string[]): readonly string[] {
  return changes.length === 0
    ? ["leave for more of the same (--for-run) changes nothing of what is possible at worst"]
    : ["with leave for more of the same (--for-run), at worst:", ...changes.map(visibleLine)];
}

function requestLine({ fields, target }: Action): string {
  const query =
    typeof fields["query"] === "string" && fields["query"] !== "" ? `?${fields["query"]}` : "";
  const method = typeof fields["method"] === "string" ? `${fields["method"]} ` : "";
  return `${method}${target}${query}`;
}

/** What a person changed of what the agent asked for. */
function editOf({ asked }: CardContext, body: Json | undefined): readonly string[] {
  return asked === undefined ? [] : diffJson(asked, body);
}

function causeLines({ exe, pid, argv, ancestors, knownBy }: Action["cause"]): readonly string[] {
  if (knownBy === "unknown") return ["not known"];
  const above = ancestors.map((one) => one.exe.split("/").at(-1)).join(" < ");
  return [
    `${exe} (${pid}) ${argv.slice(1).join(" ")}`,
    ...(above === "" ? [] : [`below ${above}`]),
  ];
}

/** What of the content is not on the card. */
function hiddenLine({ conversation, hidden }: Look): string | undefined {
  if (conversation !== undefined || hidden.length === 0) return conversation;
  return `${hidden.join(", ")}: \`cofferdam approvals show --body FILE\` writes down all that is sent`;
}

/** Lines of at most `columns` columns; nothing is left out. A terminal must break none of them itself. */
function wrapped(line: string, columns: number): readonly string[] {
  if (line.length * WIDE <= columns) return [line];
  const parts: string[] = [];
  let [part, width, space] = ["", 0, -1];
  for (const one of line) {
    const own = widthOf(one);
    while (width + own > columns && part !== "") {
      // At a space, unless that would leave more than half of the line empty.
      const at = space > part.length / 2 ? space + 1 : part.length;
      parts.push(part.slice(0, at));
      part = part.slice(at);
      width = Array.from(part, widthOf).reduce((sum, each) => sum + each, 0);
      space = -1;
    }
    if (one === " ") space = part.length;
    part += one;
    width += own;
  }
  return [...parts, part];
}
const WIDE = 8; // Columns of the widest: a tab.

/** Columns that a character may take, at most. */
function widthOf(character: string): number {
  if (character === "\t") return WIDE;
  return character <= "~" ? 1 : 2;
}
