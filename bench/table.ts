/**
 * Rows as a table for people.
 *
 * @module
 */
import type { Row } from "./row.ts";

const HEAD = ["", "value", "floor or peer", "", "ratio", "goal", "met"];
/** Columns of text; the others are numbers and end at the right. */
const LEFT = new Set([0, 3, 5, 6]);

/** A line for each row under a head, columns aligned. */
export function formatTable(rows: readonly Row[]): string {
  const lines = [HEAD, ...rows.map(cellsOf)];
  const widths = HEAD.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const pad = (cell: string, column: number) => {
    const width = widths[column] ?? 0;
    return LEFT.has(column) ? cell.padEnd(width) : cell.padStart(width);
  };
  return lines.map((line) => line.map(pad).join("  ").trimEnd()).join("\n");
}

function cellsOf({ name, value, unit, floorOrPeer, ratio, goal, met }: Row): readonly string[] {
  return [
    name,
    `${formatNumber(value)} ${unit}`,
    floorOrPeer === null ? "" : `${formatNumber(floorOrPeer.value)} ${unit}`,
    floorOrPeer?.name ?? "",
    ratio === null ? "" : formatNumber(ratio),
    goal ?? "",
    met === null ? "" : met ? "yes" : "NO",
  ];
}

/** At most four digits, thousands apart. */
export function formatNumber(value: number): string {
  const digits = Math.max(0, 3 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.001))));
  return value.toLocaleString("en-US", { maximumFractionDigits: Math.min(digits, 3) });
}
