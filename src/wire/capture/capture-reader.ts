/**
 * Capture files, read as they come: pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng).
 *
 * ```
 * pcap:   magic u32, major u16, minor u16, 8 bytes, snaplen u32, link type u32, then records of
 *         seconds u32, fraction u32, captured u32, on the wire u32, bytes
 * pcapng: blocks of type u32, length u32, body, length u32 again
 * ```
 *
 * The file is hostile: each length is checked before anything is kept for it, and at most one record is.
 *
 * @module
 */
import { Fault } from "../../base/index.ts";

/** One frame as it was captured. */
export interface CapturedFrame {
  /** Milliseconds since 1970; 0 where the capture does not say. */
  readonly atMs: number;
  /** What the frame begins with: a LINKTYPE value. */
  readonly linkType: number;
  readonly bytes: Buffer;
  /** How long it was on the wire; more than `bytes` where the capture was cut to a length. */
  readonly wireBytes: number;
}

export interface CaptureReader {
  /**
   * Takes the next bytes of the file; gives the frames that ended in them.
   *
   * @throws {Fault} `wire.capture` where the file is no capture at all.
   */
  push(chunk: Buffer): readonly CapturedFrame[];
  /** Says that the file is over; returns what was wrong with it, if anything was. */
  end(): string | undefined;
}

/** Longest frame: what libpcap itself takes at most. */
export const FRAME_BYTES_MAX = 262_144;
const BLOCK_BYTES_MAX = FRAME_BYTES_MAX + 65_536; // With its options.
const INTERFACES_MAX = 65_536;

const PCAP_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const BLOCK = { section: 0x0a0d0d0a, interface: 1, oldPacket: 2, simple: 3, packet: 6 } as const;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** What a format makes of the bytes that are there: a frame, or how many it has dealt with. */
interface Step {
  readonly used: number;
  readonly frame?: CapturedFrame;
  /** Bytes behind those that nobody needs. */
  readonly skip?: number;
}
type Format = (bytes: Buffer) => Step | "more" | { readonly flaw: string };

export function createCaptureReader(): CaptureReader {
  let pending: Buffer = Buffer.alloc(0);
  let format: Format | undefined;
  let flaw: string | undefined;
  let skip = 0;
  return {
    push(chunk) {
      const frames: CapturedFrame[] = [];
      if (flaw !== undefined) return frames;
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (;;) {
        const skipped = Math.min(skip, pending.length);
        skip -= skipped;
        pending = pending.subarray(skipped);
        if (format === undefined) {
          if (pending.length < PCAP_HEADER_BYTES) return frames;
          format = formatOf(pending);
        }
        const step = format(pending);
        if (step === "more") break;
        if ("flaw" in step) {
          flaw = step.flaw;
          pending = Buffer.alloc(0);
          break;
        }
        pending = pending.subarray(step.used);
        skip = step.skip ?? 0;
        if (step.frame !== undefined) frames.push(step.frame);
      }
      return frames;
    },
    end() {
      if (format === undefined) throw notCapture();
      if (flaw === undefined && (pending.length > 0 || skip > 0)) flaw = "it ends within a record";
      return flaw;
    },
  };
}

function notCapture(): Fault {
  return new Fault("wire.capture", "not a capture: it begins as neither pcap nor pcapng", {
    hint: "give a file that tcpdump, tshark or dumpcap wrote (gzip is undone)",
  });
}

/** By its magic: little or big endian, microseconds or nanoseconds. */
const PCAP_MAGIC: ReadonlyMap<number, { little: boolean; perMs: number }> = new Map([
  [0xa1b2c3d4, { little: false, perMs: 1e3 }],
  [0xd4c3b2a1, { little: true, perMs: 1e3 }],
  [0xa1b23c4d, { little: false, perMs: 1e6 }],
  [0x4d3cb2a1, { little: true, perMs: 1e6 }],
]);

function formatOf(bytes: Buffer): Format {
  const magic = bytes.readUInt32BE(0);
  if (magic === BLOCK.section) return createPcapng();
  const form = PCAP_MAGIC.get(magic);
  if (form === undefined) throw notCapture();
  return createPcap(form);
}

