/** Captures of every form, whole and hostile: what is read from them, and how they end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  ethernet,
  framesOf,
  ipPacket,
  pcapngOf,
  pcapOf,
  tcpSegment,
  type Frame,
} from "../../../test/support/capture-kit.ts";
import { createFlowTable, flowName, type FlowSeen } from "../../detect/index.ts";
import { createCaptureReader, createDecoder, FRAME_BYTES_MAX } from "../index.ts";

interface Read {
  readonly flows: readonly FlowSeen[];
  /** How many were handed out before the end. */
  readonly early: number;
  readonly damage: string | undefined;
  readonly unread: ReadonlyMap<number, number>;
}

function read(
  capture: Buffer,
  chunkBytes = capture.length,
  limits: { flowsMax?: number; keptBytesMax?: number } = {},
): Read {
  const flows: FlowSeen[] = [];
  const reader = createCaptureReader();
  const decoder = createDecoder();
  const table = createFlowTable({ done: (flow) => flows.push(flow), ...limits });
  for (let at = 0; at < capture.length; at += chunkBytes) {
    for (const frame of reader.push(capture.subarray(at, at + chunkBytes))) {
      const segment = decoder.decode(frame);
      if (segment !== undefined) table.take(segment);
    }
  }
  const damage = reader.end();
  const early = flows.length;
  table.end();
  return { flows, early, damage, unread: decoder.unread };
}

const TALK = {
  protocol: "tcp",
  said: [
    ["client", "hello there"],
    ["server", "general"],
  ],
} as const;
const FRAMES = framesOf(TALK);
const prefix = (hex: string) => (packet: Buffer) =>
  Buffer.concat([Buffer.from(hex.replaceAll(" ", ""), "hex"), packet]);
const cooked = "0000 0001 0006 0200000000010000 0800";
const cooked2 = "0800 0000 00000001 0001 00 06 0200000000010000";
const gre = (packet: Buffer) =>
  ethernet(ipPacket(47, "10.9.0.1", "10.9.0.2", prefix("2000 0800 00000007")(packet)));

const FORMS: readonly (readonly [string, Buffer])[] = [
  ["pcap, little endian", pcapOf(FRAMES)],
  ["pcap, big endian", pcapOf(FRAMES, { little: false })],
  ["pcap with nanoseconds", pcapOf(FRAMES, { nanoseconds: true })],
  ["pcapng", pcapngOf(FRAMES)],
  [
    "two sections of pcapng",
    Buffer.concat([pcapngOf(FRAMES.slice(0, 3)), pcapngOf(FRAMES.slice(3))]),
  ],
  ["VLAN", pcapOf(FRAMES, { frame: (packet) => ethernet(packet, 7) })],
  ["VLAN in VLAN", pcapOf(FRAMES, { frame: (packet) => ethernet(packet, 7, 8) })],
  ["raw IP", pcapOf(FRAMES, { linkType: 101, frame: (packet) => packet })],
  ["Linux cooked", pcapOf(FRAMES, { linkType: 113, frame: prefix(cooked) })],
  ["Linux cooked, version 2", pcapOf(FRAMES, { linkType: 276, frame: prefix(cooked2) })],
  ["BSD loopback", pcapOf(FRAMES, { linkType: 0, frame: prefix("02000000") })],
  ["PPP", pcapOf(FRAMES, { linkType: 9, frame: prefix("ff030021") })],
  ["PPPoE", pcapOf(FRAMES, { frame: prefix("020000000001020000000002 8864 1100 0001 0040 0021") })],
  ["MPLS", pcapOf(FRAMES, { frame: prefix("020000000001020000000002 8847 00001040 00002140") })],
  [
    "IP in IP",
    pcapOf(FRAMES, { frame: (packet) => ethernet(ipPacket(4, "10.9.0.1", "10.9.0.2", packet)) }),
  ],
  ["GRE with a key", pcapOf(FRAMES, { frame: gre })],
  ["cut into fragments", pcapOf(FRAMES.flatMap((frame, n) => fragmented(frame, n)))],
  [
    "fragments in disorder",
    pcapOf(FRAMES.flatMap((frame, n) => fragmented(frame, n).toReversed())),
  ],
  ["sent twice", pcapOf(FRAMES.flatMap((frame) => [frame, frame]))],
];

/** Each packet in fragments of eight bytes. */
function fragmented(frame: Frame, id: number): Frame[] {
  const { packet, atMs } = frame;
  const body = packet.subarray(20);
  return Array.from({ length: Math.ceil(body.length / 8) }, (_, n) => {
    const piece = body.subarray(n * 8, n * 8 + 8);
    const head = Buffer.from(packet.subarray(0, 20));
    head.writeUInt16BE(20 + piece.length, 2);
    head.writeUInt16BE(id + 1, 4);
    head.writeUInt16BE(n | ((n + 1) * 8 < body.length ? 0x2000 : 0), 6);
    return { atMs, packet: Buffer.concat([head, piece]) };
  });
}

