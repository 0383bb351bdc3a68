/**
 * What models of one run called and what it said that came of it: a conversation is sent whole each time, and what
 * is new in it is told once.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { Claimed, ModelCall, ToolResult } from "../wire/index.ts";
import type { GatewayRun } from "./ports.ts";

/** Calls and results that are remembered of a run; the oldest are forgotten, and then told again. */
const REMEMBERED_MAX = 20_000;

const HISTORIES = new WeakMap<GatewayRun, ToolHistory>();

/** The history of `run`. */
export function historyOf(run: GatewayRun): ToolHistory {
  const known = HISTORIES.get(run);
  if (known !== undefined) return known;
  const made = new ToolHistory();
  HISTORIES.set(run, made);
  return made;
}

export class ToolHistory {
  readonly #ids = new Set<string>();
  /** Calls that an answer gave, and those that a request claimed in vain. */
  readonly #calls = new Set<string>();
  readonly #results = new Set<string>();
  readonly #strange = new Set<string>();

  called(call: ModelCall): void {
    remember(this.#ids, keyOf(call.id));
    remember(this.#calls, formOf(call));
  }

  /** Whether no request told this result before. */
  isNewResult({ id, digest }: ToolResult): boolean {
    return remember(this.#results, keyOf(id, digest));
  }

  /**
   * Why `claim` is no call of a model in this run, where that was not said before: `never` was one of this id,
   * or it was `other` than is claimed.
   */
  strangeness(claim: Claimed): "never" | "other" | undefined {
    const form = formOf(claim);
    if (this.#calls.has(form) || !remember(this.#strange, form)) return undefined;
    return this.#ids.has(keyOf(claim.id)) ? "other" : "never";
  }
}

function formOf({ id, name, input }: Claimed): string {
  return keyOf(id, name, input.digest);
}

/** Short, however long the names are that peers give. */
function keyOf(...parts: readonly string[]): string {
  return hash("sha256", JSON.stringify(parts), "base64url").slice(0, 22);
}

/** Adds `item`; whether it was not there. */
function remember(set: Set<string>, item: string): boolean {
  if (set.has(item)) return false;
  set.add(item);
  for (const oldest of set) {
    if (set.size <= REMEMBERED_MAX) break;
    set.delete(oldest);
  }
  return true;
}
