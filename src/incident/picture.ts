/**
 * The timeline as a picture: a row for each kind of thing, time to the right. Nothing of the record stands in it but
 * numbers.
 *
 * @module
 */
import { LANES, type Lane } from "./describe.ts";
import type { Row, Timeline } from "./timeline.ts";

const WIDTH = 1000;
const LEFT = 90;
const ROW = 26;
const MARK = 4;
const TICKS = 5;

const LABELS: Readonly<Record<Lane, string>> = {
  run: "run",
  tool: "tool calls",
  process: "processes",
  flow: "connections",
  action: "actions",
  refusal: "refusals",
  finding: "findings",
};

/** `timeline` as an SVG element to stand in a page. */
export function renderPicture({ rows, lengthMs }: Timeline): string {
  const height = (LANES.length + 1) * ROW;
  const x = (ms: number) => (LEFT + (ms / lengthMs) * (WIDTH - LEFT - 20)).toFixed(1);
  const lanes = LANES.map((lane, at) => {
    const y = at * ROW + ROW / 2;
    const line = `<line class="axis" x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}"/>`;
    const marks = rows.filter((row) => row.lane === lane).map((row) => markOf(row, x, y));
    return `<g class="${lane}"><text x="0" y="${y + 4}">${LABELS[lane]}</text>${line}${marks.join("")}</g>`;
  });
  const ticks = Array.from({ length: TICKS + 1 }, (_, at) => {
    const ms = (lengthMs * at) / TICKS;
    return `<text x="${x(ms)}" y="${height - 6}">${Math.round(ms)} ms</text>`;
  });
  return `<svg role="img" aria-label="Timeline" viewBox="0 0 ${WIDTH + 60} ${height}">${lanes.join("\n")}${ticks.join("")}</svg>`;
}

function markOf({ first, ms, endMs, lane }: Row, x: (ms: number) => string, y: number): string {
  const width = Math.max(0, Number(x(endMs)) - Number(x(ms)));
  const bar =
    width < 1
      ? ""
      : `<rect class="${lane}" x="${x(ms)}" y="${y - 2}" width="${width.toFixed(1)}" height="4" fill-opacity=".4"/>`;
  return `${bar}<circle class="${lane}" cx="${x(ms)}" cy="${y}" r="${MARK}"><title>entry ${first}</title></circle>`;
}
