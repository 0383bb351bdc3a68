/**
 * Verbs of the catalog's systems, and patterns over them.
 *
 * @module
 */

import { UNKNOWN_VERB } from "../action/index.ts";

/** Reports whether `pattern` (`post.list`, `post.*`, `*`) covers `verb`. */
export function matchesVerb(pattern: string, verb: string): boolean {
  // What is not understood only its own name covers.
  if (verb === UNKNOWN_VERB || pattern === UNKNOWN_VERB) return pattern === verb;
  if (pattern === "*") return true;
  return pattern.endsWith(".*") ? verb.startsWith(pattern.slice(0, -1)) : pattern === verb;
}
