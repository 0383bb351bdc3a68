/**
 * What decides the answers of a model server: a script, or (obedient.ts) whatever it reads.
 *
 * @module
 */
import type { Ask, Turn } from "./dialect.ts";

/** A question as a mind gets it. */
export interface Question extends Ask {
  /** Every text that stands in the request, in its order: prompts, descriptions of tools, results. */
  readonly texts: readonly string[];
}

export interface Mind {
  /** Whether a question that offers these tools is no part of its conversation: a title, a topic, a check. */
  isAside(tools: readonly string[]): boolean;
  /** The next turn; undefined where there is nothing left to say. */
  answer(question: Question): Turn | undefined;
}

/** Says what `script` says, turn by turn. */
export function scripted(script: readonly Turn[]): Mind {
  const tools = new Set(script.flatMap(({ calls }) => (calls ?? []).map(({ tool }) => tool)));
  return {
    isAside: (offered) => !offered.some((tool) => tools.has(tool)),
    answer: ({ turn }) => script[turn],
  };
}

/** All texts in a JSON value, in its order. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
