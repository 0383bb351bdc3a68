/**
 * Readers by name.
 *
 * @module
 */
import type { Readable, Reader, ReaderName, Reading } from "./reader.ts";

const READERS: Readonly<Partial<Record<ReaderName, Reader>>> = {};

/** What the reader `name` finds; `undefined` where it cannot read it. */
export function readWith(name: ReaderName, readable: Readable): Reading | undefined {
  return READERS[name]?.(readable);
}
