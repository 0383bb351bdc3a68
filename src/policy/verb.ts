/**
 * Verbs of the catalog's systems, and patterns over them.
 *
 * @module
 */

/** What is not understood; only its own name covers it. */
const UNKNOWN = "unknown";

/** Reports whether `pattern` (`post.list`, `post.*`, `*`) covers `verb`. */
export function matchesVerb(pattern: string, verb: string): boolean {
  if (verb === UNKNOWN || pattern === UNKNOWN) return pattern === verb;
  if (pattern === "*") return true;
  return pattern.endsWith(".*") ? verb.startsWith(pattern.slice(0, -1)) : pattern === verb;
}