for (const [form, capture] of FORMS) {
  test(`${form}: the conversation is read, at any cut of the file`, () => {
    for (const chunkBytes of [capture.length, 7, 1]) {
      const { flows, damage } = read(capture, chunkBytes);
      assert.equal(damage, undefined);
      assert.deepEqual(flows.map(flowName), ["tcp 10.1.0.2:50000 > 192.0.2.7:443"]);
      assert.equal(flows[0]?.sent.toString(), "hello there");
      assert.equal(flows[0]?.received.toString(), "general");
      assert.deepEqual(flows[0]?.sizes, [11, -7]);
      assert.equal(flows[0]?.startMs, 1_700_000_000_000);
    }
  });
}

test("IPv6 is named as RFC 5952 has it", () => {
  const { flows } = read(pcapOf(framesOf({ ...TALK, client: "2001:db8::7", server: "::1" })));
  assert.deepEqual(flows.map(flowName), ["tcp [2001:db8::7]:50000 > [::1]:443"]);
  assert.equal(flows[0]?.sent.toString(), "hello there");
});

const at = (sequence: number, text: string): Frame => ({
  atMs: 0,
  packet: ipPacket(
    6,
    "10.1.0.2",
    "192.0.2.7",
    tcpSegment({ ports: [50_000, 443], sequence, flags: 16, payload: Buffer.from(text) }),
  ),
});
const SYN: Frame = {
  atMs: 0,
  packet: ipPacket(
    6,
    "10.1.0.2",
    "192.0.2.7",
    tcpSegment({
      ports: [50_000, 443],
      sequence: 4_294_967_292,
      flags: 2,
      payload: Buffer.alloc(0),
    }),
  ),
};
const FIRST = 4_294_967_293; // Behind the SYN; four bytes on it wraps.

const ORDERS: readonly (readonly [string, readonly Frame[], string])[] = [
  ["in disorder", [SYN, at(3, "ghi"), at(FIRST, "abc"), at(0, "def")], "abcdefghi"],
  ["overlapping: what came first stays", [SYN, at(FIRST, "abcdef"), at(0, "XXXghi")], "abcdefghi"],
  [
    "overlapping ahead: what begins first stands",
    [SYN, at(0, "def"), at(FIRST + 1, "XXXXefgh"), at(FIRST, "abc")],
    "abcXXefgh",
  ],
  [
    "sent again with other bytes",
    [SYN, at(FIRST, "abc"), at(FIRST, "XYZ"), at(0, "def")],
    "abcdef",
  ],
  ["a segment that never comes", [SYN, at(FIRST, "abc"), at(50, "zzz")], "abc"],
  [
    "keep-alives of one old byte",
    [SYN, at(FIRST, "abc"), at(FIRST + 2, "?"), at(0, "def")],
    "abcdef",
  ],
];
for (const [what, frames, text] of ORDERS) {
  test(`TCP ${what}`, () => {
    const { flows } = read(pcapOf(frames));
    assert.equal(flows[0]?.sent.toString().slice(0, text.length), text);
  });
}

test("a hole that stays ends what is kept: nothing is read as if it followed", () => {
  const ahead = Array.from({ length: 80 }, (_, n) => at(100 + n * 3, "zzz"));
  const { flows } = read(pcapOf([SYN, at(FIRST, "abc"), ...ahead]));
  assert.equal(flows[0]?.sent.toString(), "abc");
  assert.equal(flows[0]?.bytesOut, 3 + 240);
});

test("a capture cut to a length keeps sizes, and only bytes that follow one another", () => {
  const said = [
    ["client", "x".repeat(900)],
    ["client", "y".repeat(9)],
  ] as const;
  const { flows } = read(pcapOf(framesOf({ protocol: "tcp", said }), { snapBytes: 100 }));
  assert.deepEqual(flows[0]?.sizes, [900, 9]);
  assert.equal(flows[0]?.sent.length, 100 - 54);
});

test("the same ports again are another flow", () => {
  const again = framesOf({ ...TALK, startMs: 1_700_000_900_000 }).map((frame) => ({
    ...frame,
    packet: Buffer.from(frame.packet),
  }));
  again[0]?.packet.writeUInt32BE(77_777, 24);
  assert.equal(read(pcapOf([...FRAMES, ...again.slice(0, 1)])).flows.length, 2);
});

