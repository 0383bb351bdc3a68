/**
 * The one gate every HTTP request passes: is it a single, plain request for the granted origin?
 *
 * Node's parser (llhttp, strict) has already refused duplicate and odd lengths, CL beside TE, folded
 * lines, bare CR or LF, NUL and bad chunks; this refuses what a parser may accept and two peers may
 * still read differently. What is judged is what is sent, since the request that goes on is
 * written anew from the parts that are returned here.
 *
 * @module
 */
import {
  endToEnd,
  headerPairs,
  isHopByHop,
  listOf,
  valuesOf,
  type RawHeaders,
} from "./http-headers.ts";

/** Where a request must be going: the granted name, and how the connection reached it. */
export interface Origin {
  readonly scheme: "http" | "https";
  /** Canonical name. */
  readonly host: string;
  readonly port: number;
}

/** The parts of a parsed head, in the form of HTTP/1 whatever the version. */
export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly httpVersion: string;
  readonly rawHeaders: RawHeaders;
  /** A body follows though no field says so: HTTP/2 marks its end in the frames. */
  readonly isStreamed?: boolean;
  /** The connection has stopped to be HTTP: a WebSocket, or nothing. */
  readonly isUpgrade?: boolean;
}

/** How the body is delimited; `bytes` is what `Content-Length` says. */
export type BodyFraming =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" };

/** A request that may be judged. */
export interface CheckedRequest extends Origin {
  readonly method: string;
  /** The request target in origin form, byte for byte as it will be sent. */
  readonly target: string;
  readonly path: string;
  /** Without the question mark; empty where there is none. */
  readonly query: string;
  /** End-to-end fields without `Host` and framing, as a raw list. */
  readonly headers: RawHeaders;
  readonly framing: BodyFraming;
  readonly expectContinue: boolean;
  readonly wantsTrailers: boolean;
  /** What the connection is to become; set where the handshake was checked. */
  readonly upgrade?: "websocket";
}

/** Why a request is refused before it is judged. */
export interface Refusal {
  readonly status: number;
  readonly rule: string;
  readonly title: string;
  readonly reason: string;
}

export type Checked =
  | { readonly ok: true; readonly request: CheckedRequest }
  | { readonly ok: false; readonly refusal: Refusal };

// Printable ASCII without what URL readers take for something else: `\` is `/` to some, `#` ends the
// target for others (RFC 3986 allows neither here).
const TARGET = /^[\x21\x22\x24-\x5b\x5d-\x7e]+$/;

// An upstream that obeys one of these does something else than what was judged.
const OVERRIDES: ReadonlySet<string> = new Set([
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-original-url",
  "x-rewrite-url",
]);

const DEFAULT_PORT = { http: 80, https: 443 } as const;

/** Checks a parsed head against the origin it must be for. `headersMax` counts fields. */
export function checkRequest(head: RequestHead, origin: Origin, headersMax: number): Checked {
  const refusal =
    checkVersion(head) ??
    checkFields(head.rawHeaders, headersMax) ??
    checkHost(head.rawHeaders, origin) ??
    checkExpect(head.rawHeaders);
  if (refusal !== undefined) return { ok: false, refusal };
  const target = readTarget(head, origin);
  if ("refusal" in target) return { ok: false, refusal: target.refusal };
  const framing = readFraming(head);
  if ("refusal" in framing) return { ok: false, refusal: framing.refusal };
  const mark = target.text.indexOf("?");
  const raw = head.rawHeaders;
  return {
    ok: true,
    request: {
      ...origin,
      method: head.method,
      target: target.text,
      path: mark < 0 ? target.text : target.text.slice(0, mark),
      query: mark < 0 ? "" : target.text.slice(mark + 1),
      headers: endToEnd(raw, ["host", "content-length", "expect", "trailer"]),
      framing: framing.framing,
      expectContinue: valuesOf(raw, "expect").length > 0,
      wantsTrailers: listOf(raw, "te").includes("trailers"),
    },
  };
}

/** `name` with the port where it is not the scheme's own. */
export function authorityOf(origin: Origin): string {
  return origin.port === DEFAULT_PORT[origin.scheme]
    ? origin.host
    : `${origin.host}:${origin.port}`;
}

function checkVersion({ httpVersion, rawHeaders }: RequestHead): Refusal | undefined {
  if (!["1.0", "1.1", "2"].includes(httpVersion)) {
    return refuse(505, "http.version", `HTTP/${httpVersion} is not spoken here, only 1.1 and 2`);
  }
  // RFC 9112, 6.1: an HTTP/1.0 peer does not know the field, so the two ends would disagree.
  if (httpVersion === "1.0" && valuesOf(rawHeaders, "transfer-encoding").length > 0) {
    return refuse(400, "http.framing", "Transfer-Encoding in an HTTP/1.0 request");
  }
  return undefined;
}

