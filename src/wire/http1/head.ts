/**
 * Heads of messages: the first line, and where the body ends.
 *
 * ```
 * request-line = method SP request-target SP HTTP-version
 * status-line  = HTTP-version SP status-code [ SP [ reason-phrase ] ]
 * ```
 *
 * Where two readers of one head could find different ends of its body, it is refused rather than read
 * (RFC 9112, 6.3 and 11.2): two lengths, a length beside chunks, codings other than exactly "chunked".
 *
 * @module
 */
import { isTarget, isValue } from "./syntax.ts";

/** A raw list: names at even places as they came, values at odd ones. */
export type Fields = readonly string[];

/** Where a body ends. */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  /** At the end of the connection: answers only. */
  | { readonly kind: "close" };

export type Version = "1.0" | "1.1";

export interface RequestStart {
  readonly method: string;
  readonly target: string;
  readonly version: Version;
}

export interface ResponseStart {
  readonly status: number;
  readonly reason: string;
  readonly version: Version;
}

interface Rest {
  readonly fields: Fields;
  readonly framing: Framing;
  /** The peer may send another message behind this one. */
  readonly persists: boolean;
}

export type RequestMessage = RequestStart & Rest;
export type ResponseMessage = ResponseStart & Rest;

/** What is wrong, as words behind "not well-formed: ". */
export type Flaw = { readonly flaw: string };

/** Methods that are read at all; anything else is another protocol or a slip. The list of llhttp. */
export const HTTP_METHODS: readonly string[] = [
  ..."ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY".split(
    " ",
  ),
  ..."MKCALENDAR MKCOL MOVE NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY".split(
    " ",
  ),
  ..."REBIND REPORT SEARCH SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE".split(" "),
];
const METHODS: ReadonlySet<string> = new Set(HTTP_METHODS);

/** Reports whether `text` may still become a request line. */
export function mayBeginRequest(text: string): boolean {
  const space = text.indexOf(" ");
  if (space >= 0) return METHODS.has(text.slice(0, space));
  return HTTP_METHODS.some((method) => method.startsWith(text));
}

/** Reports whether `text` may still become a status line. */
export function mayBeginResponse(text: string): boolean {
  return "HTTP/1.".startsWith(text.slice(0, 7));
}

export function parseRequestLine(line: string): RequestStart | Flaw {
  const first = line.indexOf(" ");
  const second = line.indexOf(" ", first + 1);
  const method = line.slice(0, Math.max(first, 0));
  if (!METHODS.has(method)) return { flaw: "no known method" };
  const target = line.slice(first + 1, Math.max(second, 0));
  if (second < 0 || !isTarget(target)) return { flaw: "the request line is not three words" };
  const version = versionOf(line, second + 1, line.length);
  if (version === undefined) return { flaw: "neither HTTP/1.1 nor HTTP/1.0" };
  if (!isOneForm(method, target)) return { flaw: "the target has none of the forms of its method" };
  return { method, target, version };
}

export function parseStatusLine(line: string): ResponseStart | Flaw {
  const version = versionOf(line, 0, 8);
  if (version === undefined) return { flaw: "the answer is neither HTTP/1.1 nor HTTP/1.0" };
  const digits = line.slice(9, 12);
  const status = Number(digits);
  const isStatus = line[8] === " " && /^[1-9][0-9]{2}$/.test(digits);
  if (!isStatus || (line.length > 12 && line[12] !== " "))
    return { flaw: "no status of three digits" };
  const reason = line.slice(13);
  if (!isValue(reason)) return { flaw: "a control character in the reason phrase" };
  return { status, reason, version };
}

function versionOf(line: string, from: number, to: number): Version | undefined {
  const text = line.slice(from, to);
  if (text === "HTTP/1.1") return "1.1";
  return text === "HTTP/1.0" ? "1.0" : undefined;
}