test("INV-143: of more flows than there is room for, the quietest is handed out, and none is lost", () => {
  const many = Array.from({ length: 300 }, (_, n) =>
    framesOf({ ...TALK, clientPort: 20_000 + n }),
  ).flat();
  for (const [limits, early] of [
    [{ flowsMax: 10 }, 290],
    [{ keptBytesMax: 200 }, 289], // Eleven have 198 bytes.
  ] as const) {
    const got = read(pcapOf(many), undefined, limits);
    assert.equal(got.flows.length, 300);
    assert.equal(got.early, early);
    for (const { sent } of got.flows) assert.equal(sent.toString(), "hello there");
  }
});

const HEAD = pcapOf([]);
const NG = pcapngOf([]);
const word = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
const DAMAGED: readonly (readonly [string, Buffer, RegExp])[] = [
  ["an end within a record", pcapOf(FRAMES).subarray(0, -3), /ends within a record/],
  [
    "an end within a record's head",
    Buffer.concat([pcapOf(FRAMES), word(1)]),
    /ends within a record/,
  ],
  [
    "a record beyond reason",
    Buffer.concat([HEAD, word(0), word(0), word(0xffffffff), word(9)]),
    /claims 4294967295 bytes/,
  ],
  [
    "a record just too long",
    Buffer.concat([HEAD, word(0), word(0), word(FRAME_BYTES_MAX + 1), word(9)]),
    /over the longest/,
  ],
  ["a block of no length", Buffer.concat([NG, word(6), word(0), word(0)]), /a block of 0 bytes/],
  [
    "a block that is not a multiple of four",
    Buffer.concat([NG, word(6), word(33), word(0)]),
    /a block of 33 bytes/,
  ],
  [
    "a packet block beyond reason",
    Buffer.concat([NG, word(6), word(0xfffffff0), word(0)]),
    /claims 4294967280 bytes/,
  ],
  [
    "a block whose lengths differ",
    Buffer.concat([NG, word(6), word(32), Buffer.alloc(20), word(36)]),
    /two lengths differ/,
  ],
  [
    "a packet of no interface",
    Buffer.concat([NG, word(6), word(32), word(9), Buffer.alloc(16), word(32)]),
    /interface 9/,
  ],
  [
    "a packet longer than its block",
    Buffer.concat([NG, word(6), word(32), Buffer.alloc(12), word(99), word(99), word(32)]),
    /longer than its block/,
  ],
  [
    "a section of no byte order",
    Buffer.concat([NG, NG.subarray(0, 8), word(7), NG.subarray(12)]),
    /neither byte order/,
  ],
  [
    "an endless block that nobody reads",
    Buffer.concat([NG, word(99), word(0xfffffff0), Buffer.alloc(64)]),
    /ends within a record/,
  ],
];
for (const [what, capture, damage] of DAMAGED) {
  test(`damage is said, and what stands before is read: ${what}`, () => {
    assert.match(read(capture, 16).damage ?? "nothing", damage);
  });
}

for (const [what, bytes] of [
  ["nothing", Buffer.alloc(0)],
  ["text", Buffer.from("root:x:0:0:root:/root:/bin/bash\n")],
  ["half a head", HEAD.subarray(0, 20)],
] as const) {
  test(`wire.capture: ${what} is no capture`, () => {
    assert.throws(() => read(bytes, 16), { code: "wire.capture" });
  });
}

test("frames of other links are counted, not read", () => {
  const { flows, unread } = read(pcapOf(FRAMES, { linkType: 127 }));
  assert.deepEqual([flows.length, [...unread]], [0, [[127, FRAMES.length]]]);
});

test("INV-143: any change of any byte is read to its end, within bounds", () => {
  const captures = FORMS.map(([, capture]) => capture);
  const change = fc.record({ at: fc.nat(), to: fc.nat({ max: 255 }) });
  fc.assert(
    fc.property(
      fc.constantFrom(...captures),
      fc.array(change, { maxLength: 12 }),
      fc.nat({ max: 64 }),
      (capture, changes, cut) => {
        const bytes = Buffer.from(capture.subarray(0, Math.max(24, capture.length - cut)));
        // The magic stays: else it is no capture.
        for (const { at: where, to } of changes) bytes[4 + (where % (bytes.length - 4))] = to;
        const { flows } = read(bytes, 50);
        for (const { sent, received, sizes } of flows) {
          assert.ok(sent.length + received.length <= bytes.length);
          for (const size of sizes) assert.ok(size !== 0 && Math.abs(size) <= 0xffff);
        }
      },
    ),
    { numRuns: 600 },
  );
});

test("any bytes behind a head are read to their end", () => {
  fc.assert(
    fc.property(fc.constantFrom(HEAD, NG), fc.uint8Array({ maxLength: 400 }), (head, rest) => {
      read(Buffer.concat([head, rest]), 33);
    }),
    { numRuns: 400 },
  );
});
