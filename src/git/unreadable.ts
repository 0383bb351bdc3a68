/**
 * What is no git, as git's own checks would say: thrown within this folder only, and a value at its face.
 *
 * @module
 */

/** Bytes that cannot be read, with the reason for a person. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

/** What was read, or why it cannot be. */
export type Readable<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: string };

/** Runs `read`; what it finds unreadable is a value. Bugs of ours go on up. */
export function tryRead<Value>(read: () => Value): Readable<Value> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { ok: false, reason: error.message };
  }
}

/** Refuses unless `holds`. */
export function require(holds: boolean, reason: string): asserts holds {
  if (!holds) throw new Unreadable(reason);
}