function checkFields(raw: RawHeaders, headersMax: number): Refusal | undefined {
  if (raw.length / 2 > headersMax) {
    return refuse(431, "http.headers", `more than ${headersMax} header fields`);
  }
  const pairs = headerPairs(raw);
  const override = pairs.find(([name]) => OVERRIDES.has(name));
  if (override !== undefined) {
    return refuse(400, "http.override", `${override[0]} would make it another request than it is`);
  }
  // To a CGI or WSGI server Content_Length is Content-Length: it would count there, and not here.
  const disguised = pairs.find(([name]) => name.includes("_") && isOurs(name.replaceAll("_", "-")));
  if (disguised !== undefined) {
    const reason = `${disguised[0]} is read as another field by some servers`;
    return refuse(400, "http.headers", reason);
  }
  // Naming an end-to-end field as a hop's own is a way to have a proxy drop it.
  const named = listOf(raw, "connection").find(
    (option) => !isHopByHop(option) && pairs.some(([name]) => name === option),
  );
  if (named !== undefined) {
    return refuse(
      400,
      "http.connection",
      `Connection names ${named}, which belongs to the request`,
    );
  }
  return undefined;
}

const JUDGED: ReadonlySet<string> = new Set(["host", "content-length", "expect", "trailer"]);

/** Whether field `name` says where a request goes, where it ends, or what it is. */
function isOurs(name: string): boolean {
  return JUDGED.has(name) || OVERRIDES.has(name) || isHopByHop(name);
}

function checkHost(raw: RawHeaders, origin: Origin): Refusal | undefined {
  const hosts = valuesOf(raw, "host");
  const [host] = hosts;
  if (host === undefined || hosts.length > 1) {
    return refuse(400, "http.host", `${hosts.length} Host fields where there must be one`);
  }
  if (!isAuthority(host, origin)) {
    const connected = authorityOf(origin);
    return refuse(421, "http.host", `Host is ${quote(host)}, the connection is to ${connected}`);
  }
  return undefined;
}

/** One spelling only: the name with case ignored, and its port, which may be left out if default. */
function isAuthority(text: string, origin: Origin): boolean {
  const lower = text.toLowerCase();
  return lower === authorityOf(origin) || lower === `${origin.host}:${origin.port}`;
}

function checkExpect(raw: RawHeaders): Refusal | undefined {
  const expects = valuesOf(raw, "expect");
  if (expects.length === 0) return undefined;
  if (expects.length === 1 && expects[0]?.toLowerCase() === "100-continue") return undefined;
  return refuse(417, "http.expect", "only 100-continue may be expected");
}

function readTarget(
  head: RequestHead,
  origin: Origin,
): { readonly text: string } | { readonly refusal: Refusal } {
  const { method, url } = head;
  if (!TARGET.test(url)) {
    return {
      refusal: refuse(400, "http.target", "the request target holds a character no URL has"),
    };
  }
  if (url.startsWith("/") || (url === "*" && method === "OPTIONS")) return { text: url };
  // Absolute form (RFC 9112, 3.2.2): right in what it says, it becomes origin form. HTTP/2 has none.
  const absolute =
    head.httpVersion === "2" ? null : /^([a-z][a-z0-9+.-]*):\/\/([^/?]*)(.*)$/i.exec(url);
  const [, scheme = "", authority = "", rest = ""] = absolute ?? [];
  if (
    absolute === null ||
    scheme.toLowerCase() !== origin.scheme ||
    !isAuthority(authority, origin)
  ) {
    const reason = `the request target names another place than ${authorityOf(origin)}`;
    return { refusal: refuse(421, "http.target", reason) };
  }
  return { text: rest.startsWith("/") ? rest : `/${rest}` };
}

function readFraming(
  head: RequestHead,
): { readonly framing: BodyFraming } | { readonly refusal: Refusal } {
  const encodings = valuesOf(head.rawHeaders, "transfer-encoding");
  const lengths = valuesOf(head.rawHeaders, "content-length");
  const [encoding] = encodings;
  if (encoding !== undefined) {
    if (encodings.length > 1 || lengths.length > 0 || encoding.toLowerCase() !== "chunked") {
      return { refusal: refuse(400, "http.framing", "Transfer-Encoding other than chunked alone") };
    }
    return { framing: { kind: "chunked" } };
  }
  const [length] = lengths;
  if (length === undefined) {
    return { framing: { kind: head.isStreamed === true ? "chunked" : "none" } };
  }
  // The parser holds both already; this holds them should its leniency ever change.
  if (lengths.length > 1 || !/^\d{1,15}$/.test(length)) {
    return { refusal: refuse(400, "http.framing", "Content-Length is not one plain number") };
  }
  return { framing: { kind: "length", bytes: Number(length) } };
}

function refuse(status: number, rule: string, reason: string): Refusal {
  return { status, rule, title: "The request is not one that is forwarded", reason };
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
