/**
 * Differences, for a person: of texts line by line, of JSON member by member. Each line begins with `- ` for
 * what goes, `+ ` for what comes, or two spaces, so that no line of a text can pass for another kind.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import { visibleLine } from "../../base/index.ts";
import { isMembers, textOf, type Members } from "./members.ts";

const LINES_MAX = 400; // Of a difference as shown; the content itself is always shown whole.
const CELLS_MAX = 1_000_000; // Beyond it, all lines go and all come: the same, in more words.
const CONTEXT = 1;

/** What makes `after` of `before`; empty where they are the same. */
export function diffJson(before: Json | undefined, after: Json | undefined): readonly string[] {
  const lines = diffMember("", before, after, 0);
  const left = lines.length - LINES_MAX;
  if (left <= 0) return lines;
  return [...lines.slice(0, LINES_MAX), `... and ${left} lines more of this difference`];
}

const DEPTH_MAX = 8;

function diffMember(
  path: string,
  before: Json | undefined,
  after: Json | undefined,
  depth: number,
): readonly string[] {
  if (before === after) return [];
  const lists = byName(before, after);
  if (lists !== undefined) return diffMember(path, ...lists, depth);
  if (isMembers(before) && isMembers(after) && depth < DEPTH_MAX) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) =>
      diffMember(
        path === "" ? visibleLine(name) : `${path}.${visibleLine(name)}`,
        before[name],
        after[name],
        depth + 1,
      ),
    );
  }
  const [old, now] = [before, after].map((value) =>
    value === undefined ? undefined : textOf(value),
  );
  if (old === now) return [];
  const head = path === "" ? "" : `${path}: `;
  if (isShort(old) && isShort(now)) {
    return [
      ...(old === undefined ? [] : [`- ${head}${old}`]),
      ...(now === undefined ? [] : [`+ ${head}${now}`]),
    ];
  }
  return [...(path === "" ? [] : [`  ${path}:`]), ...diffLines(old, now)];
}

/** Two lists as objects, where their items have names and those in both stand in the same order. */
function byName(
  before: Json | undefined,
  after: Json | undefined,
): readonly [Members, Members] | undefined {
  const [old, now] = [named(before), named(after)];
  if (old === undefined || now === undefined) return undefined;
  const common = (one: Members, other: Members) =>
    Object.keys(one).filter((name) => Object.hasOwn(other, name));
  return common(old, now).join("\n") === common(now, old).join("\n") ? [old, now] : undefined;
}

function named(list: Json | undefined): Members | undefined {
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const pairs = (list as readonly Json[]).map(
    (item) => [isMembers(item) ? item["name"] : null, item] as const,
  );
  const isNamed = pairs.every(([name]) => typeof name === "string" && !/^\d+$|\n/.test(name));
  const members = isNamed ? (Object.fromEntries(pairs) as Members) : {};
  return Object.keys(members).length === list.length ? members : undefined;
}

function isShort(text = ""): boolean {
  return !text.includes("\n");
}

/** What makes the lines of `after` of those of `before`, with a line around each change. */
export function diffLines(
  before: string | undefined,
  after: string | undefined,
): readonly string[] {
  const [old, now] = [before, after].map((text) => (text === undefined ? [] : text.split("\n")));
  if (old === undefined || now === undefined) return [];
  const marked = changesOf(old, now);
  const isNear = (at: number) =>
    marked.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(([mark]) => mark !== "  ");
  return marked.flatMap(([mark, line], at) => {
    if (isNear(at)) return [`${mark}${line}`];
    return at > 0 && !isNear(at - 1) ? [] : ["  ..."];
  });
}

type Marked = readonly ["- " | "+ " | "  ", string];

/** Longest common subsequence, once what is the same at both ends is taken off. */
function changesOf(before: readonly string[], after: readonly string[]): readonly Marked[] {
  let start = 0;
  while (start < Math.min(before.length, after.length) && before[start] === after[start])
    start += 1;
  let end = 0;
  const isEndSame = () => before[before.length - 1 - end] === after[after.length - 1 - end];
  while (end < Math.min(before.length, after.length) - start && isEndSame()) end += 1;
  const same = (lines: readonly string[]) => lines.map((line): Marked => ["  ", line]);
  return [
    ...same(before.slice(0, start)),
    ...between(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...same(before.slice(before.length - end)),
  ];
}

function between(before: readonly string[], after: readonly string[]): readonly Marked[] {
  const [rows, columns] = [before.length, after.length];
  const gone = (line: string): Marked => ["- ", line];
  const come = (line: string): Marked => ["+ ", line];
  if (rows * columns > CELLS_MAX) return [...before.map(gone), ...after.map(come)];
  // Length of the longest common part of what follows row and column.
  const width = columns + 1;
  const length = new Uint32Array((rows + 1) * width);
  for (let row = rows - 1; row >= 0; row -= 1) {
    for (let column = columns - 1; column >= 0; column -= 1) {
      length[row * width + column] =
        before[row] === after[column]
          ? (length[(row + 1) * width + column + 1] ?? 0) + 1
          : Math.max(
              length[(row + 1) * width + column] ?? 0,
              length[row * width + column + 1] ?? 0,
            );
    }
  }
  const marked: Marked[] = [];
  let [row, column] = [0, 0];
  while (row < rows && column < columns) {
    const [old = "", now = ""] = [before[row], after[column]];
    const down = length[(row + 1) * width + column] ?? 0;
    if (old === now) {
      marked.push(["  ", old]);
      row += 1;
      column += 1;
    } else if (down >= (length[row * width + column + 1] ?? 0)) {
      marked.push(gone(old));
      row += 1;
    } else {
      marked.push(come(now));
      column += 1;
    }
  }
  return [...marked, ...before.slice(row).map(gone), ...after.slice(column).map(come)];
}
