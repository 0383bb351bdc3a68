/**
 * An entry of the log: the canonical JSON (RFC 8785) of one event, in at most 65,535 bytes.
 *
 * An agent chooses much of what stands in an event (an argv of two megabytes, a name with half a
 * surrogate pair), and must not be able to make an event that cannot be recorded. So an event that is
 * too long, too deep or not well-formed is cut, never refused: the cut string ends in "…", and
 * `data.ledger_cut` lists what was cut, its length, and for a string the SHA-256 of the whole
 * (docs/decisions/0011).
 *
 * @module
 */
import { hash } from "node:crypto";
import { z } from "zod";
import { canonicalJson, eventSchema, type Event, type Json } from "../action/index.ts";
import { Fault, assert, isFault } from "../base/index.ts";
import { LENGTH_BYTES } from "./tile.ts";

/** What a u16 length can say. */
export const ENTRY_BYTES_MAX = 65_535;
/** The member of `data` that lists what was cut. */
export const CUT_MEMBER = "ledger_cut";
const DEPTH_MAX = 24; // Of a cut event; canonical JSON takes 64.
const CUTS_MAX = 32; // How many cuts are listed; `more` counts the others.
const PATH_CHARS_MAX = 120;

// A third of an append went into checking and copying `data`, which its encoding checks again: canonical
// JSON can be made of nothing else. A process stands in many entries and is looked at once.
const ownMembersSchema = eventSchema.extend({
  data: z.custom<Event["data"]>(isObject).optional(),
  process: z.custom<Event["process"]>(isProcess).optional(),
});
const { process: processSchema } = eventSchema.shape;
const checkedProcesses = new WeakSet<object>();

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isProcess(value: unknown): boolean {
  if (!isObject(value)) return false;
  if (checkedProcesses.has(value)) return true;
  const { success } = processSchema.safeParse(value);
  if (success) checkedProcesses.add(value);
  return success;
}

/** How much of each string (UTF-16 code units) and of each array or object (members) is kept. */
interface Limits {
  readonly chars: number;
  readonly items: number;
}

// Tried in this order until the entry fits. The last always does once `data` is left out: at most 90
// strings of 6 bytes a code unit (a control character escaped) in process and ancestors.
const STAGES: readonly Limits[] = [
  { chars: 32_768, items: 4096 },
  { chars: 4096, items: 256 },
  { chars: 512, items: 64 },
  { chars: 48, items: 8 },
];

/** One event as it will be stored. */
export interface Entry {
  readonly bytes: Buffer;
  /** `bytes` after their length, as in a bundle. */
  readonly record: Buffer;
  /** The event that `bytes` say, cut where it had to be. */
  readonly event: Event;
}

/** @throws {Fault} `ledger.event` where `event` does not follow its schema: a bug of the recorder's. */
export function encodeEvent(event: Event): Entry {
  const whole = tryEncode(event);
  if (whole !== undefined) {
    if (!ownMembersSchema.safeParse(event).success) checkEvent(event); // Which says why.
    return { ...whole, event };
  }
  for (const limits of STAGES) {
    const shorter = cutEvent(event, limits);
    const encoded = tryEncode(shorter);
    if (encoded !== undefined) return { ...encoded, event: checkEvent(shorter) };
  }
  const { data, ...rest } = event;
  const last = cutEvent({ ...rest, data: {} }, { chars: 48, items: 8 }, [
    { path: "data", length: Object.keys(data ?? {}).length },
  ]);
  const encoded = tryEncode(last);
  assert(encoded, "an event without data fits");
  return { ...encoded, event: checkEvent(last) };
}

/** Reads entry `seq` back. @throws {Fault} `ledger.corrupt` where it is no event. */
export function decodeEvent(bytes: Buffer, seq: number): Event {
  const value = parseJson(bytes);
  const parsed = eventSchema.safeParse(value);
  // As it was read: a copy by the schema leaves out members called __proto__, and the record does not.
  if (parsed.success) return value as Event;
  throw new Fault("ledger.corrupt", `entry ${seq} is no event`, {
    hint: "check the ledger with `cofferdam verify`",
  });
}

