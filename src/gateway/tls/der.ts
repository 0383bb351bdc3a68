/**
 * Writes DER (ITU-T X.690): the few types that a certificate needs. It reads none.
 *
 * @module
 */
import { assert } from "../../base/index.ts";

const CLASS_CONTEXT = 0x80;
const CONSTRUCTED = 0x20;

/** `tag`, length in the shortest form (X.690, 8.1.3 and 10.1), `content`. */
function encode(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = unsignedBytes(BigInt(body.length));
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
}

/** The shortest big-endian form of a number that is not negative. */
function unsignedBytes(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
}

export const sequence = (...items: readonly Uint8Array[]) => encode(0x30, ...items);
export const set = (item: Uint8Array) => encode(0x31, item);
export const boolean = (value: boolean) => encode(0x01, Buffer.from([value ? 0xff : 0]));
export const octetString = (bytes: Uint8Array) => encode(0x04, bytes);
export const utf8String = (text: string) => encode(0x0c, Buffer.from(text));

/** A whole number that is not negative; a leading zero keeps it from reading as negative. */
export function integer(value: bigint): Buffer {
  assert(value >= 0n, "der: a negative integer");
  const bytes = unsignedBytes(value);
  return encode(0x02, ...((bytes[0] ?? 0) & 0x80 ? [Buffer.from([0])] : []), bytes);
}

/** Whole bytes: no unused bits. */
export const bitString = (bytes: Uint8Array) => encode(0x03, Buffer.from([0]), bytes);

/** Named bits, bit 0 first, as a key usage has them: trailing zeros are left out (X.690, 11.2.2). */
export function namedBits(...bits: readonly number[]): Buffer {
  const last = Math.max(...bits);
  assert(bits.length > 0 && bits.every((bit) => bit >= 0) && last < 8, "der: bits 0 to 7");
  const byte = bits.reduce((value, bit) => value | (0x80 >> bit), 0);
  return encode(0x03, Buffer.from([7 - last, byte]));
}

/** An object identifier in dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift(0x80 | (left & 0x7f));
    return digits;
  });
  return encode(0x06, Buffer.from(bytes));
}

/** A time to the second: UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280, 4.1.2.5). */
export function time(wallMs: number): Buffer {
  const text = new Date(wallMs).toISOString().replaceAll(/[-:T]|\.\d{3}/g, "");
  assert(text.length === 15, "der: a year of four digits");
  return text < "2050" ? encode(0x17, Buffer.from(text.slice(2))) : encode(0x18, Buffer.from(text));
}

/** `[number] EXPLICIT`: around a whole value. */
export const explicit = (number: number, value: Uint8Array) =>
  encode(CLASS_CONTEXT | CONSTRUCTED | number, value);

/** `[number] IMPLICIT` of a primitive type: its content under another tag. */
export const implicit = (number: number, content: Uint8Array) =>
  encode(CLASS_CONTEXT | number, content);
