/**
 * The parameters of COM_STMT_EXECUTE, as a block of bytes that says all of them
 * (https://mariadb.com/kb/en/com_stmt_execute/):
 *
 *     null bitmap: (count + 7) / 8 bytes     1: one byte     types: 2 bytes each     values, one after the other
 *
 * @module
 */

/** Type of a value, and 0x8000 for an unsigned one. */
export type ParameterType = number;

export interface Parameters {
  readonly types: readonly ParameterType[];
  /** Bytes of each value with its length where it has one; `undefined` for NULL. */
  readonly values: readonly (Buffer | undefined)[];
}

const FIXED: Readonly<Record<number, number>> = {
  1: 1,
  2: 2,
  3: 4,
  4: 4,
  5: 8,
  6: 0,
  8: 8,
  9: 4,
  13: 2,
};
const BY_LENGTH = new Set([0, 15, 16, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255]);
const BY_BYTE = new Set([7, 10, 11, 12]);

/**
 * Reads a block for `count` parameters. `known` are the types of the last time, where it repeats none; `long` are values
 * that came before, piece by piece. `undefined` where it is not of this form to its last byte.
 */
export function readParameters(
  block: Buffer,
  count: number,
  known?: readonly ParameterType[],
  long: ReadonlyMap<number, Buffer> = new Map(),
): Parameters | undefined {
  if (count === 0) return block.length <= 1 ? { types: [], values: [] } : undefined;
  const bitmap = (count + 7) >> 3;
  if (block.length < bitmap + 1) return undefined;
  const isBound = block[bitmap];
  let at = bitmap + 1;
  let types = known;
  if (isBound === 1) {
    if (block.length < at + 2 * count) return undefined;
    const start = at;
    types = Array.from({ length: count }, (_, one) => block.readUInt16LE(start + 2 * one));
    at += 2 * count;
  } else if (isBound !== 0) return undefined;
  if (types === undefined || types.length !== count) return undefined;
  const values: (Buffer | undefined)[] = [];
  for (const [index, type] of types.entries()) {
    const isNull = ((block[index >> 3] ?? 0) >> (index & 7)) & 1;
    const before = long.get(index);
    if (before !== undefined) {
      values.push(Buffer.concat([lengthOf(before.length), before]));
      continue;
    }
    if (isNull === 1) {
      values.push(undefined);
      continue;
    }
    const size = sizeAt(block, at, type & 0xff);
    if (size === undefined || at + size > block.length) return undefined;
    values.push(block.subarray(at, at + size));
    at += size;
  }
  return at === block.length ? { types, values } : undefined;
}

/** The block that says `parameters` in full. */
export function writeParameters({ types, values }: Parameters): Buffer {
  if (types.length === 0) return Buffer.alloc(0);
  const bitmap = Buffer.alloc((types.length + 7) >> 3);
  for (const [index, value] of values.entries()) {
    if (value === undefined) bitmap[index >> 3] = (bitmap[index >> 3] ?? 0) | (1 << (index & 7));
  }
  const said = Buffer.alloc(1 + 2 * types.length, 1);
  for (const [index, type] of types.entries()) said.writeUInt16LE(type, 1 + 2 * index);
  return Buffer.concat([bitmap, said, ...values.flatMap((value) => value ?? [])]);
}

function sizeAt(block: Buffer, at: number, type: number): number | undefined {
  const fixed = FIXED[type];
  if (fixed !== undefined) return fixed;
  if (BY_BYTE.has(type)) {
    const length = block[at];
    return length === undefined || length > 12 ? undefined : 1 + length;
  }
  if (!BY_LENGTH.has(type)) return undefined;
  const first = block[at];
  if (first === undefined) return undefined;
  if (first < 0xfb) return 1 + first;
  if (first === 0xfc && at + 3 <= block.length) return 3 + block.readUInt16LE(at + 1);
  if (first === 0xfd && at + 4 <= block.length) return 4 + block.readUIntLE(at + 1, 3);
  return undefined; // Longer ones are beyond what is spooled.
}

function lengthOf(bytes: number): Buffer {
  if (bytes < 0xfb) return Buffer.from([bytes]);
  if (bytes < 0x1_0000) return Buffer.from([0xfc, bytes & 0xff, bytes >> 8]);
  return Buffer.from([0xfd, bytes & 0xff, (bytes >> 8) & 0xff, bytes >> 16]);
}

/** What a person reads of each. */
export function printParameters({
  types,
  values,
}: Parameters): readonly (string | number | null)[] {
  return values.map((value, index) =>
    value === undefined ? null : printed(value, types[index] ?? 0),
  );
}

function printed(value: Buffer, type: ParameterType): string | number | null {
  const isUnsigned = (type & 0x8000) !== 0;
  switch (type & 0xff) {
    case 1:
      return isUnsigned ? value.readUInt8() : value.readInt8();
    case 2:
    case 13:
      return isUnsigned ? value.readUInt16LE() : value.readInt16LE();
    case 3:
    case 9:
      return isUnsigned ? value.readUInt32LE() : value.readInt32LE();
    case 4:
      return value.readFloatLE();
    case 5:
      return value.readDoubleLE();
    case 6:
      return null;
    case 8:
      return String(isUnsigned ? value.readBigUInt64LE() : value.readBigInt64LE());
    case 7:
    case 10:
    case 11:
    case 12:
      return `0x${value.subarray(1).toString("hex")}`;
    default: {
      const [first = 0] = value;
      const bytes = value.subarray(first < 0xfb ? 1 : first === 0xfc ? 3 : 4);
      const text = bytes.toString("utf8");
      return Buffer.from(text).equals(bytes) ? text : `0x${bytes.toString("hex")}`;
    }
  }
}
