/**
 * Patterns for what was seen: as it was, but for what is another each time. A number, an identifier or a date in a path or
 * an object becomes a star; where too many differ in the same place that place does, too.
 *
 * @module
 */
import { canonicalPath, matchesPath, parsePathGlob, readingsOf } from "../policy/index.ts";

const LIKE_MAX = 12; // Patterns of one rule: what takes more is what its own wildcard is for.

/** What is another each time. */
const VARYING = [
  /^\d+$/,
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  /^(?=.*\d)[0-9a-f]{12,}$/i,
  /^(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_-]{20,}$/,
  /^\d{4}-\d{2}-\d{2}/,
];

/**
 * Globs that cover `paths`, each within one of `globs`; `undefined` where a path is outside, or more than a few would be
 * needed.
 */
export function pathsLike(
  paths: readonly string[],
  globs: readonly string[],
): readonly string[] | undefined {
  const parsed = globs.map(parsePathGlob);
  const isWithin = (path: string) => {
    const readings = readingsOf(path);
    return (
      readings !== undefined &&
      readings.every((one) => parsed.some((glob) => matchesPath(glob, one)))
    );
  };
  if (!paths.every(isWithin)) return undefined;
  const segments = paths.map((path) => (canonicalPath(path) ?? path).split("/"));
  const like = generalised(segments).map((one) => one.join("/"));
  // A segment that a glob of the rule spells out is no less exact than the rule.
  if (like.length > LIKE_MAX || like.some((one) => /[?{}[\]()|]|\*\*/.test(one))) return undefined;
  return like.sort();
}

/** Globs that cover `objects`, in segments. */
export function objectsLike(
  objects: readonly (readonly string[])[],
): readonly (readonly string[])[] {
  return generalised(objects);
}

function generalised(all: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const starred = all.map((segments) =>
    segments.map((one) => (VARYING.some((form) => form.test(one)) ? "*" : one)),
  );
  let distinct = unique(starred);
  // Of names that differ in one place only the place is what varies.
  for (let place = 0; distinct.length > LIKE_MAX && place < 20; place += 1) {
    const at = mostVarying(distinct);
    if (at === undefined) break;
    distinct = unique(
      distinct.map((segments) => (segments.length > at ? segments.with(at, "*") : segments)),
    );
  }
  return distinct;
}

function mostVarying(all: readonly (readonly string[])[]): number | undefined {
  const length = Math.max(...all.map((segments) => segments.length));
  let best: { at: number; count: number } | undefined;
  for (let at = 0; at < length; at += 1) {
    const count = new Set(all.map((segments) => segments[at])).size;
    if (count > (best?.count ?? 1)) best = { at, count };
  }
  return best?.at;
}

function unique(all: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return [...new Map(all.map((segments) => [segments.join("\0"), segments])).values()];
}
