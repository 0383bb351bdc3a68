/**
 * What a request must be like before it is heard: to our own name (DNS rebinding), from our own pages (CSRF), in our
 * own form; and what every answer tells the browser.
 *
 * Three kinds of requests are heard. A page, or what it is made of: GET without a body; other sites may lead a browser to a page,
 * as to any, and nothing happens by that: the one that begins to sign in is led to by our own pages alone. The stream of events: GET from our own pages alone. Everything that asks or does: POST of
 * JSON from our own pages alone. No answer lets another origin read it.
 *
 * @module
 */
import type { IncomingHttpHeaders } from "node:http";
import { Fault } from "../../base/index.ts";

export interface Asked {
  readonly method: string;
  /** The request's target as it came. */
  readonly target: string;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came: Node joins or drops what comes twice. */
  readonly rawHeaders: readonly string[];
}

/** A path and a query; not `//`, not a URL, and nothing that another reader would take for a different path. */
const TARGET = /^\/(?!\/)(?:[\w.~\-/@:+,=]|%(?!00|2[ef]|5c)[0-9a-f]{2})*(?:\?[\x21-\x7e]*)?$/i;
const ODD_PATH = /\/\/|\/\.\.?(?:\/|$)/;
/** What may come twice in a request; nothing else that we read may. */
const MANY = new Set(["accept", "accept-language", "cache-control", "via", "forwarded"]);
/** Leads to a provider, which may know who it is: begun by another site, it would end with a session that nobody asked for. */
const SIGN_IN_AWAY = "/session/oidc";
const HOP = ["upgrade", "expect", "trailer", "te", "content-encoding"] as const;

/** @throws {Fault} `console.origin` where it is not for us, not from our pages, or not in our form. */
export function guard(asked: Asked, origin: URL): void {
  const why = objectionTo(asked, origin);
  if (why === undefined) return;
  throw new Fault("console.origin", `this request is not heard: ${why}`, {
    hint: "open the address that `cofferdam console` prints",
  });
}

function objectionTo(asked: Asked, origin: URL): string | undefined {
  const { method, target, httpVersion, headers } = asked;
  if (httpVersion !== "1.1") return `it is HTTP/${httpVersion}`;
  const twice = repeatedIn(asked.rawHeaders);
  if (twice !== undefined) return `it has ${twice} more than once`;
  if (headers.host !== origin.host) return `it is for ${JSON.stringify(headers.host)}`;
  const path = target.split("?", 1)[0] ?? "";
  if (!TARGET.test(target) || ODD_PATH.test(path)) return "its path is not in plain form";
  const hop = HOP.find((name) => headers[name] !== undefined);
  if (hop !== undefined) return `it has ${hop}`;
  if (method === "POST") return objectionToPost(headers, origin);
  if (method !== "GET" && method !== "HEAD") return `its method is ${method}`;
  if (hasBody(headers)) return "it has a body";
  if (path === SIGN_IN_AWAY && headers["sec-fetch-site"] !== "same-origin") {
    return `it comes from another site (${siteOf(headers["sec-fetch-site"])})`;
  }
  return path.startsWith("/api/") ? objectionToStream(headers) : objectionToPage(headers);
}

/** Our pages send all three; a form cannot, and another site's script is asked for leave first, which nobody gives. */
function objectionToPost(headers: IncomingHttpHeaders, origin: URL): string | undefined {
  if (headers.origin !== origin.origin) return `it comes from ${JSON.stringify(headers.origin)}`;
  if (headers["content-type"] !== "application/json") return "its content is not application/json";
  const { "sec-fetch-site": site, "sec-fetch-mode": mode } = headers;
  if (site !== undefined && site !== "same-origin")
    return `it comes from another site (${siteOf(site)})`;
  if (mode !== undefined && mode !== "cors" && mode !== "same-origin")
    return "no page of ours sends it so";
  return undefined;
}

/** A browser says no Origin with a GET to its own, so it is this header that must be there. */
function objectionToStream(headers: IncomingHttpHeaders): string | undefined {
  const { "sec-fetch-site": site, "sec-fetch-mode": mode } = headers;
  if (site !== "same-origin") return `it comes from another site (${siteOf(site)})`;
  return mode === "cors" || mode === "same-origin" ? undefined : "no page of ours asks so";
}

function objectionToPage(headers: IncomingHttpHeaders): string | undefined {
  const { "sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest } = headers;
  if (mode === "navigate") {
    return dest === "document" ? undefined : "it would be shown inside another page";
  }
  if (site !== undefined && site !== "same-origin")
    return `it comes from another site (${siteOf(site)})`;
  return undefined;
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  const { "content-length": length = "0", "transfer-encoding": coding } = headers;
  return coding !== undefined || length !== "0";
}

function repeatedIn(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    if (seen.has(name) && !MANY.has(name)) return JSON.stringify(name.slice(0, 64));
    seen.add(name);
  }
  return undefined;
}

function siteOf(site: string | readonly string[] | undefined): string {
  return site === undefined ? "unsaid" : JSON.stringify(site);
}

/** What goes with every answer. */
export function securityHeaders(): Record<string, string> {
  return {
    "content-security-policy": [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      "font-src 'self'",
      "connect-src 'self'",
      "frame-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      // The one policy there is makes documents for frames that can do nothing (web/parts/frame.tsx).
      "trusted-types cofferdam-frame",
    ].join("; "),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy":
      "camera=(), microphone=(), geolocation=(), publickey-credentials-get=(self)",
    "cache-control": "no-store",
  };
}

/** What the page's key comes in (sessions.ts); a header that no other site may send. */
export const KEY_HEADER = "x-cofferdam-key";
const KEY = /^[\w-]{43}$/;

/**
 * The session's cookie has this name. `__Host-` binds it to this host and path, where the browser lets it: with https.
 * Elsewhere the port tells it from that of another console: a browser has one jar for all ports of a host.
 */
function cookieName(origin: URL): string {
  return origin.protocol === "https:" ? "__Host-cofferdam" : `cofferdam-${origin.port}`;
}

/** The `Set-Cookie` line that keeps a session; an empty token ends it. */
export function sessionCookie(origin: URL, token: string): string {
  const secure = origin.protocol === "https:" ? "; Secure" : "";
  const ended = token === "" ? "; Max-Age=0" : "";
  return `${cookieName(origin)}=${token}; HttpOnly; SameSite=Strict; Path=/${secure}${ended}`;
}

/** What a request says of who sends it: the tokens of its cookies, and its page's key. */
export interface Credentials {
  readonly tokens: readonly string[];
  readonly key: string | undefined;
}

/** Another port of this host may have set a cookie of our name, too: each is tried. */
export function credentialsOf(origin: URL, headers: IncomingHttpHeaders): Credentials {
  const key = headers[KEY_HEADER];
  return {
    tokens: cookiesOf(headers.cookie, cookieName(origin)),
    key: typeof key === "string" && KEY.test(key) ? key : undefined,
  };
}

/** The values of the cookie `wanted` of a Cookie header. */
export function cookiesOf(header: string | undefined, wanted: string): readonly string[] {
  return (header ?? "").split(";").flatMap((pair) => {
    const [name, value] = pair.trim().split("=");
    return name === wanted && value !== undefined ? [value] : [];
  });
}
