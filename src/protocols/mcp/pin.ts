/**
 * Pins: what a person saw of a server when they let it be used. A tool's name, description and schema are
 * words that the agent's model reads, so a server that changes them changes the agent (a "rug pull"); what is
 * not as it was reviewed is not shown, and not called, until somebody reviews it again (docs/decisions/0298).
 *
 * @module
 */
import { hash } from "node:crypto";
import { z } from "zod";
import { canonicalJson, effectSchema, type Effect, type Json } from "../../action/index.ts";
import { isMembers, type Members } from "./message.ts";

const ITEMS_MAX = 2000;
const NAME_CHARS_MAX = 1000;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

export const digestSchema = z.string().regex(DIGEST, "is sha256: and 64 hexadecimal digits");

const listSchema = z
  .record(z.string().max(NAME_CHARS_MAX), digestSchema)
  .refine((list) => Object.keys(list).length <= ITEMS_MAX)
  .default({});

/** A pin, as its file holds it. */
export const pinSchema = z.strictObject({
  pin: z.literal("mcp/1"),
  /** What the server called itself; for people. */
  server: z.string().max(NAME_CHARS_MAX).optional(),
  /** Of what the server tells every agent at the start; absent where it told nothing. */
  instructions: digestSchema.optional(),
  tools: z
    .record(
      z.string().max(NAME_CHARS_MAX),
      z.strictObject({
        digest: digestSchema,
        /** What it does, as the person who reviewed it says. */
        effects: z.array(effectSchema).min(1).optional(),
      }),
    )
    .refine((list) => Object.keys(list).length <= ITEMS_MAX)
    .default({}),
  prompts: listSchema,
  /** Templates of resources, by their URI template. */
  templates: listSchema,
});

export type Pin = z.output<typeof pinSchema>;

/** What is listed, each kind with the method, the member of its result and the member that names one. */
export const LISTS = {
  tools: { method: "tools/list", member: "tools", name: "name" },
  prompts: { method: "prompts/list", member: "prompts", name: "name" },
  templates: {
    method: "resources/templates/list",
    member: "resourceTemplates",
    name: "uriTemplate",
  },
} as const;

export type ListKind = keyof typeof LISTS;

/** The kind of list that `method` asks for. */
export function listKindOf(method: string): ListKind | undefined {
  return (Object.keys(LISTS) as ListKind[]).find((kind) => LISTS[kind].method === method);
}

/**
 * What of an item is reviewed, and so what of it an agent is shown where there is a pin: all that says what it
 * is. Icons are fetched from elsewhere and `_meta` is for programs; both are left out.
 */
export function reviewedOf(item: Members): Members {
  const { icons: _icons, _meta: _metaOf, ...reviewed } = item;
  return reviewed;
}

/** Digest of an item of a list. */
export function digestOfItem(item: Members): string {
  return `sha256:${hash("sha256", canonicalJson(reviewedOf(item)))}`;
}

/** Digest of what a server tells every agent. */
export function digestOfText(text: string): string {
  return `sha256:${hash("sha256", text)}`;
}

/**
 * Digest of all that a pin says of what is listed, for a task file that names no file. What a server tells every
 * agent is not part of it: it is told once, when nothing was listed yet, and left out where only a digest is pinned.
 */
export function digestOfPin({ tools, prompts, templates }: Pin): string {
  const seen = {
    tools: Object.fromEntries(Object.entries(tools).map(([name, { digest }]) => [name, digest])),
    ...{ prompts, templates },
  };
  return `sha256:${hash("sha256", canonicalJson(seen))}`;
}

/** Effects that the pin gives the tool `name`. */
export function pinnedEffects(pin: Pin | undefined, name: string): readonly Effect[] | undefined {
  return pin !== undefined && Object.hasOwn(pin.tools, name) ? pin.tools[name]?.effects : undefined;
}