function createPcap({ little, perMs }: { little: boolean; perMs: number }): Format {
  let linkType: number | undefined;
  return (bytes) => {
    const u32 = (at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
    if (linkType === undefined) {
      linkType = u32(20) & 0xffff; // Above it stand the length of a checksum, and reserved bits.
      return { used: PCAP_HEADER_BYTES };
    }
    if (bytes.length < RECORD_HEADER_BYTES) return "more";
    const captured = u32(8);
    if (captured > FRAME_BYTES_MAX) return tooLong("a record", captured);
    const used = RECORD_HEADER_BYTES + captured;
    if (bytes.length < used) return "more";
    const atMs = u32(0) * 1000 + u32(4) / perMs;
    const frame = bytes.subarray(RECORD_HEADER_BYTES, used);
    return {
      used,
      frame: { atMs, linkType, bytes: frame, wireBytes: Math.max(u32(12), captured) },
    };
  };
}

function tooLong(what: string, length: number): { readonly flaw: string } {
  return { flaw: `${what} claims ${length} bytes, over the longest that any has` };
}

interface Interface {
  readonly linkType: number;
  readonly snapBytes: number;
  readonly unitsPerMs: number;
  readonly offsetMs: number;
}

function createPcapng(): Format {
  let little = true;
  let interfaces: Interface[] = [];
  return (bytes) => {
    if (bytes.length < 12) return "more";
    if (bytes.readUInt32BE(0) === BLOCK.section) {
      const order = bytes.readUInt32LE(8);
      little = order === BYTE_ORDER_MAGIC;
      if (!little && bytes.readUInt32BE(8) !== BYTE_ORDER_MAGIC) {
        return { flaw: "a section of neither byte order" };
      }
      interfaces = [];
    }
    const u16 = (at: number) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
    const u32 = (at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
    const length = u32(4);
    if (length < 12 || length % 4 !== 0) return { flaw: `a block of ${length} bytes` };
    const type = u32(0);
    const isRead =
      type === BLOCK.interface ||
      type === BLOCK.oldPacket ||
      type === BLOCK.simple ||
      type === BLOCK.packet;
    if (!isRead) return { used: 12, skip: length - 12 };
    if (length > BLOCK_BYTES_MAX) return tooLong("a block", length);
    if (bytes.length < length) return "more";
    if (u32(length - 4) !== length) return { flaw: "a block whose two lengths differ" };
    const body = bytes.subarray(8, length - 4);
    if (type === BLOCK.interface) {
      if (body.length < 8) return { flaw: "an interface description that is too short" };
      if (interfaces.length === INTERFACES_MAX) return { flaw: "too many interfaces" };
      interfaces.push(readInterface(body, little));
      return { used: length };
    }
    const isSimple = type === BLOCK.simple;
    const head = isSimple ? 4 : 20;
    if (body.length < head) return { flaw: "a packet block that is too short" };
    const number = type === BLOCK.packet ? u32(8) : type === BLOCK.oldPacket ? u16(8) : 0;
    const from = interfaces[number];
    if (from === undefined)
      return { flaw: `a packet of interface ${number}, which is not described` };
    const wireBytes = isSimple ? u32(8) : u32(24);
    const whole = isSimple ? Math.min(wireBytes, from.snapBytes) : u32(20);
    const captured = isSimple ? Math.min(whole, body.length - head) : whole;
    if (captured > body.length - head) return { flaw: "a packet longer than its block" };
    const ticks = isSimple ? 0 : u32(12) * 2 ** 32 + u32(16);
    return {
      used: length,
      frame: {
        atMs: isSimple ? 0 : ticks / from.unitsPerMs + from.offsetMs,
        linkType: from.linkType,
        bytes: body.subarray(head, head + captured),
        wireBytes: Math.max(wireBytes, captured),
      },
    };
  };
}

const OPTION = { end: 0, resolution: 9, offset: 14 } as const;

/** `link type u16, reserved u16, snaplen u32`, options of `code u16, length u16, value` padded to 4. */
function readInterface(body: Buffer, little: boolean): Interface {
  const u16 = (at: number) => (little ? body.readUInt16LE(at) : body.readUInt16BE(at));
  const snap = little ? body.readUInt32LE(4) : body.readUInt32BE(4);
  let unitsPerMs = 1e3;
  let offsetMs = 0;
  for (let at = 8; at + 4 <= body.length;) {
    const code = u16(at);
    const length = u16(at + 2);
    at += 4;
    if (code === OPTION.end || at + length > body.length) break;
    if (code === OPTION.resolution && length === 1) {
      const value = body[at] ?? 6;
      const exponent = value & 0x7f;
      unitsPerMs = ((value & 0x80) === 0 ? 10 ** exponent : 2 ** exponent) / 1000;
    } else if (code === OPTION.offset && length === 8) {
      const seconds = little ? body.readBigInt64LE(at) : body.readBigInt64BE(at);
      offsetMs = Number(seconds) * 1000;
    }
    at += Math.ceil(length / 4) * 4;
  }
  return { linkType: u16(0), snapBytes: snap === 0 ? FRAME_BYTES_MAX : snap, unitsPerMs, offsetMs };
}
