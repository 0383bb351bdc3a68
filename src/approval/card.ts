/**
 * Cards: an action as a person reads it before deciding. Made from the action alone, so that what is shown is
 * what is judged; every character that could draw, hide or reorder is spelled out.
 *
 * @module
 */
import type { Action, Json } from "../action/index.ts";
import { visibleLine, visibleLines } from "../base/index.ts";
import { codeOf } from "./approval.ts";

/** What a card says besides its action. */
export interface CardContext {
  readonly id: string;
  readonly run: string;
  readonly task: string;
  readonly state: string;
  readonly expiresAt: string;
  readonly variantOf?: string;
  readonly note?: string;
}

/** One labelled part of a card. */
export interface Block {
  readonly label: string;
  readonly lines: readonly string[];
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

/** The card of `action`. */
export function cardOf(action: Action, context: CardContext): Card {
  const { impact, fields, cause } = action;
  const hidden = hiddenIn(fields);
  const parts = action.parts ?? [];
  const blocks: (Block | undefined)[] = [
    block("What", [action.summary]),
    block("Does", [action.effects.map((effect) => WORDS[effect]).join(", ")]),
    block("Undo", [impact?.reversible === true ? "the system can undo it" : "cannot be undone"]),
    parts.length < 2
      ? undefined
      : block(
          "Parts",
          parts.map(({ verb, effects }) => `${verb} (${effects.join(", ")})`),
        ),
    listed("To", impact?.recipients),
    impact?.amount === undefined
      ? undefined
      : block("Amount", [`${impact.amount.value} ${impact.amount.currency}`]),
    impact?.takesEffectAt === undefined ? undefined : block("Takes effect", [impact.takesEffectAt]),
    block("Request", [requestLine(action)]),
    ...contentBlocks(fields),
    hidden === undefined ? undefined : block("Not shown", [hidden]),
    context.note ? block("Edited", [context.note]) : undefined,
    context.variantOf
      ? block("Variant", [`${context.variantOf} asks for the same with other content`])
      : undefined,
    block("Caused by", causeLines(cause)),
    block("Run", [`${context.run}, task ${context.task}`]),
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
      return wrapped(line, width - LABEL_COLUMNS - 2).map(
        (part, n) => `${n === 0 ? head : "".padEnd(LABEL_COLUMNS)}| ${part}`,
      );
    }),
  );
  return `${visibleLine(card.title)}\n${labelled.join("\n")}\n`;
}
const LABEL_COLUMNS = 13;

/**
 * The card for a narrow screen: each label on a line of its own, and every line of content marked and short
 * enough that the screen does not break it: what it broke off would begin a line without the mark.
 */
export function printTallCard(card: Card): string {
  const labelled = card.blocks.flatMap(({ label, lines }) => [
    visibleLine(label),
    ...lines.flatMap((line) => wrapped(line, tallColumns(line)).map((part) => `| ${part}`)),
  ]);
  return `${visibleLine(card.title)}\n${labelled.join("\n")}\n`;
}
/** What a phone shows of its usual type; a character beyond ASCII may be twice as wide. */
const TALL_COLUMNS = 34;
const tallColumns = (line: string) => (/[^\0-\x7f]/.test(line) ? TALL_COLUMNS / 2 : TALL_COLUMNS);

function block(label: string, lines: readonly string[]): Block {
  return { label, lines: lines.flatMap((line) => visibleLines(line).split("\n")) };
}

function listed(label: string, items: readonly string[] | undefined): Block | undefined {
  if (items === undefined || items.length === 0) return undefined;
  return block(`${label} (${items.length})`, items);
}

function requestLine({ fields, target }: Action): string {
  const query =
    typeof fields["query"] === "string" && fields["query"] !== "" ? `?${fields["query"]}` : "";
  const method = typeof fields["method"] === "string" ? `${fields["method"]} ` : "";
  return `${method}${target}${query}`;
}

