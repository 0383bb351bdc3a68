/**
 * What models of one run called and what it said that came of it: a conversation is sent whole each time, and what
 * is new in it is told once.
 *
 * @module
 */
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
  /** Forms of the calls that an answer gave, by id: a name stands for many where an API gives no ids. */
  readonly #calls = new Map<string, Set<string>>();
  readonly #results = new Set<string>();
  readonly #told = new Set<string>();

  called({ id, name, input }: ModelCall): void {
    const forms = this.#calls.get(id) ?? new Set();
    if (forms.size < FORMS_MAX) forms.add(`${name} ${input.digest}`);
    this.#calls.delete(id);
    this.#calls.set(id, forms);
    for (const oldest of this.#calls.keys()) {
      if (this.#calls.size <= REMEMBERED_MAX) break;
      this.#calls.delete(oldest);
    }
  }

  /** Whether no request told this result before. */
  isNewResult({ id, digest }: ToolResult): boolean {
    return remember(this.#results, `${digest} ${id}`);
  }

  /**
   * Why `claim` is no call of a model in this run, where that was not said before: `never` was one of this id,
   * or it was `other` than is claimed.
   */
  strangeness({ id, name, input }: Claimed): "never" | "other" | undefined {
    const forms = this.#calls.get(id);
    const form = `${name} ${input.digest}`;
    if (forms?.has(form) === true || !remember(this.#told, `${id} ${form}`)) return undefined;
    return forms === undefined ? "never" : "other";
  }
}

const FORMS_MAX = 256;

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