const AUTHORITY = /^[a-z0-9.:[\]_~%!$&'()*+,;=-]+$/i;
const ABSOLUTE = /^[a-z][a-z0-9+.-]{0,31}:\/\/[^/?]/i;

/** RFC 9112, 3.2: origin form, absolute form, an authority for CONNECT, an asterisk for OPTIONS. */
function isOneForm(method: string, target: string): boolean {
  if (method === "CONNECT") return AUTHORITY.test(target);
  return (
    target.startsWith("/") || (target === "*" && method === "OPTIONS") || ABSOLUTE.test(target)
  );
}

/** What a head's fields say about its framing, each looked for once. */
interface Said {
  readonly lengths: readonly string[];
  readonly codings: readonly string[];
  readonly options: readonly string[];
}

function saidBy(fields: Fields): Said {
  const said = { lengths: [] as string[], codings: [] as string[], options: [] as string[] };
  for (let n = 0; n + 1 < fields.length; n += 2) {
    const name = fields[n] ?? "";
    // Told apart by length first: few fields are lower-cased at all.
    const list =
      name.length === 14 ? said.lengths : name.length === 17 ? said.codings : said.options;
    if (name.length !== 14 && name.length !== 17 && name.length !== 10) continue;
    const key = name.toLowerCase();
    if (key === "content-length" || key === "transfer-encoding" || key === "connection") {
      list.push(fields[n + 1] ?? "");
    }
  }
  return said;
}

const LENGTH = /^[0-9]{1,15}$/; // Below 2^53.

function framingOf({ lengths, codings }: Said, version: Version, without: Framing): Framing | Flaw {
  const [coding] = codings;
  if (coding !== undefined) {
    if (lengths.length > 0) return { flaw: "Content-Length beside Transfer-Encoding" };
    if (codings.length > 1 || coding.toLowerCase() !== "chunked") {
      return { flaw: "Transfer-Encoding other than chunked alone" };
    }
    // RFC 9112, 6.1: its peer may not have known the field.
    if (version === "1.0") return { flaw: "Transfer-Encoding in HTTP/1.0" };
    return CHUNKED;
  }
  const [length] = lengths;
  if (length === undefined) return without;
  if (lengths.length > 1 || !LENGTH.test(length)) {
    return { flaw: "Content-Length is not one plain number" };
  }
  return { kind: "length", bytes: Number(length) };
}

const NONE: Framing = { kind: "none" };
const CLOSE: Framing = { kind: "close" };
const CHUNKED: Framing = { kind: "chunked" };

/** Version 1.0 persists only by an extension that proxies break (RFC 9112, C.2.2): it does not here. */
function persists(version: Version, { options }: Said): boolean {
  if (version === "1.0") return false;
  return !options.some((list) => /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(list));
}

export function requestMessage(start: RequestStart, fields: Fields): RequestMessage | Flaw {
  const said = saidBy(fields);
  const framing = framingOf(said, start.version, NONE);
  if ("flaw" in framing) return framing;
  if (start.method === "CONNECT" && framing.kind !== "none") return { flaw: "a body in a CONNECT" };
  return { ...start, fields, framing, persists: persists(start.version, said) };
}

/** `method` is that of the request that is answered. */
export function responseMessage(
  start: ResponseStart,
  fields: Fields,
  method: string,
): ResponseMessage | Flaw {
  const said = saidBy(fields);
  const { status, version } = start;
  const found = framingOf(said, version, CLOSE);
  if ("flaw" in found) return found;
  const isBodiless = status < 200 || status === 204;
  if (isBodiless && (found.kind === "chunked" || (found.kind === "length" && found.bytes > 0))) {
    return { flaw: `a body in an answer of status ${status}, which has none` };
  }
  const framing = isBodiless || status === 304 || method === "HEAD" ? NONE : found;
  return {
    ...start,
    fields,
    framing,
    persists: framing.kind !== "close" && persists(version, said),
  };
}
