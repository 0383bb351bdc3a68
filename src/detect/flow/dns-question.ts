/**
 * The question of a DNS message (RFC 1035, 4.1), and how it was answered. Only that: a message whose answers
 * cannot be read asks all the same, so no library's reading of the whole stands before it.
 *
 * @module
 */

export interface DnsQuestion {
  /** Labels as they were asked for, dots between; bytes that no name has as Latin-1. */
  readonly name: string;
  /** 1 A, 5 CNAME, 10 NULL, 15 MX, 16 TXT, 28 AAAA, ... */
  readonly type: number;
  readonly isAnswer: boolean;
  /** 0 no error, 3 no such name. */
  readonly code: number;
}

const HEADER_BYTES = 12;
const NAME_BYTES_MAX = 255;
const TYPE_MAX = 260;

/** The question in `bytes`; `undefined` where it is no message with one question. */
export function readDnsQuestion(bytes: Buffer): DnsQuestion | undefined {
  if (bytes.length < HEADER_BYTES + 5 || bytes.readUInt16BE(4) !== 1) return undefined;
  const flags = bytes.readUInt16BE(2);
  const isAnswer = (flags & 0x8000) !== 0;
  const operation = (flags >> 11) & 0x0f;
  if (operation !== 0) return undefined;
  // A question has no answers yet; each section is short.
  if (!isAnswer && bytes.readUInt16BE(6) !== 0) return undefined;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = bytes[at] ?? 0xff;
    at += 1;
    if (length === 0) break;
    if (length > 63 || at + length - HEADER_BYTES > NAME_BYTES_MAX) return undefined;
    labels.push(bytes.toString("latin1", at, at + length));
    at += length;
  }
  if (at + 4 > bytes.length || labels.length === 0) return undefined;
  const type = bytes.readUInt16BE(at);
  const group = bytes.readUInt16BE(at + 2) & 0x7fff; // Multicast DNS has a bit of its own on top.
  if (group !== 1 || type === 0 || type > TYPE_MAX) return undefined;
  return { name: labels.join("."), type, isAnswer, code: flags & 0x0f };
}
