/**
 * Reads a DNS query, and builds the reply to it. The question is read here byte by byte, since it is
 * echoed exactly and decides everything; the other records are read and written by dns-packet.
 *
 * Header (RFC 1035, 4.1.1): `id` u16, flags u16 (QR 1 bit, opcode 4, AA, TC, RD, RA, Z, AD, CD, rcode
 * 4), counts of questions, answers, authorities, additionals, u16 each.
 *
 * @module
 */
import * as dnsPacket from "dns-packet";

/** Largest query, in bytes: a name of 255, EDNS with cookie, and padding to a block (RFC 8467). */
export const QUERY_BYTES_MAX = 4096;

/** UDP replies without EDNS (RFC 1035, 4.2.1), and the size beyond which paths may lose fragments. */
const PLAIN_REPLY_BYTES = 512;
const EDNS_REPLY_BYTES = 1232;

const HEADER_BYTES = 12;
const NAME_BYTES_MAX = 255;
const ADDITIONALS_MAX = 2; // EDNS and a signature.

const FLAG_RESPONSE = 0x8000;
const FLAG_TRUNCATED = 0x0200;
const FLAG_RECURSION_DESIRED = 0x0100;
const FLAG_RECURSION_AVAILABLE = 0x0080;
const FLAG_CHECKING_DISABLED = 0x0010;
const OPCODE_BITS = 0x7800;

/** Response codes (RFC 1035, 4.1.1; RFC 6891, 9). */
export const RCODES = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;
export type Rcode = keyof typeof RCODES;

/** What is kept of a packet in order to reply. */
export interface Head {
  readonly id: number;
  /** Opcode and the flags that a reply repeats. */
  readonly flags: number;
  /** The question's bytes, empty where there is none to repeat. */
  readonly question: Buffer;
  /** The client's EDNS; absent where it sent none. */
  readonly edns?: { readonly version: number; readonly replyBytes: number };
}

/** One question. */
export interface Query extends Head {
  /** The name's labels, as bytes in Latin-1. */
  readonly labels: readonly string[];
  readonly type: number;
  /** As dns-packet names it, or `TYPE65`, for people. */
  readonly typeName: string;
  readonly class: number;
}

export type Reading =
  | { readonly kind: "query"; readonly query: Query }
  /** A packet that gets only an error back. */
  | { readonly kind: "error"; readonly head: Head; readonly rcode: Rcode; readonly why: string }
  /** A packet that gets nothing back: replying could begin a loop, or has nowhere to go. */
  | { readonly kind: "drop"; readonly why: string };

/** Reads a packet of a client; never throws. */
export function readQuery(packet: Buffer): Reading {
  if (packet.length < 4) return { kind: "drop", why: "too short for an identifier and flags" };
  const flags = packet.readUInt16BE(2);
  if ((flags & FLAG_RESPONSE) !== 0) return { kind: "drop", why: "a response" };
  const kept = flags & (OPCODE_BITS | FLAG_RECURSION_DESIRED | FLAG_CHECKING_DISABLED);
  const head: Head = { id: packet.readUInt16BE(0), flags: kept, question: Buffer.alloc(0) };
  const error = (rcode: Rcode, why: string): Reading => ({ kind: "error", head, rcode, why });
  if (packet.length < HEADER_BYTES) return error("FORMERR", "too short for a header");
  if (packet.length > QUERY_BYTES_MAX) return error("FORMERR", "too long for a query");
  if ((flags & OPCODE_BITS) !== 0) return error("NOTIMP", "not a query");
  const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) =>
    packet.readUInt16BE(at),
  );
  if (questions !== 1) return error("FORMERR", "not exactly one question");
  if (answers !== 0 || authorities !== 0) return error("FORMERR", "a query with answers");
  if ((additionals ?? 0) > ADDITIONALS_MAX) return error("FORMERR", "too many additional records");
  const name = readName(packet);
  if (name === undefined) return error("FORMERR", "a name of illegal form");
  const rest = readRest(packet);
  if (rest === undefined) return error("FORMERR", "records of illegal form");
  const query: Query = {
    ...head,
    ...rest,
    question: packet.subarray(HEADER_BYTES, name.end + 4),
    labels: name.labels,
    type: packet.readUInt16BE(name.end),
    class: packet.readUInt16BE(name.end + 2),
  };
  if ((rest.edns?.version ?? 0) === 0) return { kind: "query", query };
  return { kind: "error", head: query, rcode: "BADVERS", why: "an unknown version of EDNS" };
}

