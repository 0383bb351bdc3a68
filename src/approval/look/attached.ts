/**
 * The bytes behind a hash on a look: a file of a mail, wherever its system has it within the body.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { Json } from "../../action/index.ts";
import { attachedIn } from "../../mail/index.ts";

/** What `body` holds with this SHA-256; `undefined` where it holds none such. */
export function findAttached(body: Uint8Array, sha256: string): Uint8Array | undefined {
  for (const bytes of candidatesIn(body)) {
    if (hash("sha256", bytes) === sha256) return bytes;
    const attached = attachedIn(bytes, sha256);
    if (attached !== undefined) return attached;
  }
  return undefined;
}

/** The body itself, and what stands in it as base64: a file, or a whole message. */
function* candidatesIn(body: Uint8Array): Iterable<Uint8Array> {
  yield body;
  const json = jsonOf(body);
  if (json === undefined) return;
  for (const text of textsIn(json)) {
    if (/^[\w+/=-]+$/.test(text)) yield Buffer.from(text, "base64");
  }
}

function jsonOf(body: Uint8Array): Json | undefined {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8")) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function textsIn(value: Json): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value as Readonly<Record<string, Json>>).flatMap(textsIn);
}
