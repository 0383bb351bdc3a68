/**
 * Placeholders: what stands in a run where a secret would stand. Derived from credential and run by HMAC, so that
 * nothing need be stored and no run can compute another's.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import { assert } from "../base/index.ts";
import { bitsOfShape, shapeLike, type Draw } from "./shape.ts";

/** Below this a text of the same shape could occur by chance; see docs/decisions/0213. */
const BITS_MIN = 64;
const PLAIN_CHARS = 26; // 26 of 32 letters: 130 bits.
const PLAIN = "0123456789abcdefghjkmnpqrstvwxyz";
const TRIES_MAX = 8;

/** What a placeholder is derived from. */
export interface PlaceholderOf {
  readonly credential: string;
  readonly run: string;
  /** Which secret of the credential: `value`, `access`, ... */
  readonly part: string;
}

/**
 * The placeholder for `secret`, of its shape where that has room enough to be told from chance, else
 * `cofferdam-` and letters; never `secret` itself.
 */
export function derivePlaceholder(key: Uint8Array, of: PlaceholderOf, secret: string): string {
  const isOwnShape = bitsOfShape(secret) >= BITS_MIN;
  for (let attempt = 0; ; attempt += 1) {
    assert(attempt < TRIES_MAX, "so many derived placeholders cannot all be the secret");
    const draw = drawFrom(key, `${of.credential}\0${of.run}\0${of.part}\0${attempt}`);
    const made = isOwnShape ? shapeLike(secret, draw) : plainPlaceholder(draw);
    if (!made.includes(secret) && !secret.includes(made)) return made;
  }
}

function plainPlaceholder(draw: Draw): string {
  return `cofferdam-${Array.from({ length: PLAIN_CHARS }, () => PLAIN[draw(PLAIN.length)]).join("")}`;
}

/** Numbers without bias: a byte that would favour some is passed over. */
function drawFrom(key: Uint8Array, label: string): Draw {
  let block = Buffer.alloc(0);
  let at = 0;
  let counter = 0;
  return (limit) => {
    for (;;) {
      if (at === block.length) {
        block = createHmac("sha256", key).update(`${label}\0${counter}`).digest();
        counter += 1;
        at = 0;
      }
      const byte = block[at] ?? 0;
      at += 1;
      if (byte < 256 - (256 % limit)) return byte % limit;
    }
  };
}
