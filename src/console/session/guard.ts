/**
 * What a request must be like before it is heard: to our own name (DNS rebinding), from our own pages (CSRF), in our
 * own form; and what every answer tells the browser.
 *
 * @module
 */
import type { IncomingHttpHeaders } from "node:http";
import { Fault } from "../../base/index.ts";

/** @throws {Fault} `console.origin` where it is not for us, or not from our pages. */
export function guard(
  request: { readonly method: string; readonly headers: IncomingHttpHeaders },
  origin: URL,
): void {
  const { method, headers } = request;
  if (headers.host !== origin.host) refuse(`it is for ${JSON.stringify(headers.host)}`);
  const site = headers["sec-fetch-site"];
  const isNavigation = headers["sec-fetch-mode"] === "navigate" && method === "GET";
  if (site !== undefined && site !== "same-origin" && !(isNavigation && site === "none")) {
    if (!isNavigation) refuse(`it comes from another site (${site})`);
  }
  if (method === "GET") return;
  if (headers.origin !== origin.origin) refuse(`it comes from ${JSON.stringify(headers.origin)}`);
  if (headers["content-type"] !== "application/json") refuse("its content is not JSON");
}

function refuse(why: string): never {
  throw new Fault("console.origin", `this request is not heard: ${why}`, {
    hint: "open the address that `cofferdam console` prints",
  });
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

/** The session's cookie has this name. `__Host-` binds it to this host and path, where the browser lets it: with https. */
function cookieName(origin: URL): string {
  return origin.protocol === "https:" ? "__Host-cofferdam" : "cofferdam";
}

/** The `Set-Cookie` line that keeps a session; an empty token ends it. */
export function sessionCookie(origin: URL, token: string): string {
  const secure = origin.protocol === "https:" ? "; Secure" : "";
  const ended = token === "" ? "; Max-Age=0" : "";
  return `${cookieName(origin)}=${token}; HttpOnly; SameSite=Strict; Path=/${secure}${ended}`;
}

/** The session's token of a Cookie header. */
export function tokenOf(origin: URL, cookie: string | undefined): string | undefined {
  return cookieOf(cookie, cookieName(origin));
}

/** The value of the cookie `name` of a Cookie header. */
export function cookieOf(header: string | undefined, wanted: string): string | undefined {
  for (const pair of (header ?? "").split(";")) {
    const [name, value] = pair.trim().split("=");
    if (name === wanted) return value;
  }
  return undefined;
}
