/**
 * Entries as rows of CSV (RFC 4180), for spreadsheets. What an agent wrote may begin like a formula, which a spreadsheet
 * would calculate (CWE-1236): such a cell gets an apostrophe before it.
 *
 * @module
 */
import type { Entry } from "../api/index.ts";
import { visibleLine } from "../base/index.ts";

const COLUMNS = [
  ...(["seq", "at", "run", "type", "verdict", "rule", "system", "target", "effects"] as const),
  ...(["process", "pid", "call", "detail"] as const),
];
const FORMULA = /^[=+\-@\t\r]/;

export function csvHead(): string {
  return `${COLUMNS.join(",")}\r\n`;
}

export function csvRow(entry: Entry): string {
  const { seq, at, run, type, verdict, rule, system, target, data, process, cause } = entry;
  const said = data?.["detail"] ?? data?.["reason"] ?? data?.["title"];
  const effects = [data?.["effects"] ?? []].flat().map(String).join(" ");
  const cells: readonly (string | number | undefined)[] = [
    ...[seq, at, run, type, verdict, rule, system, target, effects],
    ...[process?.exe, process?.pid, cause?.call?.name, typeof said === "string" ? said : undefined],
  ];
  return `${cells.map(cell).join(",")}\r\n`;
}

function cell(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  const line = visibleLine(value);
  const safe = FORMULA.test(line) ? `'${line}` : line;
  return /[",\r\n]/.test(safe) || safe !== line ? `"${safe.replaceAll('"', '""')}"` : safe;
}
