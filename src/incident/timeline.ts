/**
 * Everything that a run did, in order, with its cause and both clocks; what repeats is counted, and where there is more
 * than a person reads, what explains an attempt stays.
 *
 * @module
 */
import type { Entry } from "../api/index.ts";
import { causeOf, describeEntry, nameOf, numberOf, textOf, type Lane } from "./describe.ts";
import { type Words } from "./words.ts";

/** Rows of a report. */
export const ROWS_MAX = 500;

export interface Row {
  readonly first: number;
  readonly last: number;
  /** Entries, or what they stand for. */
  readonly count: number;
  readonly type: Entry["type"];
  readonly lane: Lane;
  /** RFC 3339; the wall clock may have been set meanwhile. */
  readonly at: string;
  /** Milliseconds of the recorder's monotonic clock since the run's first entry. */
  readonly ms: number;
  readonly endMs: number;
  readonly what: Words;
  readonly by: Words;
  readonly cause: Words;
  readonly isAllowed: boolean;
}

export interface Timeline {
  readonly rows: readonly Row[];
  /** How many rows were left out. */
  readonly leftOut: number;
  readonly lengthMs: number;
}

/** Types of which there may be any number, in the order in which they are left out. */
const LEAST_FIRST: readonly Entry["type"][] = [
  ...(["usage", "dns", "repeat", "model", "process.start", "flow.open", "flow.close"] as const),
  ...(["exec.end", "exec"] as const),
  ...(["outcome", "tool.result", "action", "tool.call", "denial"] as const),
];

export function readTimeline(entries: readonly Entry[]): Timeline {
  const fromMs = entries[0]?.monoMs ?? 0;
  const rows: Row[] = [];
  const places = new Map<string, number>();
  for (const entry of entries) {
    const { lane, what } = describeEntry(entry);
    const ms = Math.max(0, Math.round((entry.monoMs - fromMs) * 10) / 10);
    const count = numberOf(entry.data, "merged") ?? 1;
    const key = keyOf(entry);
    const place = places.get(key);
    const before = place === undefined ? undefined : rows[place];
    if (place !== undefined && before !== undefined) {
      const more = {
        last: entry.seq,
        count: before.count + count,
        endMs: Math.max(before.endMs, ms),
      };
      rows[place] = { ...before, ...more };
      continue;
    }
    if (key !== "") places.set(key, rows.length);
    rows.push({
      ...{ first: entry.seq, last: entry.seq, count, type: entry.type, lane, what },
      ...{ at: entry.at, ms, endMs: ms, cause: causeOf(entry) },
      by:
        entry.process === undefined || entry.type === "process.start" ? [] : nameOf(entry.process),
      isAllowed: entry.type !== "action" || entry.verdict === "allow",
    });
  }
  const shown = leaveOut(rows);
  const lengthMs = Math.max(1, ...rows.map(({ endMs }) => endMs));
  return { rows: shown, leftOut: rows.length - shown.length, lengthMs };
}

/** What has the same key is told as more of the same; empty where each stands for itself. */
function keyOf({ type, rule, process, data }: Entry): string {
  if (type === "finding" || type === "denial") {
    return `${type} ${rule} ${process?.pid} ${textOf(data, "detector")}`;
  }
  return "";
}

function leaveOut(rows: readonly Row[]): readonly Row[] {
  let shown = rows;
  for (const type of LEAST_FIRST) {
    if (shown.length <= ROWS_MAX) return shown;
    let spare = shown.length - ROWS_MAX;
    shown = shown.filter((row) => row.type !== type || (spare -= 1) < 0);
  }
  return shown.length <= ROWS_MAX ? shown : shown.slice(0, ROWS_MAX);
}
