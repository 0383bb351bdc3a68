/**
 * Writes messages in one spelling. What would not be read back as it was meant is a bug of ours, not a
 * message: it throws.
 *
 * @module
 */
import { assert } from "../../base/index.ts";
import type { Fields } from "./head.ts";
import { isTarget, isToken, isValue } from "./syntax.ts";

/** The head of a request, in latin1. */
export function requestHead(method: string, target: string, fields: Fields): string {
  assert(isToken(method) && isTarget(target), "a request line in three words");
  return `${method} ${target} HTTP/1.1\r\n${fieldLines(fields)}\r\n`;
}

/** The head of an answer, in latin1. */
export function responseHead(status: number, reason: string, fields: Fields): string {
  assert(status >= 100 && status <= 999 && isValue(reason), "a status line");
  return `HTTP/1.1 ${status} ${reason}\r\n${fieldLines(fields)}\r\n`;
}

function fieldLines(fields: Fields): string {
  let lines = "";
  for (let n = 0; n + 1 < fields.length; n += 2) {
    const [name = "", value = ""] = [fields[n], fields[n + 1]];
    assert(isToken(name) && isValue(value), "a field that is one line");
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

/** What stands before a chunk of `bytes`, of which there is at least one. */
export function chunkHead(bytes: number): string {
  assert(bytes > 0, "an empty chunk would be the last");
  return `${bytes.toString(16)}\r\n`;
}

export const CHUNK_END = "\r\n";

/** The last chunk and the trailers. */
export function lastChunk(trailers: Fields): string {
  return `0\r\n${fieldLines(trailers)}\r\n`;
}
