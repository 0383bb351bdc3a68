/**
 * Lists of a server that the broker asks for itself, to know whether what an agent is about to use is as it was
 * reviewed. A list is good for a few seconds, and for none once the server has said that it changed.
 *
 * @module
 */
import { Fault } from "../../../base/index.ts";
import {
  digestOfPin,
  isDigest,
  isMembers,
  LISTS,
  makePin,
  pinnedDigest,
  pinOf,
  screenList,
  digestOfItem,
  nameOf,
  type ListKind,
  type Members,
  type Options,
} from "./terms.ts";
import type { Json } from "../../../action/index.ts";

const PAGES_MAX = 50;
const ITEMS_MAX = 2000;
const GOOD_MS = 5000;

/** Asks the server `method` with `params`, for the broker. @throws {Fault} where it does not answer. */
export type Ask = (method: string, params: Members) => Promise<Members>;

/** All pages of a list. @throws {Fault} `gateway.mcp_list` where it has no end. */
export async function readList(kind: ListKind, ask: Ask): Promise<readonly Json[]> {
  const { method, member } = LISTS[kind];
  const items: Json[] = [];
  let cursor: Json | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const result = await ask(method, cursor === undefined ? {} : { cursor });
    const more = result[member];
    if (Array.isArray(more)) items.push(...more);
    cursor = result["nextCursor"];
    if (items.length > ITEMS_MAX) break;
    if (cursor === undefined) return items;
  }
  throw new Fault("gateway.mcp_list", `the server's list of ${kind} has no end`);
}

/** Lists of one session, as they were a moment ago. */
export class Lists {
  readonly #known = new Map<ListKind, { readonly atMs: number; readonly items: readonly Json[] }>();

  /** The server has said that `kind` changed. */
  forget(kind: ListKind): void {
    this.#known.delete(kind);
  }

  async of(kind: ListKind, nowMs: number, ask: Ask): Promise<readonly Json[]> {
    const known = this.#known.get(kind);
    if (known !== undefined && nowMs - known.atMs < GOOD_MS) return known.items;
    const items = await readList(kind, ask);
    this.#known.set(kind, { atMs: nowMs, items });
    return items;
  }
}

/** What was found of a thing that is about to be used. */
export type Review =
  | { readonly kind: "same"; readonly digest: string }
  | { readonly kind: "changed"; readonly why: string };

/** Looks whether the tool or prompt `name` is as `options` have it pinned; `undefined` where nothing is pinned. */
export async function reviewItem(
  kind: "tools" | "prompts",
  name: string,
  options: Options,
  list: (kind: ListKind) => Promise<readonly Json[]>,
): Promise<Review | undefined> {
  if (options.pin === undefined) return undefined;
  if (isDigest(options.pin)) {
    return (await isAsReviewed(options, list))
      ? { kind: "same", digest: options.pin }
      : { kind: "changed", why: "what the server lists is not what was reviewed" };
  }
  const pin = pinOf(options);
  if (pin === undefined || pinnedDigest(pin, kind, name) === undefined) {
    return { kind: "changed", why: `nobody has reviewed ${name}` };
  }
  const { items, leftOut } = screenList(kind, await list(kind), pin);
  const item = items.find((one) => nameOf(kind, one) === name);
  if (item !== undefined) return { kind: "same", digest: digestOfItem(item) };
  const why = leftOut.find((one) => one.name === name)?.why ?? "the server has it no more";
  return { kind: "changed", why: `${name}: ${why}` };
}

/** Whether all that is listed has the digest that the task file names. What a server does not list is empty. */
export async function isAsReviewed(
  options: Options,
  list: (kind: ListKind) => Promise<readonly Json[]>,
): Promise<boolean> {
  if (!isDigest(options.pin)) return true;
  const of = async (kind: ListKind): Promise<readonly Members[]> => {
    const all = await list(kind).catch((error: unknown) => {
      if (error instanceof Fault && error.code === "gateway.mcp_refused") return [];
      throw error;
    });
    return all.flatMap((item) => (isMembers(item) ? [item] : []));
  };
  const lists = {
    tools: await of("tools"),
    prompts: await of("prompts"),
    templates: await of("templates"),
  };
  const isTwice = Object.entries(lists).some(
    ([kind, items]) => screenList(kind as ListKind, items, undefined).leftOut.length > 0,
  );
  // Instructions are told once, at the start, and left out where only a digest is pinned.
  return !isTwice && digestOfPin(makePin(lists, {})) === options.pin;
}
