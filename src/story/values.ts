/**
 * What an entry's `data` may hold, read without trust: it came through the record, and yet from a run.
 *
 * @module
 */
import { EFFECTS, type Effect } from "../action/index.ts";
import type { Entry } from "../api/index.ts";

type Data = Entry["data"];

/** What an item says at most, in UTF-16 units. */
export const LABEL_CHARS_MAX = 400;
const WORD_CHARS_MAX = 120;
const KNOWN_EFFECTS: ReadonlySet<string> = new Set(EFFECTS);

/** A member as text, cut; empty where there is none. */
export function textOf(data: Data, name: string, charsMax = LABEL_CHARS_MAX): string {
  const value = data?.[name];
  if (value === undefined || value === null) return "";
  return cut(typeof value === "string" ? value : JSON.stringify(value), charsMax);
}

/** A tool call's input: of a shell the command alone, which is what one looks for. */
export function inputWords(data: Data): string {
  const input = data?.["input"];
  if (typeof input !== "string") return textOf(data, "input");
  const command = parsed(input);
  return command === undefined ? cut(input) : cut(command);
}

function parsed(input: string): string | undefined {
  if (!input.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(input);
    const isObject = typeof value === "object" && value !== null && "command" in value;
    return isObject && typeof value.command === "string" ? value.command : undefined;
  } catch {
    return undefined; // Its beginning only.
  }
}

/** A member that is one word: a name, a state. */
export function wordOf(data: Data, name: string): string {
  return textOf(data, name, WORD_CHARS_MAX);
}

/** A member that counts something; absent where it is none. */
export function countOf(data: Data, name: string): number | undefined {
  const value = data?.[name];
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER
    ? Math.round(value)
    : undefined;
}

export function effectsOf(data: Data): readonly Effect[] {
  const named = Array.isArray(data?.["effects"]) ? data["effects"] : [data?.["effect"]];
  const known = named.filter(
    (one): one is Effect => typeof one === "string" && KNOWN_EFFECTS.has(one),
  );
  return [...new Set(known)];
}

/** A member that lists words, as text. */
export function listOf(data: Data, name: string): string {
  const value = data?.[name];
  const words = Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
  return cut(words.join(", "));
}

export function cut(text: string, charsMax = LABEL_CHARS_MAX): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 1).toWellFormed()}…`;
}

/** The beginning of a command, without making the whole of a long one. */
export function commandOf(argv: readonly string[], exe: string): string {
  let text = "";
  for (const word of argv) {
    text += text === "" ? word : ` ${word}`;
    if (text.length > LABEL_CHARS_MAX) break;
  }
  return cut(text || exe);
}

/** Of `https://user@Host:443/path` and `Host:443` the host; brackets of an IPv6 address stay. */
export function hostOf(target: string): string {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target)?.[1] ?? target;
  const named = authority.slice(authority.lastIndexOf("@") + 1);
  const port = /^(.*?):\d{1,5}$/s.exec(named)?.[1];
  // A bare IPv6 address ends in colons and digits, too.
  const host = port !== undefined && (!port.includes(":") || port.endsWith("]")) ? port : named;
  return cut(host.toLowerCase(), 253);
}
