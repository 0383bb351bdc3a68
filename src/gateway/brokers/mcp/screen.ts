/**
 * What a server says, on its way to the agent: read strictly, without the credential, without what is not as it was
 * reviewed, and not longer than the grant lets it be. What needs no change goes on as it was written.
 *
 * @module
 */
import { hash } from "node:crypto";
import { canonicalJson, type Json } from "../../../action/index.ts";
import { readJson } from "../../../catalog/index.ts";
import {
  digestOfText,
  isMembers,
  listKindOf,
  LISTS,
  pinOf,
  readMessage,
  screenList,
  type Bad,
  type Members,
  type Message,
  type Options,
} from "./terms.ts";
import { createRedaction } from "../../../vault/index.ts";

/** Versions of the protocol that are spoken here. */
export const VERSIONS: readonly string[] = [
  ...["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"],
];

/** Whether `version` is one of them. */
export function isSpoken(version: Json | undefined): version is string {
  return typeof version === "string" && VERSIONS.includes(version);
}

/** A message of a server. */
export interface Heard {
  readonly message: Message | Bad;
  /** As it goes on where it is not changed: one line of JSON without the credential. */
  readonly text: string;
  /** It held the credential, which was blackened. */
  readonly isRedacted: boolean;
}

/** Reads what a server said. */
export function hear(data: string, secrets: readonly string[]): Heard {
  const clean = secrets.length === 0 ? data : createRedaction(secrets).text(data);
  const read = readJson(Buffer.from(clean), false, true);
  const message: Message | Bad =
    read === undefined
      ? { kind: "bad", rule: "mcp.json", why: "it is no JSON, or a name stands twice in it" }
      : readMessage(read.value);
  // Printed anew where its own form would end a line of an event stream.
  const text = read !== undefined && /[\r\n]/.test(clean) ? JSON.stringify(read.value) : clean;
  return { message, text, isRedacted: clean !== data };
}

/** A result as the agent gets it, and what is told of it in the record. */
export interface Shown {
  /** `undefined`: as it was said. */
  readonly result?: Members;
  readonly record: Readonly<Record<string, Json>>;
  /** Sentences on what is not as it was reviewed. */
  readonly changed: readonly string[];
}

/** Screens the result of `method`; `bytes` is how long it is. */
export function screenResult(
  method: string,
  result: Members,
  { options, text, isReviewed }: ScreenOptions,
): Shown {
  const bytes = Buffer.byteLength(text);
  const record = { resultBytes: bytes, resultSha256: hash("sha256", canonicalJson(result)) };
  const listed = screenListing(method, result, options, isReviewed);
  const told = screenWords(method, listed.result ?? result, options, isReviewed);
  const changed = [...listed.changed, ...told.changed];
  const shown = told.result ?? listed.result;
  const left = changed.length === 0 ? {} : { leftOut: changed.length };
  const isError = result["isError"] === true ? { isError: true } : {};
  const all = { ...record, ...left, ...isError };
  if (bytes <= options.result_bytes) {
    return { ...(shown === undefined ? {} : { result: shown }), record: all, changed };
  }
  const cut = cutResult(method, shown ?? result, bytes, options.result_bytes);
  return { result: cut, record: { ...all, cut: true }, changed };
}

export interface ScreenOptions {
  readonly options: Options;
  /** The result as it was written. */
  readonly text: string;
  /** Of a pin that is a digest of all: whether all is as it was. */
  readonly isReviewed: boolean;
}

function screenListing(
  method: string,
  result: Members,
  options: Options,
  isReviewed: boolean,
): Pick<Shown, "result" | "changed"> {
  const kind = listKindOf(method);
  if (kind === undefined) return { changed: [] };
  const { member } = LISTS[kind];
  const items = result[member];
  const list = Array.isArray(items) ? items : [];
  if (!isReviewed) {
    return { result: { [member]: [] }, changed: ["what it lists is not what was reviewed"] };
  }
  const pin = pinOf(options);
  const { items: kept, leftOut } = screenList(kind, list, pin);
  const changed = leftOut.map(({ name, why }) => `${kind}: ${name}: ${why}`);
  if (changed.length === 0 && pin === undefined) return { changed };
  return { result: { ...result, [member]: [...kept] }, changed };
}

/** What a server tells every agent is as much in its ear as a tool's description. */
function screenWords(
  method: string,
  result: Members,
  options: Options,
  isReviewed: boolean,
): Pick<Shown, "result" | "changed"> {
  if (method !== "initialize" && method !== "server/discover") return { changed: [] };
  const { instructions, ...rest } = result;
  const pin = pinOf(options);
  const isWords = typeof instructions === "string";
  const isPinned =
    pin === undefined ? isReviewed : isWords && pin.instructions === digestOfText(instructions);
  const supported = result["supportedVersions"];
  const versions = Array.isArray(supported)
    ? { supportedVersions: supported.filter(isSpoken) }
    : {};
  if (instructions === undefined || isPinned) {
    const isSame =
      !Array.isArray(supported) || supported.length === versions.supportedVersions?.length;
    return isSame ? { changed: [] } : { result: { ...result, ...versions }, changed: [] };
  }
  const why = "its instructions to every agent are not as they were reviewed";
  return { result: { ...rest, ...versions }, changed: [why] };
}

const NOTE_CHARS = 200;

/** The beginning of a result that is too long, in its own form, with a note that says so. */
function cutResult(method: string, result: Members, bytes: number, bytesMax: number): Members {
  const note = `[Cofferdam: cut here. The result has ${bytes} bytes, the grant lets ${bytesMax} through; ask for less, or in parts.]`;
  const budget = Math.floor((bytesMax - NOTE_CHARS) / 6); // A character of JSON has six bytes at most.
  if (method === "resources/read") {
    const [first] = Array.isArray(result["contents"]) ? result["contents"] : [];
    const { uri = "", text = "" } = isMembers(first) ? first : {};
    return { contents: [{ uri, mimeType: "text/plain", text: `${start(text, budget)}\n${note}` }] };
  }
  const content = result["content"];
  const texts = (Array.isArray(content) ? content : []).map((part) =>
    isMembers(part) && typeof part["text"] === "string" ? part["text"] : "",
  );
  return {
    content: [{ type: "text", text: `${start(texts.join("\n"), budget)}\n${note}` }],
    // So that nobody takes what is left for all of it, and misses what it should have been.
    isError: true,
  };
}

function start(text: Json, chars: number): string {
  return typeof text === "string" ? text.slice(0, Math.max(chars, 0)).toWellFormed() : "";
}

/** Whether a result of `method` has a form in which it can be cut; any other is refused whole. */
export function canBeCut(method: string): boolean {
  return method === "tools/call" || method === "tasks/result" || method === "resources/read";
}
