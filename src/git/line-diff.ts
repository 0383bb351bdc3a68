/**
 * What makes one text of another, line by line, in bounded time: Myers' greedy algorithm (1986) as far as it
 * is cheap, else all lines that differ in the middle go and come.
 *
 * @module
 */

const CONTEXT = 3;
const EDITS_MAX = 400; // Steps of Myers' search; each costs its own number.

/** Lines that begin with `-`, `+` or a space, with `...` between distant ones; empty where they are the same. */
export function diffTexts(before: string, after: string): readonly string[] {
  const [old, now] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start += 1;
  let end = 0;
  const shortest = Math.min(old.length, now.length) - start;
  while (end < shortest && old[old.length - 1 - end] === now[now.length - 1 - end]) end += 1;
  const marked = [
    ...old.slice(Math.max(0, start - CONTEXT), start).map((line) => ` ${line}`),
    ...between(old.slice(start, old.length - end), now.slice(start, now.length - end)),
    ...old.slice(old.length - end, old.length - end + CONTEXT).map((line) => ` ${line}`),
  ];
  const cut = start > CONTEXT ? ["..."] : [];
  return [...cut, ...withoutDistant(marked), ...(end > CONTEXT ? ["..."] : [])];
}

/** A last line without an end is another than one with it. */
function linesOf(text: string): readonly string[] {
  if (text === "") return [];
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  return last === "" ? lines : [...lines, `${last} (no end of line)`];
}

function between(old: readonly string[], now: readonly string[]): readonly string[] {
  const all = () => [...old.map((line) => `-${line}`), ...now.map((line) => `+${line}`)];
  if (old.length === 0 || now.length === 0) return all();
  const trace: Int32Array[] = [];
  const most = Math.min(old.length + now.length, EDITS_MAX);
  const middle = most + 1;
  const furthest = new Int32Array(2 * most + 3);
  for (let edits = 0; edits <= most; edits += 1) {
    trace.push(furthest.slice());
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const down = furthest[middle + diagonal + 1] ?? 0;
      const right = (furthest[middle + diagonal - 1] ?? 0) + 1;
      const isDown = diagonal === -edits || (diagonal !== edits && right <= down);
      let x = isDown ? down : right;
      while (x < old.length && x - diagonal < now.length && old[x] === now[x - diagonal]) x += 1;
      furthest[middle + diagonal] = x;
      if (x >= old.length && x - diagonal >= now.length) return walkBack(old, now, trace, middle);
    }
  }
  return all();
}

function walkBack(
  old: readonly string[],
  now: readonly string[],
  trace: readonly Int32Array[],
  middle: number,
): readonly string[] {
  const lines: string[] = [];
  let [x, y] = [old.length, now.length];
  for (let edits = trace.length - 1; edits >= 0; edits -= 1) {
    const furthest = trace[edits] ?? new Int32Array();
    const diagonal = x - y;
    const down = furthest[middle + diagonal + 1] ?? 0;
    const right = (furthest[middle + diagonal - 1] ?? 0) + 1;
    const isDown = diagonal === -edits || (diagonal !== edits && right <= down);
    const from = edits === 0 ? 0 : isDown ? down : right - 1;
    const fromY = edits === 0 ? 0 : from - (isDown ? diagonal + 1 : diagonal - 1);
    const startX = edits === 0 ? 0 : isDown ? from : from + 1;
    while (x > startX) {
      x -= 1;
      y -= 1;
      lines.push(` ${old[x] ?? ""}`);
    }
    if (edits === 0) break;
    if (isDown) lines.push(`+${now[fromY] ?? ""}`);
    else lines.push(`-${old[from] ?? ""}`);
    [x, y] = [from, fromY];
  }
  return lines.reverse();
}

function withoutDistant(lines: readonly string[]): readonly string[] {
  const isChange = (line: string | undefined) => line !== undefined && !line.startsWith(" ");
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(isChange),
  );
  return lines.flatMap((line, at) => {
    if (near[at] === true) return [line];
    return near[at - 1] === true ? ["..."] : [];
  });
}
