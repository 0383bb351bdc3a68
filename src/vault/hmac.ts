/**
 * Signatures of a request in a header, as webhooks and some APIs have them (`t=...,v1=...`): by template.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import type { AttachableRequest } from "./request-parts.ts";
import type { Kind } from "./spec.ts";

/** The credential's form, and its key. */
export type HmacAttachment = Readonly<Extract<Kind, { kind: "hmac" }>> & { readonly key: string };

/** The fields that sign `request`: name and value of each. */
export function signHmac(
  { method, target, body }: AttachableRequest,
  how: HmacAttachment,
  nowMs: number,
): readonly (readonly [string, string])[] {
  const words: Readonly<Record<string, string>> = {
    timestamp: String(Math.floor(nowMs / 1000)),
    timestamp_ms: String(Math.floor(nowMs)),
    method,
    target,
  };
  const hmac = createHmac(how.algorithm, how.key);
  // The body is bytes and no text, so the template is walked rather than filled in.
  for (const piece of how.signed.split(/(\{\w+\})/)) {
    if (piece === "{body}") hmac.update(body ?? "");
    else hmac.update(fill(piece, words));
  }
  const signature = hmac.digest(how.encoding);
  const own = [how.name, fill(how.value, { ...words, signature })] as const;
  if (how.timestampName === undefined) return [own];
  return [own, [how.timestampName, words["timestamp"] ?? ""]];
}

function fill(template: string, words: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => words[name] ?? whole);
}
