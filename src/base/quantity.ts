/**
 * Quantities with a unit, as a task file writes them: durations and sizes. A bare number is refused,
 * and so is a unit with two readings (`4GB` is 4.0 or 4.3 thousand million bytes, by whom you ask).
 *
 * @module
 */
import { Fault } from "./fault.ts";

const MS_OF_UNIT: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
const BYTES_OF_UNIT: Readonly<Record<string, number>> = {
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Sources of the two forms, for JSON Schema. */
export const DURATION_PATTERN = "^[1-9][0-9]{0,8}[smhd]$";
export const BYTES_PATTERN = "^[1-9][0-9]{0,8}(KiB|MiB|GiB|TiB)$";

/**
 * Milliseconds of a duration such as `30s`, `15m`, `2h`, `1d`.
 *
 * @throws {Fault} `policy.duration` for every other form.
 */
export function parseDurationMs(source: string): number {
  const unit = MS_OF_UNIT[source.slice(-1)];
  if (unit === undefined || !new RegExp(DURATION_PATTERN).test(source)) {
    throw new Fault("policy.duration", `${quote(source)} is not a duration`, {
      hint: `write a whole number and one of s, m, h, d, without a space: ${guessDuration(source)}`,
    });
  }
  return Number(source.slice(0, -1)) * unit;
}

/**
 * Bytes of a size such as `512MiB` or `4GiB`.
 *
 * @throws {Fault} `policy.bytes` for every other form.
 */
export function parseBytes(source: string): number {
  const unit = BYTES_OF_UNIT[source.slice(-3)];
  if (unit === undefined || !new RegExp(BYTES_PATTERN).test(source)) {
    throw new Fault("policy.bytes", `${quote(source)} is not a size`, {
      hint: `write a whole number and one of KiB, MiB, GiB, TiB, without a space: ${guessBytes(source)}`,
    });
  }
  return Number(source.slice(0, -3)) * unit;
}

/** `7200000` as `2 hours`: for sentences. */
export function printDuration(ms: number): string {
  for (const [word, unit] of [
    ["day", 864e5],
    ["hour", 36e5],
    ["minute", 6e4],
    ["second", 1e3],
  ] as const) {
    if (ms >= unit && ms % unit === 0) return `${ms / unit} ${word}${ms === unit ? "" : "s"}`;
  }
  return `${ms} ms`;
}

/** `4294967296` as `4 GiB`: for sentences. */
export function printBytes(bytes: number): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"]) {
    const size = BYTES_OF_UNIT[unit] ?? 1;
    if (bytes >= size && bytes % size === 0) return `${bytes / size} ${unit}`;
  }
  return `${bytes} bytes`;
}

function guessDuration(source: string): string {
  const match = /^\s*0*([1-9]\d{0,8})\s*(s|m|h|d)[a-z]*\s*$/i.exec(source);
  return match ? `${match[1]}${match[2]?.toLowerCase()}` : "2h";
}

function guessBytes(source: string): string {
  const match = /^\s*0*([1-9]\d{0,8})\s*([kmgt])i?b?\s*$/i.exec(source);
  return match ? `${match[1]}${match[2]?.toUpperCase()}iB` : "4GiB";
}

function quote(source: string): string {
  return JSON.stringify(source.length > 80 ? `${source.slice(0, 80)}...` : source);
}
