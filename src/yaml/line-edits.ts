/**
 * What makes one list of lines of another: the longest common subsequence between the ends that are the same.
 *
 * @module
 */

/** One line, in order: `at` is its place in the old list. */
export type LineEdit =
  | { readonly kind: "keep" | "drop"; readonly line: string; readonly at: number }
  | { readonly kind: "add"; readonly line: string };

const CELLS_MAX = 4_000_000; // More, and all that lies between the same ends goes and comes.

/** The edits that make `now` of `old`. */
export function lineEdits(old: readonly string[], now: readonly string[]): readonly LineEdit[] {
  const shortest = Math.min(old.length, now.length);
  let start = 0;
  while (start < shortest && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < shortest - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  const keep = (at: number): LineEdit => ({ kind: "keep", line: old[at] ?? "", at });
  return [
    ...range(0, start).map(keep),
    ...between(
      range(start, old.length - end).map((at) => ({ line: old[at] ?? "", at })),
      now.slice(start, now.length - end),
    ),
    ...range(old.length - end, old.length).map(keep),
  ];
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);
}

interface Placed {
  readonly line: string;
  readonly at: number;
}

function between(old: readonly Placed[], now: readonly string[]): readonly LineEdit[] {
  if (old.length * now.length > CELLS_MAX) {
    return [
      ...old.map((one) => ({ kind: "drop", ...one }) as const),
      ...now.map((line) => ({ kind: "add", line }) as const),
    ];
  }
  const width = now.length + 1;
  const longest = new Uint32Array((old.length + 1) * width);
  for (let row = old.length - 1; row >= 0; row -= 1) {
    for (let column = now.length - 1; column >= 0; column -= 1) {
      const cell = row * width + column;
      longest[cell] =
        old[row]?.line === now[column]
          ? (longest[cell + width + 1] ?? 0) + 1
          : Math.max(longest[cell + width] ?? 0, longest[cell + 1] ?? 0);
    }
  }
  const edits: LineEdit[] = [];
  let [row, column] = [0, 0];
  while (row < old.length || column < now.length) {
    const [one, line] = [old[row], now[column]];
    const cell = row * width + column;
    const isDrop = line === undefined || (longest[cell + width] ?? 0) >= (longest[cell + 1] ?? 0);
    if (one !== undefined && one.line === line) {
      edits.push({ kind: "keep", ...one });
      row += 1;
      column += 1;
    } else if (one !== undefined && isDrop) {
      edits.push({ kind: "drop", ...one });
      row += 1;
    } else {
      edits.push({ kind: "add", line: line ?? "" });
      column += 1;
    }
  }
  return edits;
}

const CONTEXT = 3;

/** A unified diff that `patch` and `git apply` take; empty where nothing differs. */
export function unifiedDiff(before: string, after: string, name: string): string {
  if (before === after) return "";
  const edits = lineEdits(linesOf(before), linesOf(after));
  const near = edits.map((_, at) =>
    edits.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ kind }) => kind !== "keep"),
  );
  const out = [`--- a/${name}`, `+++ b/${name}`];
  let [oldLine, newLine] = [1, 1];
  for (let at = 0; at < edits.length;) {
    if (near[at] !== true) {
      oldLine += 1;
      newLine += 1;
      at += 1;
      continue;
    }
    const last = near.indexOf(false, at);
    const hunk = edits.slice(at, last < 0 ? edits.length : last);
    const [olds, news] = [
      hunk.filter(({ kind }) => kind !== "add").length,
      hunk.filter(({ kind }) => kind !== "drop").length,
    ];
    out.push(`@@ -${placeOf(oldLine, olds)} +${placeOf(newLine, news)} @@`);
    out.push(...hunk.flatMap(({ kind, line }) => markedLine(kind, line)));
    oldLine += olds;
    newLine += news;
    at += hunk.length;
  }
  return `${out.join("\n")}\n`;
}

function placeOf(line: number, count: number): string {
  return `${count === 0 ? line - 1 : line},${count}`;
}

/** Lines with their ends: a last line without one is another than with. */
function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

const MARKS = { keep: " ", drop: "-", add: "+" } as const;

function markedLine(kind: LineEdit["kind"], line: string): readonly string[] {
  const marked = `${MARKS[kind]}${line.replace(/\n$/, "")}`;
  return line.endsWith("\n") ? [marked] : [marked, "\\ No newline at end of file"];
}
