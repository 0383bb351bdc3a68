/**
 * The head of an HTTP/2 request as HTTP/1 would say it, so that one gate judges every version.
 *
 * nghttp2 has already refused upper-case names, connection-specific fields, repeated or late
 * pseudo-header fields, NUL, CR and LF, and a `content-length` that is not the DATA's (RFC 9113, 8). What
 * would be another message once written in HTTP/1 is refused here again, since only one of the two
 * readings is ours: INV-34.
 *
 * @module
 */
import { valuesOf, type RawHeaders } from "./http-headers.ts";
import type { Origin, Refusal, RequestHead } from "./http-request.ts";

const PSEUDO: ReadonlySet<string> = new Set([":method", ":scheme", ":authority", ":path"]);
const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/; // RFC 9110, 5.6.2, in lower case (RFC 9113, 8.2.1).
const METHOD = /^[A-Z][A-Z-]{0,23}$/; // As in the first bytes of HTTP/1.
// oxlint-disable-next-line no-control-regex -- these are what another reader would end a line at
const BROKEN_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;
/** What has no meaning in HTTP/2 (RFC 9113, 8.2.2), and would have one once written in HTTP/1. */
const OF_CONNECTIONS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

export type Http2Head =
  | { readonly ok: true; readonly head: RequestHead }
  | { readonly ok: false; readonly method: string; readonly refusal: Refusal };

/** Reads the raw list of a HEADERS frame; `hasBody` where the stream goes on after it. */
export function readHttp2Head(raw: RawHeaders, hasBody: boolean, origin: Origin): Http2Head {
  const { pseudo, fields, flaw } = sortFields(raw);
  const method = pseudo.get(":method") ?? "";
  const refuse = (rule: string, reason: string, status = 400): Http2Head => {
    const title = "The request is not one that is forwarded";
    return { ok: false, method, refusal: { status, rule, title, reason } };
  };
  if (flaw !== undefined) return refuse("http.parse", flaw);
  if (method === "CONNECT") {
    // An extended one (RFC 8441) would be a WebSocket; it is not offered, so none should come.
    const reason =
      "CONNECT is not served: connect to the name itself, there is no proxy to go through";
    return refuse("http.connect", reason, 405);
  }
  if (!METHOD.test(method)) return refuse("http.parse", "the method is none");
  const scheme = pseudo.get(":scheme");
  if (scheme !== origin.scheme) {
    return refuse("http.target", `the request's scheme is not ${origin.scheme}`, 421);
  }
  const path = pseudo.get(":path");
  if (path === undefined) return refuse("http.target", "the request has no path");
  const authority = pseudo.get(":authority");
  const hosts = valuesOf(fields, "host");
  // Either may be missing; where both stand they must say the same (RFC 9113, 8.3.1).
  if (authority !== undefined && hosts.some((host) => host !== authority)) {
    return refuse("http.host", "Host and :authority differ", 421);
  }
  const te = valuesOf(fields, "te");
  if (te.some((value) => value !== "trailers"))
    return refuse("http.parse", "TE says more than trailers");
  const host = authority ?? hosts[0];
  const rest = withoutHost(joinCookies(fields));
  const rawHeaders = host === undefined ? rest : ["host", host, ...rest];
  const hasLength = valuesOf(fields, "content-length").length > 0;
  const isStreamed = hasBody && !hasLength;
  return { ok: true, head: { method, url: path, httpVersion: "2", rawHeaders, isStreamed } };
}

interface Sorted {
  readonly pseudo: ReadonlyMap<string, string>;
  readonly fields: readonly string[];
  readonly flaw?: string;
}

function sortFields(raw: RawHeaders): Sorted {
  const pseudo = new Map<string, string>();
  const fields: string[] = [];
  let flaw: string | undefined;
  for (let n = 0; n + 1 < raw.length; n += 2) {
    const name = raw[n] ?? "";
    const value = raw[n + 1] ?? "";
    if (name.startsWith(":")) {
      if (!PSEUDO.has(name)) flaw ??= "an unknown pseudo-header field";
      if (pseudo.has(name)) flaw ??= `${name} stands twice`;
      if (fields.length > 0) flaw ??= `${name} stands behind a field`;
      pseudo.set(name, value);
    } else {
      if (!NAME.test(name)) flaw ??= "a field's name is none";
      if (OF_CONNECTIONS.has(name)) flaw ??= `${name} does not belong into HTTP/2`;
      fields.push(name, value);
    }
    if (BROKEN_VALUE.test(value)) flaw ??= "a field's value holds what no field may";
  }
  return { pseudo, fields, ...(flaw === undefined ? {} : { flaw }) };
}

/** HTTP/2 may send a cookie in crumbs; HTTP/1 has one field of them (RFC 9113, 8.2.3). */
function joinCookies(fields: RawHeaders): RawHeaders {
  const crumbs = valuesOf(fields, "cookie");
  if (crumbs.length < 2) return fields;
  return [...without(fields, "cookie"), "cookie", crumbs.join("; ")];
}

function withoutHost(fields: RawHeaders): RawHeaders {
  return valuesOf(fields, "host").length === 0 ? fields : without(fields, "host");
}

function without(fields: RawHeaders, name: string): string[] {
  return fields.filter((_, n) => fields[n - (n % 2)] !== name);
}
