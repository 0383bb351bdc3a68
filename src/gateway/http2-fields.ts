/**
 * Small pieces that both sides of HTTP/2 need.
 *
 * @module
 */
import type { Http2Stream } from "node:http2";
import { addAbortSignal } from "node:stream";
import type { RawHeaders } from "./http-headers.ts";

/**
 * Ends `stream` at once by RST_STREAM CANCEL. Not by `close`: that ends its own direction first, and what
 * was cut in the middle would arrive as a whole message.
 */
export function cutStream(stream: Http2Stream): void {
  stream.on("error", () => {}); // It is told why, and nobody asks.
  addAbortSignal(AbortSignal.abort(), stream);
}

/** Sends trailers where the stream still lives; what Node would not send as fields looks cut. */
export function sendTrailers(
  stream: Http2Stream,
  pairs: readonly (readonly [string, string])[],
): void {
  if (stream.closed || stream.destroyed) return;
  try {
    stream.sendTrailers(trailerFields(pairs));
  } catch {
    // Asked for from inside of Node, so that a throw would end the process: two ETags are enough.
    cutStream(stream);
  }
}

/** The form in which Node takes trailers: fields that repeat as a list. */
export function trailerFields(
  pairs: readonly (readonly [string, string])[],
): Record<string, string | string[]> {
  const fields = Map.groupBy(pairs, ([name]) => name);
  return Object.fromEntries(
    [...fields].map(([name, same]) => {
      const values = same.map(([, value]) => value);
      return [name, values.length === 1 ? (values[0] ?? "") : values];
    }),
  );
}

/** A raw list without its pseudo-header fields. */
export function plainFields(raw: RawHeaders): string[] {
  return raw.filter((_, n) => raw[n - (n % 2)]?.startsWith(":") === false);
}

/** A raw list with its names in lower case, as HTTP/2 wants them. */
export function lowerNames(raw: RawHeaders): string[] {
  return raw.map((text, n) => (n % 2 === 0 ? text.toLowerCase() : text));
}
