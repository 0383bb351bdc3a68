/**
 * Reads an asciicast v2 as it comes: a header in JSON, then an event a line, `[seconds, "o", text]` for output and
 * `[seconds, "r", "COLUMNSxROWS"]` for another size (src/recording writes it). What is no such line is passed over.
 *
 * @module
 */
import { askStream } from "../../calls/index.ts";

export interface CastEvent {
  readonly seconds: number;
  readonly output?: string;
  readonly size?: { readonly columns: number; readonly rows: number };
}

export interface Cast {
  readonly columns: number;
  readonly rows: number;
  readonly events: readonly CastEvent[];
  /** There was more than is read here. */
  readonly isCut: boolean;
}

/** Of a recording that a page holds. */
const BYTES_MAX = 32 << 20;
const SIDE_MAX = 500;

/** @throws {ApiFault} where it cannot be read */
export async function readCast(run: string, id: string, signal: AbortSignal): Promise<Cast> {
  const decoder = new TextDecoder();
  let [rest, read, isCut] = ["", 0, false];
  let size = { columns: 80, rows: 24 };
  const events: CastEvent[] = [];
  const take = (line: string) => {
    const told = lineOf(line);
    if (told === undefined) return;
    if (events.length === 0 && told.seconds === 0 && told.size !== undefined) size = told.size;
    else events.push(told);
  };
  for await (const { bytes } of askStream("recordings.read", { run, id }, signal)) {
    const piece = Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0));
    read += piece.length;
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
    isCut = read > BYTES_MAX;
    if (isCut) break;
  }
  take(rest);
  return { ...size, events, isCut };
}

function lineOf(line: string): CastEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined; // The last line of a recording that was broken off.
  }
  if (Array.isArray(value)) {
    const [seconds, kind, text] = value as readonly unknown[];
    if (typeof seconds !== "number" || typeof text !== "string" || !(seconds >= 0))
      return undefined;
    if (kind === "o") return { seconds, output: text };
    const [columns, rows] = text.split("x").map(Number);
    const size = kind === "r" ? sizeOf(columns, rows) : undefined;
    return size === undefined ? undefined : { seconds, size };
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { width, height } = value as Readonly<Record<string, unknown>>;
  const size = sizeOf(width, height);
  return size === undefined ? undefined : { seconds: 0, size };
}

function sizeOf(columns: unknown, rows: unknown): CastEvent["size"] {
  const isSide = (one: unknown): one is number =>
    Number.isInteger(one) && Number(one) > 0 && Number(one) <= SIDE_MAX;
  return isSide(columns) && isSide(rows) ? { columns, rows } : undefined;
}

/** What was shown as plain text, and when each event begins in it: to search by, not to show. */
export function searchable({ events }: Cast): {
  readonly text: string;
  timeAt(at: number): number;
} {
  const starts: number[] = [];
  const times: number[] = [];
  let text = "";
  for (const { seconds, output } of events) {
    if (output === undefined) continue;
    starts.push(text.length);
    times.push(seconds);
    text += plain(output);
  }
  return {
    text: text.toLowerCase(),
    timeAt: (at) => times[starts.findLastIndex((start) => start <= at)] ?? 0,
  };
}

/** Control sequences and strings (ECMA-48). */
const SEQUENCES =
  // eslint-disable-next-line no-control-regex -- controls are what is taken out.
  /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b\[[0-?]*[ -/]*[@-~]|\u001b[@-_]/g;
const CONTROLS = /\p{Cc}+/gu;

/** Without control sequences and strings; line ends become spaces. */
function plain(output: string): string {
  return output.replaceAll(SEQUENCES, "").replaceAll(CONTROLS, " ");
}
