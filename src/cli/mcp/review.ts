/**
 * What a person is shown of a server's tools before they are pinned: all words that the agent's model would read,
 * with what cannot be seen spelled out, and what the server says of itself as no more than that.
 *
 * @module
 */
import { canonicalJson, type Effect } from "../../action/index.ts";
import { UNSEEN, visibleLine, visibleLines } from "../../base/index.ts";
import { mcp } from "../../protocols/index.ts";

/** All that a server lists. */
export interface Listing {
  readonly server: string | undefined;
  readonly instructions: string | undefined;
  readonly tools: readonly mcp.Members[];
  readonly prompts: readonly mcp.Members[];
  readonly templates: readonly mcp.Members[];
}

/** The review, line by line. */
export function reviewLines(
  listing: Listing,
  before: mcp.Pin | undefined,
  effects: Readonly<Record<string, readonly Effect[]>>,
): readonly string[] {
  const { server, instructions } = listing;
  const kinds = Object.keys(mcp.LISTS) as mcp.ListKind[];
  return [
    `server: ${visibleLine(server ?? "(no name)")}`,
    ...(instructions === undefined
      ? []
      : ["it tells every agent:", ...indented(instructions), ...hiddenNote(instructions)]),
    ...kinds.flatMap((kind) =>
      listing[kind].flatMap((item) => ["", ...itemLines(kind, item, before, effects)]),
    ),
    ...(before === undefined ? [] : gone(listing, before)),
  ];
}

function itemLines(
  kind: mcp.ListKind,
  item: mcp.Members,
  before: mcp.Pin | undefined,
  effects: Readonly<Record<string, readonly Effect[]>>,
): readonly string[] {
  const name = mcp.nameOf(kind, item) ?? "(no name that could be granted)";
  const { title, description, inputSchema, outputSchema, annotations, arguments: args } = item;
  const change = mcp.changeOf(kind, name, item, before);
  const state =
    before === undefined ? "" : change === undefined ? " (as reviewed)" : ` - ${change}`;
  const does = Object.hasOwn(effects, name) ? effects[name] : undefined;
  const all = canonicalJson(item);
  return [
    `${kind === "tools" ? "tool" : kind === "prompts" ? "prompt" : "template"} ${visibleLine(name)}${state}`,
    ...(typeof title === "string" ? [`  title: ${visibleLine(title)}`] : []),
    ...(typeof description === "string" ? indented(description) : []),
    ...(inputSchema === undefined ? [] : [`  takes: ${visibleLine(canonicalJson(inputSchema))}`]),
    ...(outputSchema === undefined ? [] : [`  gives: ${visibleLine(canonicalJson(outputSchema))}`]),
    ...(args === undefined ? [] : [`  takes: ${visibleLine(canonicalJson(args))}`]),
    ...(mcp.isMembers(annotations)
      ? [`  says of itself, and is not believed: ${visibleLine(canonicalJson(annotations))}`]
      : []),
    ...(kind === "tools" ? [`  counts as: ${(does ?? ["execute"]).join(", ")}`] : []),
    ...hiddenNote(all),
  ];
}

function indented(text: string): readonly string[] {
  return visibleLines(text)
    .split(/\r?\n/)
    .map((line) => `  | ${line}`);
}

/** Text that a person does not see and a model reads: controls, zero width, bidi, tags (TR 36; "ASCII smuggling"). */
function hiddenNote(text: string): readonly string[] {
  const plain = text.replaceAll(/\\[ntr]/g, " ").replaceAll(/[\n\t\r]/g, " ");
  const isEscape = /\\u00(?:0[0-8bcef]|1[0-9a-f]|7f|9b)/i.test(plain);
  return UNSEEN.test(plain) || isEscape
    ? ["  WARNING: it holds characters that cannot be seen; they are spelled out above"]
    : [];
}

function gone(listing: Listing, before: mcp.Pin): readonly string[] {
  return (Object.keys(mcp.LISTS) as mcp.ListKind[]).flatMap((kind) => {
    const names = new Set(listing[kind].map((item) => mcp.nameOf(kind, item)));
    return Object.keys(before[kind])
      .filter((name) => !names.has(name))
      .map((name) => `${kind}: ${visibleLine(name)} was reviewed, and is there no more`);
  });
}
