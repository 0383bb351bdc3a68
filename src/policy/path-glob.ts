/**
 * Path globs: `*` stands for anything within one segment, `**` for any number of whole segments.
 *
 * `/posts/*` covers `/posts/7`, not `/posts/` and not `/posts/7/meta`; `/posts/**` covers everything
 * below `/posts/`, itself included, but not `/posts`; `/**` covers every path. There is nothing else:
 * what cannot be enumerated cannot be explained. Matching is by earliest fit, which for these two
 * wildcards is complete: time grows with path times pattern, never faster.
 *
 * @module
 */
import { Fault } from "../base/index.ts";
import { canonicalPath, PLUS_OR_SPACE, type PathReading } from "./path.ts";

/** Several segments (or none), one segment of any text, or one that fits the pieces between stars. */
type Part =
  | { readonly kind: "many" }
  | { readonly kind: "any" }
  | { readonly kind: "fit"; readonly pieces: readonly string[] };

/** A pattern, segment by segment. */
export type Segments = readonly Part[];

/** A parsed glob; make one with {@link parsePathGlob}. */
export interface PathGlob {
  /** As written. */
  readonly source: string;
  readonly parts: readonly Part[];
}

const STAR = "\0"; // Stands for a star where two globs are compared; no path can hold it.

/**
 * Parses a glob as written in a task file. Literal characters may be percent-encoded.
 *
 * @throws {Fault} `policy.path_glob` for what no canonical path could ever match, and for characters
 *   that other glob languages give a meaning.
 */
export function parsePathGlob(source: string): PathGlob {
  const flaw = flawOf(source);
  if (flaw !== undefined) {
    const shown = source.length > 80 ? `${source.slice(0, 80)}...` : source;
    throw new Fault("policy.path_glob", `${JSON.stringify(shown)} ${flaw[0]}`, { hint: flaw[1] });
  }
  const segments = source.slice(1).split("/");
  return {
    source,
    parts: segments.flatMap((text, at) => parsePart(text, at + 1 === segments.length)),
  };
}

/** Reports whether `glob` covers a path that is read in this way. */
export function matchesPath(glob: PathGlob, reading: PathReading): boolean {
  const isLoose = reading.some((segment) => segment.includes(PLUS_OR_SPACE));
  return fitsSequence(isLoose ? glob.parts.map(loosened) : glob.parts, reading, fitsSegment);
}

/** Reports whether `parts` covers exactly `segments`, read literally. */
export function fitsSegments(parts: Segments, segments: readonly string[]): boolean {
  return fitsSequence(parts, segments, fitsSegment);
}

/** The same part where `+` and space are one. */
function loosened(part: Part): Part {
  if (part.kind !== "fit") return part;
  return {
    kind: "fit",
    pieces: part.pieces.map((piece) => piece.replaceAll(/[+ ]/g, PLUS_OR_SPACE)),
  };
}

/**
 * Reports whether `glob` covers every path that `other` covers. A "no" may be wrong for globs with
 * several wildcards side by side; a "yes" never is.
 */
export function coversGlob(glob: PathGlob, other: PathGlob): boolean {
  return fitsSequence(glob.parts, other.parts, coversPart);
}

/**
 * Reports whether no path is covered by both. A "no" may be wrong where wildcards stand; a "yes" never is.
 */
export function areDisjointGlobs(one: PathGlob, other: PathGlob): boolean {
  const [first, second] = [fixedParts(one), fixedParts(other)];
  const areWhole = first.length === one.parts.length && second.length === other.parts.length;
  if (areWhole && first.length !== second.length) return true;
  return first.some((part, at) => {
    const against = second[at];
    if (part.kind !== "fit" || against?.kind !== "fit") return false;
    const [literal] = part.pieces.length === 1 ? part.pieces : [];
    const [otherLiteral] = against.pieces.length === 1 ? against.pieces : [];
    if (literal !== undefined) return !fitsSegment(against, literal);
    return otherLiteral !== undefined && !fitsSegment(part, otherLiteral);
  });
}

/** The parts before the first that stands for several segments. */
function fixedParts({ parts }: PathGlob): readonly Part[] {
  const many = parts.findIndex(({ kind }) => kind === "many");
  return many < 0 ? parts : parts.slice(0, many);
}

function flawOf(source: string): readonly [why: string, hint: string] | undefined {
  if (!source.startsWith("/")) return ["does not start with a slash", "write /v1/items or /**"];
  if (source.includes("?")) return ["has a `?`", "paths never include the query; leave it out"];
  if (/[{}[\]()|]/.test(source)) {
    return ["uses characters that mean nothing here", "write * for one segment, ** for several"];
  }
  if (source.split("/").some((segment) => segment.includes("**") && segment !== "**")) {
    return ["has ** beside other characters", "** stands for whole segments: /a/**/b"];
  }
  if (source.includes("**/**")) return ["repeats **", "one ** already covers any depth"];
  if (source.isWellFormed()) {
    const sample = source.replaceAll("*", "x").replaceAll(/[^\0-\x7f]+/gu, encodeURIComponent);
    if (canonicalPath(sample) !== undefined) return undefined;
  }
  return [
    "matches no path, as no request with such a path is ever let through",
    "leave out dot segments, empty segments, `;`, `#`, backslashes, and encoded forms of these",
  ];
}

function parsePart(segment: string, last: boolean): readonly Part[] {
  // At the end, ** needs something below: a last segment, which may be empty (`/posts/`).
  if (segment === "**") return last ? [{ kind: "many" }, { kind: "any" }] : [{ kind: "many" }];
  return [{ kind: "fit", pieces: segment.split("*").map(decodeURIComponent) }];
}

function fitsSegment(part: Part, segment: string): boolean {
  if (part.kind !== "fit") return part.kind === "any";
  return fitsPieces(part.pieces, segment);
}

function coversPart(part: Part, other: Part): boolean {
  if (other.kind === "fit") return fitsSegment(part, other.pieces.join(STAR));
  return other.kind === "any" && part.kind === "any";
}

/** Fits `items` to `parts`, where a part of kind `many` takes any number of items. */
function fitsSequence<Item>(
  parts: readonly Part[],
  items: readonly Item[],
  fitsOne: (part: Part, item: Item) => boolean,
): boolean {
  let part = 0;
  let item = 0;
  let retry: { part: number; item: number } | undefined; // Where the latest `many` may take one more.
  while (item < items.length) {
    const here = parts[part];
    const next = items[item];
    if (here?.kind === "many") {
      retry = { part, item };
      part += 1;
    } else if (here !== undefined && next !== undefined && fitsOne(here, next)) {
      part += 1;
      item += 1;
    } else if (retry !== undefined) {
      retry = { part: retry.part, item: retry.item + 1 };
      part = retry.part + 1;
      item = retry.item;
    } else {
      return false;
    }
  }
  return parts.slice(part).every((rest) => rest.kind === "many");
}

/** Reports whether `text` is the pieces in order, with anything between them. */
function fitsPieces(pieces: readonly string[], text: string): boolean {
  const [first = "", ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  if (text === "") return false; // A segment of stars alone needs something to stand for.
  const end = text.length - last.length;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= end;
}
