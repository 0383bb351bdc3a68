/**
 * Routes: `POST|PUT /wp/v2/posts/{id:\d+}` against a method and the decoded segments of a path.
 *
 * @module
 */
import type { Entry, Route } from "./entry.ts";

interface Segment {
  readonly name?: string;
  readonly isRest: boolean;
  /** What its name stands for in `text`, or `undefined` where it does not match. */
  match(text: string): string | undefined;
}

interface Form {
  readonly methods: readonly string[];
  readonly segments: readonly Segment[];
}

/** A route that matched, with what its names stand for. */
export interface Matched {
  readonly route: Route;
  readonly path: Readonly<Record<string, string>>;
}

type Compiled = readonly { readonly route: Route; readonly forms: readonly Form[] }[];

const COMPILED = new WeakMap<Entry, Compiled>();

/** The first route of `entry` for `method` on a path. `segments` are decoded, less the slash before them. */
export function matchRoute(
  entry: Entry,
  method: string,
  segments: readonly string[],
): Matched | undefined {
  let compiled = COMPILED.get(entry);
  if (compiled === undefined) {
    compiled = entry.routes.map((route) => ({
      route,
      forms: [route.request].flat().map(parseForm),
    }));
    COMPILED.set(entry, compiled);
  }
  const below = withoutBase(entry, segments);
  for (const { route, forms } of compiled) {
    const here = route.root === true ? segments : below;
    if (here === undefined) continue;
    const own = here.length === 0 ? [""] : here; // `/wp-json` is its own `/`.
    for (const form of forms) {
      const path = form.methods.includes(method) ? matchSegments(form.segments, own) : undefined;
      if (path !== undefined) return { route, path };
    }
  }
  return undefined;
}

/** Parses one form. @throws {RangeError} or {SyntaxError} where it is none: the entry is refused then. */
export function parseForm(source: string): Form {
  const at = source.indexOf(" ");
  const methods = source.slice(0, at).split("|");
  const segments = splitPath(source.slice(at + 2)).map(parseSegment);
  const rest = segments.findIndex(({ isRest }) => isRest);
  if (rest >= 0 && rest < segments.length - 1) {
    throw new RangeError(`{name...} must stand last: ${source}`);
  }
  return { methods, segments };
}

/** The names in one form. @throws {RangeError} or {SyntaxError} as {@link parseForm}. */
export function namesOf(source: string): readonly string[] {
  return parseForm(source).segments.flatMap(({ name }) => name ?? []);
}

/** At slashes that are not within braces: an expression may hold one. */
function splitPath(path: string): readonly string[] {
  const segments: string[] = [""];
  let depth = 0;
  for (const character of path) {
    if (character === "{") depth += 1;
    if (character === "}") depth -= 1;
    if (character === "/" && depth === 0) segments.push("");
    else segments[segments.length - 1] += character;
  }
  return segments;
}

function parseSegment(source: string): Segment {
  const names: string[] = [];
  let isRest = false;
  // What is not in braces is itself; `{name}` anything but nothing.
  const expression = source.replaceAll(
    /\{([a-zA-Z_]+)(\.\.\.)?(?::((?:[^{}]|\{[\d,]+\})+))?\}|[^{}]/g,
    (token, name: string | undefined, rest: string | undefined, pattern: string | undefined) => {
      if (name === undefined) return token.replaceAll(/[\\^$.*+?()[\]|/]/g, "\\$&");
      names.push(name);
      isRest ||= rest !== undefined;
      return `(${pattern === undefined ? ".+" : `(?:${pattern})`})`;
    },
  );
  if (names.length > 1) throw new RangeError(`one name for a segment: ${source}`);
  const [name] = names;
  const whole = new RegExp(`^(?:${expression})$`, "su");
  return {
    ...(name === undefined ? {} : { name }),
    isRest,
    match(text) {
      const found = whole.exec(text);
      return found === null ? undefined : (found[1] ?? text);
    },
  };
}

function matchSegments(
  pattern: readonly Segment[],
  segments: readonly string[],
): Record<string, string> | undefined {
  const isOpen = pattern.at(-1)?.isRest === true;
  if (isOpen ? segments.length < pattern.length : segments.length !== pattern.length)
    return undefined;
  const path: Record<string, string> = {};
  for (const [at, segment] of pattern.entries()) {
    const text = segment.isRest ? segments.slice(at).join("/") : (segments[at] ?? "");
    const value = segment.match(text);
    if (value === undefined) return undefined;
    if (segment.name !== undefined) path[segment.name] = value;
  }
  return path;
}

/** The segments below the first base of `entry` that they start with. */
function withoutBase(entry: Entry, segments: readonly string[]): readonly string[] | undefined {
  for (const base of entry.base) {
    const own = base === "" ? [] : base.slice(1).split("/");
    if (own.every((segment, at) => segment === segments[at])) return segments.slice(own.length);
  }
  return undefined;
}
