/**
 * Patterns over what an action acts on: a table, a command, a path, a key. They are written as one text, which
 * the system's separator parts: `public.orders*`, `systemctl status *`, `/etc/nginx/**`. `*` stands for
 * anything within one segment, `**` for any number of segments, none included.
 *
 * @module
 */
import { fitsSegments, type Segments } from "./path-glob.ts";

/** A parsed pattern, segment by segment. */
export type ObjectGlob = readonly string[];

const MANY = "**";

/** Parts `source`; without a separator all of it is one segment. */
export function parseObjectGlob(source: string, separator: string): ObjectGlob {
  if (separator === "") return [source];
  return source.split(separator).filter((segment) => segment !== "");
}

/** What is wrong with `source`, and the fix; `undefined` where nothing is. */
export function flawOfObjectGlob(
  source: string,
  separator: string,
): readonly [why: string, hint: string] | undefined {
  const segments = parseObjectGlob(source, separator);
  if (segments.length === 0) return ["names nothing", `write ** for whatever there is`];
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(source)) return ["holds a control character", "remove it"];
  if (segments.some((segment) => segment.includes(MANY) && segment !== MANY)) {
    return separator === ""
      ? ["has ** beside other characters", "write *: here the whole name is one segment"]
      : ["has ** beside other characters", "** stands for whole segments"];
  }
  return undefined;
}

const SHOWN_MAX = 5; // Of one rule, in a sentence.

/** `exec on systemctl status *, journalctl ** doing read`: a rule of verbs, for a sentence. */
export function printVerbs({
  verbs,
  on = [],
  doing,
  ...written
}: Written & {
  readonly verbs: readonly string[];
  readonly on?: readonly ObjectGlob[];
  readonly doing?: readonly string[];
}): string {
  const objects = on.slice(0, SHOWN_MAX).map((glob) => printObject(glob, written));
  const more = on.length > SHOWN_MAX ? ", ..." : "";
  const where = objects.length === 0 ? "" : ` on ${objects.join(", ")}${more}`;
  return `${verbs.join(", ")}${where}${doing === undefined ? "" : ` doing ${doing.join(", ")}`}`;
}

/** How the objects of a rule are written. */
export interface Written {
  /** What joins their segments. */
  readonly separator?: string;
  /** They are written from the root: `/etc/nginx`. */
  readonly isRooted?: true;
}

/** An object or a pattern as people write it. */
export function printObject(object: readonly string[], written: Written = {}): string {
  const { separator = " ", isRooted = false } = written;
  return `${isRooted && object[0] !== "~" ? separator : ""}${object.join(separator)}`;
}

/** Reports whether `glob` covers everything. */
export function coversAll(glob: ObjectGlob): boolean {
  return glob.every((segment) => /^\*+$/.test(segment));
}

/**
 * Reports whether `glob` covers `object`. A path that leads upwards is covered by what says so, or by a lone
 * star, and not by the folder that it begins with: `cat /srv/*` does not cover `cat /srv/../etc/shadow`.
 */
export function matchesObject(glob: ObjectGlob, object: readonly string[]): boolean {
  const isPlain = !object.some((segment) => UPWARDS.test(segment));
  return fitsSegments(isPlain ? glob.map(partOf) : glob.map(strictPartOf), object);
}
const UPWARDS = /(?:^|[/=:,])\.\.(?:[/:,]|$)/;

/** A star beside text stands for nothing then. */
function strictPartOf(segment: string): Segments[number] {
  const part = partOf(segment);
  const isLiteral = part.kind === "fit" && part.pieces.length > 1 && segment !== "*";
  return isLiteral ? { kind: "fit", pieces: [segment] } : part;
}

function partOf(segment: string): Segments[number] {
  return segment === MANY ? { kind: "many" } : { kind: "fit", pieces: segment.split("*") };
}
