/**
 * Deltas of packs (gitformat-pack, "Deltified representation"): sizes of base and result, then instructions
 * that copy from the base or insert.
 *
 * @module
 */
import { require, Unreadable } from "./unreadable.ts";

/** A number of seven bits a byte, the lowest first; at most 2^31, so that no sum loses a digit. */
export function readSize(bytes: Buffer, start: number): readonly [size: number, next: number] {
  let [size, shift, at] = [0, 1, start];
  for (;;) {
    const byte = bytes[at];
    if (byte === undefined) throw new Unreadable("a delta ends within its sizes");
    at += 1;
    size += (byte & 0x7f) * shift;
    require(size <= 0x7fffffff, "a delta names a size beyond 2 GiB");
    if (byte < 0x80) return [size, at];
    shift *= 128;
    require(shift <= 2 ** 35, "a delta's size has too many digits");
  }
}

/** The size of what `delta` makes, before it is made. */
export function resultSize(delta: Buffer): number {
  const [, next] = readSize(delta, 0);
  return readSize(delta, next)[0];
}

/** Applies `delta` to `base`. */
export function applyDelta(base: Buffer, delta: Buffer): Buffer {
  const [baseSize, afterBase] = readSize(delta, 0);
  const [size, start] = readSize(delta, afterBase);
  require(baseSize === base.length, "a delta is for a base of another size");
  const result = Buffer.allocUnsafe(size);
  let [at, written] = [start, 0];
  const next = (): number => {
    const byte = delta[at];
    if (byte === undefined) throw new Unreadable("a delta ends within an instruction");
    at += 1;
    return byte;
  };
  while (at < delta.length) {
    const code = next();
    require(code !== 0, "a delta has an instruction that is reserved");
    if (code < 0x80) {
      require(at + code <= delta.length &&
        written + code <= size, "a delta inserts beyond its end");
      delta.copy(result, written, at, at + code);
      at += code;
      written += code;
      continue;
    }
    let [offset, length] = [0, 0];
    for (let bit = 0; bit < 4; bit += 1) if (code & (1 << bit)) offset += next() * 256 ** bit;
    for (let bit = 0; bit < 3; bit += 1) if (code & (16 << bit)) length += next() * 256 ** bit;
    if (length === 0) length = 0x10000;
    require(offset + length <= base.length &&
      written + length <= size, "a delta copies what is not there");
    base.copy(result, written, offset, offset + length);
    written += length;
  }
  require(written === size, "a delta makes less than it says");
  return result;
}
