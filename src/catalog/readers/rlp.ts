/**
 * Recursive length prefix, the encoding of Ethereum's transactions (Yellow Paper, appendix B; EIP-2718):
 * each value has one encoding, and any other is refused.
 *
 * @module
 */

/** Bytes, or a list. */
export type Rlp = Uint8Array | readonly Rlp[];

const DEPTH_MAX = 8;

/** The value that `bytes` encode, all of them; `undefined` where they encode none. */
export function readRlp(bytes: Uint8Array): Rlp | undefined {
  const item = readItem(bytes, 0, 0);
  return item?.end === bytes.length ? item.value : undefined;
}

interface Item {
  readonly value: Rlp;
  readonly end: number;
}

function readItem(bytes: Uint8Array, at: number, depth: number): Item | undefined {
  const first = bytes[at];
  if (first === undefined || depth > DEPTH_MAX) return undefined;
  if (first < 0x80) return { value: bytes.subarray(at, at + 1), end: at + 1 };
  const isList = first >= 0xc0;
  const span = readSpan(bytes, at, first - (isList ? 0xc0 : 0x80));
  if (span === undefined) return undefined;
  const { start, end } = span;
  if (!isList) {
    const value = bytes.subarray(start, end);
    // A single byte below 0x80 is its own encoding.
    return value.length === 1 && (value[0] ?? 0) < 0x80 ? undefined : { value, end };
  }
  const items: Rlp[] = [];
  let next = start;
  while (next < end) {
    const item = readItem(bytes.subarray(0, end), next, depth + 1);
    if (item === undefined) return undefined;
    items.push(item.value);
    next = item.end;
  }
  return { value: items, end };
}

/** Where the content is: a length up to 55 stands in the prefix itself, a longer one behind it. */
function readSpan(
  bytes: Uint8Array,
  at: number,
  short: number,
): { readonly start: number; readonly end: number } | undefined {
  const size = short > 55 ? short - 55 : 0;
  let length = short;
  if (size > 0) {
    // Lengths of more than four bytes are longer than any request.
    if (size > 4 || bytes[at + 1] === 0) return undefined;
    length = 0;
    for (const byte of bytes.subarray(at + 1, at + 1 + size)) length = length * 256 + byte;
    if (length <= 55) return undefined;
  }
  const start = at + 1 + size;
  return start + length > bytes.length ? undefined : { start, end: start + length };
}