/** Digest that the pin has of an item; `undefined` where it has none. */
export function pinnedDigest(pin: Pin, kind: ListKind, name: string): string | undefined {
  if (!Object.hasOwn(pin[kind], name)) return undefined;
  return kind === "tools" ? pin.tools[name]?.digest : pin[kind][name];
}

/** Why an item of a list is left out of it. */
export interface LeftOut {
  readonly name: string;
  readonly why: string;
}

/** A list as the agent is shown it. */
export interface Screened {
  readonly items: readonly Members[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * Leaves out of a list what has no name, what stands in it twice (which of the two is called nobody can say)
 * and, with a pin, what is not as it was reviewed.
 */
export function screenList(kind: ListKind, items: readonly Json[], pin: Pin | undefined): Screened {
  const named = items.map((item) => ({ item, name: nameOf(kind, item) }));
  const counts = new Map<string, number>();
  for (const { name } of named) {
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const kept: Members[] = [];
  const leftOut: LeftOut[] = [];
  for (const { item, name } of named) {
    const why =
      name === undefined || !isMembers(item)
        ? "it has no name that could be granted"
        : (counts.get(name) ?? 0) > 1
          ? "its name stands there more than once"
          : changeOf(kind, name, item, pin);
    if (why !== undefined) leftOut.push({ name: name ?? "?", why });
    else if (isMembers(item)) kept.push(pin === undefined ? item : reviewedOf(item));
  }
  return { items: kept, leftOut };
}

/** How `item` is not as it was reviewed; `undefined` where it is, or where nobody asks. */
export function changeOf(
  kind: ListKind,
  name: string,
  item: Members,
  pin: Pin | undefined,
): string | undefined {
  if (pin === undefined) return undefined;
  const digest = pinnedDigest(pin, kind, name);
  if (digest === undefined) return "it is new: nobody has reviewed it";
  return digest === digestOfItem(item) ? undefined : "it is not as it was reviewed";
}

/** A name as everything here takes it: visible ASCII (for templates any visible text), or none. */
export function nameOf(kind: ListKind, item: Json): string | undefined {
  const name = isMembers(item) ? item[LISTS[kind].name] : undefined;
  if (typeof name !== "string") return undefined;
  return kind === "templates" ? (isUri(name) ? name : undefined) : isName(name) ? name : undefined;
}

/** Names of tools and prompts (2025-11-25, "Tool names", are narrower still). */
export function isName(name: Json | undefined): name is string {
  return typeof name === "string" && /^[\x21-\x7e]{1,128}$/.test(name) && name !== "__proto__";
}

/** URIs and their templates: visible ASCII (RFC 3986, RFC 6570), of a length that somebody can read. */
export function isUri(uri: Json | undefined): uri is string {
  return typeof uri === "string" && /^[\x21-\x7e]{1,2000}$/.test(uri) && uri !== "__proto__";
}

/** The pin of a server's lists. */
export function makePin(
  lists: Readonly<Record<ListKind, readonly Members[]>>,
  about: { readonly server?: string | undefined; readonly instructions?: string | undefined },
  effects: Readonly<Record<string, readonly Effect[]>> = {},
): Pin {
  const digests = (kind: ListKind) =>
    lists[kind].flatMap((item) => {
      const name = nameOf(kind, item);
      return name === undefined ? [] : [[name, digestOfItem(item)] as const];
    });
  const tools = digests("tools").map(([name, digest]) => {
    const does = Object.hasOwn(effects, name) ? effects[name] : undefined;
    return [name, { digest, ...(does === undefined ? {} : { effects: [...does] }) }] as const;
  });
  const { server, instructions } = about;
  return {
    pin: "mcp/1",
    ...(server === undefined ? {} : { server }),
    ...(instructions === undefined ? {} : { instructions: digestOfText(instructions) }),
    tools: Object.fromEntries(tools),
    prompts: Object.fromEntries(digests("prompts")),
    templates: Object.fromEntries(digests("templates")),
  };
}