/** The content, and what of the present state it changes. */
function contentBlocks(fields: Action["fields"]): readonly Block[] {
  const { body, current, ...rest } = fields;
  const blocks: Block[] = [];
  if (body !== undefined) blocks.push(...valueBlocks("Content", body));
  const before = current === undefined ? [] : changedFrom(current, body);
  if (before.length > 0) blocks.push(block("Now", before));
  const more = Object.entries(rest).filter(([name]) => !TRANSPORT.has(name));
  for (const [name, value] of more) blocks.push(...valueBlocks(name, value));
  return blocks;
}
const TRANSPORT = new Set([
  "method",
  "scheme",
  "host",
  "port",
  "path",
  "query",
  "show",
  "upgrade",
  "contentType",
]);

function valueBlocks(label: string, value: Json): readonly Block[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [block(label, [text(value)])];
  }
  return [
    block(
      label,
      Object.entries(value).flatMap(([name, item]) => {
        const lines = text(item ?? null).split("\n");
        if (lines.length === 1) return [`${name}: ${lines[0] ?? ""}`];
        return [`${name}:`, ...lines.map((line) => `  ${line}`)];
      }),
    ),
  ];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
}

/** What the look-ups found under the names that the body gives anew. */
function changedFrom(current: Json, body: Json | undefined): readonly string[] {
  if (typeof current !== "object" || current === null) return [];
  const names = typeof body === "object" && body !== null ? Object.keys(body) : [];
  return Object.entries(current).flatMap(([fact, value]) => {
    if (typeof value !== "object" || value === null) return [`${fact}: ${text(value)}`];
    const told = Object.entries(value).filter(
      ([name]) => names.includes(name) || name === "status",
    );
    return told.map(([name, item]) => `${name}: ${plain(item)}`);
  });
}

/** WordPress and others give a text as {raw, rendered}. */
function plain(value: unknown): string {
  if (typeof value === "object" && value !== null && "raw" in value) return text(value.raw);
  return text(value);
}

function causeLines({ exe, pid, argv, ancestors, knownBy }: Action["cause"]): readonly string[] {
  if (knownBy === "unknown") return ["not known"];
  const above = ancestors.map((one) => one.exe.split("/").at(-1)).join(" < ");
  return [
    `${exe} (${pid}) ${argv.slice(1).join(" ")}`,
    ...(above === "" ? [] : [`below ${above}`]),
  ];
}

/** What stands for bytes that are known by their hash only, wherever in the fields it is. */
function hiddenIn(fields: Json): string | undefined {
  const hashed = hashesIn(fields);
  if (hashed.length === 0) return undefined;
  const each = hashed.map(
    ({ bytes, sha256 }) => `${text(bytes)} bytes with SHA-256 ${text(sha256)}`,
  );
  return `${each.join(", ")}: \`cofferdam approvals show --body FILE\` writes down all that is sent`;
}

function hashesIn(value: Json): readonly { readonly bytes: Json; readonly sha256: Json }[] {
  if (typeof value !== "object" || value === null) return [];
  const own = value as Readonly<Record<string, Json>>;
  // A part of the body as the catalog gives it, or the whole body of a system that it does not know.
  const { bytes = own["bodyBytes"], sha256 = own["bodySha256"] } = own;
  const here = bytes === undefined || sha256 === undefined ? [] : [{ bytes, sha256 }];
  return [...here, ...Object.values(own).flatMap(hashesIn)];
}

/** Lines of at most `columns` characters; nothing is left out. */
function wrapped(line: string, columns: number): readonly string[] {
  if (line.length <= columns) return [line];
  const parts: string[] = [];
  for (let rest = line; rest !== "";) {
    const space = rest.length <= columns ? -1 : rest.lastIndexOf(" ", columns);
    const cut = /[\uDC00-\uDFFF]/.test(rest.charAt(columns)) ? columns - 1 : columns; // No half character.
    const at = rest.length <= columns ? rest.length : space > columns / 2 ? space + 1 : cut;
    parts.push(rest.slice(0, at));
    rest = rest.slice(at);
  }
  return parts;
}
