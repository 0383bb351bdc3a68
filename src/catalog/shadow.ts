/**
 * Headers in another's shadow: CGI (RFC 3875, 4.1.18) makes `-` of a name `_`, and PHP makes `.` the same, so that
 * `content_type` and `content.type` come out as Content-Type.
 *
 * @module
 */
import type { HttpRequest } from "./http.ts";

/** Headers that frameworks take a method from. */
export const METHOD_HEADERS = ["x-http-method-override", "x-http-method", "x-method-override"];

/** Headers that change what a request is. */
const READ_HEADERS: ReadonlySet<string> = new Set([
  ...METHOD_HEADERS,
  "content-type",
  "content-encoding",
]);

/** Reports whether one of `headers` could be taken for another that is read here. */
export function hasShadow(headers: HttpRequest["headers"]): boolean {
  return Object.keys(headers).some(
    (name) => /[_.]/.test(name) && READ_HEADERS.has(name.toLowerCase().replaceAll(/[_.]/g, "-")),
  );
}
