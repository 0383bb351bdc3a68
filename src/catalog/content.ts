/**
 * What a request carries, read once and strictly: its query and its body as values. What two servers could
 * read differently is not read at all, and the request is then unknown.
 *
 * @module
 */
import type { Json } from "../action/index.ts";
import type { BodyForm, Entry } from "./entry.ts";
import { readMultipart, type Part } from "./multipart.ts";
import { readJson } from "./strict-json.ts";

export type Pair = readonly [name: string, value: string];

/** A request's parameters and body. */
export interface Content {
  readonly form: BodyForm;
  readonly query: readonly Pair[];
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Of a body that is JSON. */
  readonly json?: Json;
  /** Of a body that is a form; of a multipart one the fields that are no files. */
  readonly pairs?: readonly Pair[];
  readonly parts?: readonly Part[];
  readonly bytes?: Uint8Array;
}

export interface ContentSource {
  readonly query: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: Uint8Array | undefined;
}

const PAIRS_MAX = 2000;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const OTHER_TYPE = /application\/(?:json|x-www-form-urlencoded)|multipart\/form-data/i;

/** Reads a request's content, or gives `undefined` where that could be read in more than one way. */
export function readContent(
  source: ContentSource,
  dialect: Entry["dialect"] = [],
  speaks?: Entry["speaks"],
): Content | undefined {
  const { headers, body } = source;
  const query = readPairs(source.query);
  if (query === undefined) return undefined;
  if (body === undefined || body.length === 0) return { form: "none", query, headers };
  const encoding = headers["content-encoding"];
  if (encoding === "gzip" && speaks === "git") return { form: "raw", query, headers, bytes: body };
  if (encoding !== undefined && encoding !== "identity") return undefined;
  const type = headers["content-type"];
  if (Array.isArray(type)) return undefined; // Two types: a server takes one of them.
  const [said, parameters] = formOf(typeof type === "string" ? type : "");
  const isJson = dialect.includes("form-is-json") && (said === "form" || type === undefined);
  const form = isJson ? "json" : said;
  const common = { form, query, headers, bytes: body };
  if (form === "json") {
    const json = readJson(body, dialect.includes("go-json"));
    return json && { ...common, json: json.value };
  }
  if (form === "form") {
    const plain = textOf(body);
    const pairs = plain === undefined ? undefined : readPairs(plain);
    return pairs && { ...common, pairs };
  }
  if (form !== "multipart") return common;
  const parts = readMultipart(body, parameters);
  const pairs = parts && fieldsOf(parts);
  return pairs && { ...common, parts, pairs };
}

/** The parts that are no files; `undefined` where one is no text. */
function fieldsOf(parts: readonly Part[]): readonly Pair[] | undefined {
  const pairs: Pair[] = [];
  for (const { name, filename, bytes } of parts) {
    if (filename !== undefined) continue;
    const value = textOf(bytes);
    if (value === undefined) return undefined;
    pairs.push([name, value]);
  }
  return pairs;
}

/** `bytes` as UTF-8, or `undefined` where they are none: in another charset they would be another text. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The form that a media type says, and the type's parameters. */
function formOf(type: string): readonly [BodyForm, string] {
  const [essence = "", ...parameters] = type.split(";");
  const name = essence.trim().toLowerCase();
  const charset = /charset\s*=\s*"?([^";\s]+)/i.exec(parameters.join(";"))?.[1]?.toLowerCase();
  // Another charset makes other names and values of the same bytes.
  if (charset !== undefined && charset !== "utf-8" && charset !== "utf8") return ["raw", ""];
  // Telegram's server looks for the name of a form anywhere in the field.
  if (OTHER_TYPE.test(parameters.join(";"))) return ["raw", ""];
  if (name === "application/json" || /^application\/[a-z0-9.-]+\+json$/.test(name))
    return ["json", ""];
  if (name === "application/x-www-form-urlencoded") return ["form", ""];
  if (name === "multipart/form-data") return ["multipart", parameters.join(";")];
  return ["raw", ""];
}

/** `a=1&b=2` as pairs (WHATWG URL, 5.1); `undefined` for escapes that are none, and for `;` between pairs. */
function readPairs(text: string): readonly Pair[] | undefined {
  if (text === "") return [];
  const pairs = text.split("&");
  if (pairs.length > PAIRS_MAX) return undefined;
  const read: Pair[] = [];
  for (const pair of pairs) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = decode(at < 0 ? pair : pair.slice(0, at));
    const value = decode(at < 0 ? "" : pair.slice(at + 1));
    // Old servers split at `;` as well.
    if (name === undefined || value === undefined || name.includes(";")) return undefined;
    read.push([name, value]);
  }
  return read;
}

function decode(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text.replaceAll("+", " "));
    return plain.includes("\0") ? undefined : plain;
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