/** The question's name: `length` u8 1 to 63 and so many bytes, ..., 0. Nothing stands before it to point at. */
function readName(packet: Buffer): { labels: readonly string[]; end: number } | undefined {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = packet[at] ?? 64;
    if (length > 63) return undefined;
    at += 1;
    if (at + length - HEADER_BYTES > NAME_BYTES_MAX || at + length + 4 > packet.length) {
      return undefined;
    }
    if (length === 0) return { labels, end: at };
    labels.push(packet.toString("latin1", at, at + length));
    at += length;
  }
}

/** What dns-packet reads: the type's name, EDNS; `undefined` where it finds the packet illegal. */
function readRest(packet: Buffer): Pick<Query, "typeName" | "edns"> | undefined {
  let decoded: dnsPacket.DecodedPacket;
  try {
    decoded = dnsPacket.decode(packet);
  } catch {
    return undefined; // It throws plain errors of many kinds, each meaning an illegal packet.
  }
  if (dnsPacket.decode.bytes !== packet.length) return undefined;
  const typeName = nameType(decoded.questions?.[0]?.type ?? "");
  const options = (decoded.additionals ?? []).filter((record) => record.type === "OPT");
  const [option, second] = options;
  if (option === undefined) return { typeName };
  if (second !== undefined || option.name !== ".") return undefined; // RFC 6891, 6.1.1.
  const replyBytes = Math.min(Math.max(option.udpPayloadSize, PLAIN_REPLY_BYTES), EDNS_REPLY_BYTES);
  return { typeName, edns: { version: option.ednsVersion, replyBytes } };
}

const NEWER_TYPES: ReadonlyMap<string, string> = new Map([
  ["UNKNOWN_64", "SVCB"],
  ["UNKNOWN_65", "HTTPS"],
  ["UNKNOWN_256", "URI"],
]);

function nameType(type: string): string {
  return NEWER_TYPES.get(type) ?? type.replace(/^UNKNOWN_/, "TYPE"); // RFC 3597.
}

/**
 * The reply: the question as it was, and `answers`. Over UDP it is cut to the client's size, with TC set
 * and no records, so that the client asks again over TCP.
 */
export function buildReply(
  head: Head,
  rcode: Rcode,
  answers: readonly dnsPacket.Answer[],
  transport: "udp" | "tcp",
): Buffer {
  const code = RCODES[rcode];
  const flags = head.flags | FLAG_RECURSION_AVAILABLE | (code & 15);
  const additionals: dnsPacket.Answer[] =
    head.edns === undefined
      ? []
      : [
          {
            type: "OPT",
            name: ".",
            udpPayloadSize: EDNS_REPLY_BYTES,
            extendedRcode: code >> 4,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ];
  const reply = assemble(head, flags, answers, additionals);
  const limit = head.edns?.replyBytes ?? PLAIN_REPLY_BYTES;
  if (transport === "tcp" || reply.length <= limit) return reply;
  return assemble(head, flags | FLAG_TRUNCATED, [], additionals);
}

function assemble(
  { id, question }: Head,
  flags: number,
  answers: readonly dnsPacket.Answer[],
  additionals: readonly dnsPacket.Answer[],
): Buffer {
  const packet = dnsPacket.encode({
    type: "response",
    id,
    flags,
    answers: [...answers],
    additionals: [...additionals],
  });
  packet.writeUInt16BE(question.length === 0 ? 0 : 1, 4);
  const [header, records] = [packet.subarray(0, HEADER_BYTES), packet.subarray(HEADER_BYTES)];
  return Buffer.concat([header, question, records]);
}