/** Reports whether `bytes` are canonical JSON: what a torn write leaves behind is not. */
export function isEntry(bytes: Buffer): boolean {
  const value = parseJson(bytes);
  return value !== undefined && tryEncode(value)?.bytes.equals(bytes) === true;
}

function parseJson(bytes: Buffer): Json | undefined {
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function tryEncode(value: Json): Omit<Entry, "event"> | undefined {
  try {
    const text = canonicalJson(value);
    const length = Buffer.byteLength(text);
    if (length > ENTRY_BYTES_MAX) return undefined;
    const record = Buffer.allocUnsafe(LENGTH_BYTES + length);
    record.writeUInt16BE(length);
    record.write(text, LENGTH_BYTES);
    return { bytes: record.subarray(LENGTH_BYTES), record };
  } catch (error) {
    if (isFault(error, "action.canonical")) return undefined;
    throw error;
  }
}

function checkEvent(value: unknown): Event {
  const parsed = eventSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") ?? "";
  throw new Fault("ledger.event", `not an event: ${where}: ${issue?.message ?? "unknown reason"}`);
}

type Cut = { readonly path: string; readonly length: number; readonly sha256?: string };

function cutEvent(event: Event, limits: Limits, cuts: Cut[] = []): { [key: string]: Json } {
  const { data, ...rest } = cutObject(event, { limits, cuts, depth: 0, path: "" });
  const more = cuts.length - CUTS_MAX;
  const listed: Json[] = cuts.slice(0, CUTS_MAX);
  if (more > 0) listed.push({ more });
  const kept = data !== null && typeof data === "object" ? data : {};
  return { ...rest, data: Object.assign({}, kept, { [CUT_MEMBER]: listed }) };
}

interface Place {
  readonly limits: Limits;
  readonly cuts: Cut[];
  readonly depth: number;
  readonly path: string;
}

function note(place: Place, length: number, sha256?: string): void {
  const path = place.path.slice(0, PATH_CHARS_MAX).toWellFormed();
  place.cuts.push({ path, length, ...(sha256 === undefined ? {} : { sha256 }) });
}

function cut(value: Json, place: Place): Json {
  if (typeof value === "string") return cutString(value, place);
  if (typeof value !== "object" || value === null) return value;
  if (place.depth > DEPTH_MAX) {
    note(place, Object.keys(value).length);
    return null;
  }
  if (!Array.isArray(value)) return cutObject(value as { [key: string]: Json }, place);
  if (value.length > place.limits.items) note(place, value.length);
  return value
    .slice(0, place.limits.items)
    .map((item: Json, n) =>
      cut(item, { ...place, depth: place.depth + 1, path: `${place.path}[${n}]` }),
    );
}

function cutString(text: string, place: Place): string {
  if (text.length <= place.limits.chars && text.isWellFormed()) return text;
  note(place, text.length, hash("sha256", text));
  return `${text.slice(0, place.limits.chars).toWellFormed()}…`;
}

function cutObject(
  value: { readonly [key: string]: Json | undefined },
  place: Place,
): { [key: string]: Json } {
  const members = Object.entries(value).filter((member) => member[1] !== undefined);
  // The event's own members (more than 8) are needed by its schema; a process has only 6.
  const max = place.depth === 0 ? members.length : place.limits.items;
  if (members.length > max) note(place, members.length);
  const dot = place.path === "" ? "" : `${place.path}.`;
  return Object.fromEntries(
    members.slice(0, max).map(([key, item = null]) => {
      const name =
        key.length <= place.limits.chars && key.isWellFormed() ? key : cutString(key, place);
      return [
        name,
        cut(item, { ...place, depth: place.depth + 1, path: `${dot}${key.slice(0, 40)}` }),
      ];
    }),
  );
}
