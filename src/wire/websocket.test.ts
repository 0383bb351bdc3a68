import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  closePayload,
  createFrameReader,
  encodeFrameHead,
  masked,
  OPCODE,
  type FramePart,
} from "./websocket.ts";

interface Frame {
  readonly isFinal: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
}

function encode({ isFinal, opcode, payload }: Frame, mask?: Buffer): Buffer {
  const head = encodeFrameHead({ isFinal, opcode, length: payload.length }, mask);
  return Buffer.concat([head, masked(payload, mask, 0)]);
}

/** Puts what a reader gave back together. */
function framesOf(parts: readonly FramePart[]): { frames: Frame[]; bad: string | undefined } {
  const frames: Frame[] = [];
  let bad: string | undefined;
  let open: { isFinal: boolean; opcode: number; pieces: Buffer[] } | undefined;
  for (const part of parts) {
    if (part.kind === "head") open = { ...part.head, pieces: [] };
    else if (part.kind === "payload") open?.pieces.push(part.bytes);
    else if (part.kind === "bad") bad = part.why;
    else if (open !== undefined) {
      const { isFinal, opcode, pieces } = open;
      frames.push({ isFinal, opcode, payload: Buffer.concat(pieces) });
    }
  }
  return { frames, bad };
}

const MASK = Buffer.from("37fa213d", "hex");

// RFC 6455, 5.7.
const EXAMPLES: readonly (readonly [string, boolean, string, readonly string[]])[] = [
  ["a text message in one frame", false, "810548656c6c6f", ["Hello"]],
  ["the same with a mask", true, "818537fa213d7f9f4d5158", ["Hello"]],
  ["a text message in two pieces", false, "010348656c80026c6f", ["Hel", "lo"]],
  ["a ping", false, "890548656c6c6f", ["Hello"]],
  ["a pong with a mask", true, "8a8537fa213d7f9f4d5158", ["Hello"]],
];
for (const [why, isMasked, hex, payloads] of EXAMPLES) {
  test(`reads ${why}, as RFC 6455 writes it`, () => {
    const { frames, bad } = framesOf(createFrameReader(isMasked).push(Buffer.from(hex, "hex")));
    assert.deepEqual([frames.map(({ payload }) => String(payload)), bad], [payloads, undefined]);
  });
}

const BAD: readonly (readonly [string, boolean, string, RegExp])[] = [
  ["compressed as an extension would", false, "c105", /reserved bit/],
  ["with the other reserved bits", false, "9105", /reserved bit/],
  ["of an opcode that nothing has", false, "8305", /reserved opcode/],
  ["of a control opcode that nothing has", false, "8b00", /reserved opcode/],
  ["without a mask from a client", true, "8105", /no mask/],
  ["with a mask from a server", false, "8185", /a mask/],
  ["a ping in pieces", false, "0900", /in pieces/],
  ["a ping of 126 bytes", false, "897e007e", /long control/],
  ["with a length of two bytes that fits in one", false, "817e007d", /shortest/],
  ["with a length of eight bytes that fits in two", false, "817f000000000000ffff", /shortest/],
  ["with a negative length", false, "817fffffffffffffffff", /beyond reason/],
  ["a close with half a code", false, "880103", /half/],
  ["a piece of nothing", false, "8000", /piece of no/],
  ["a message within another", false, "01008100", /within/],
  ["behind a close", false, "88008100", /behind/],
];
for (const [why, isMasked, hex, reason] of BAD) {
  test(`refuses a frame ${why}, wherever it is cut`, () => {
    const bytes = Buffer.from(hex, "hex");
    const whole = framesOf(createFrameReader(isMasked).push(bytes)).bad;
    assert.match(String(whole), reason);
    const reader = createFrameReader(isMasked);
    const parts = [...bytes].flatMap((byte) => reader.push(Buffer.of(byte)));
    assert.equal(framesOf(parts).bad, whole);
    assert.deepEqual(reader.push(Buffer.from("8100", "hex")), [], "nothing comes after it");
  });
}

const message = fc.record({
  opcode: fc.constantFrom(OPCODE.text, OPCODE.binary),
  pieces: fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 }),
  ping: fc.boolean(),
});
const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 });

test("what is written is read again, whatever the pieces and the mask", () => {
  const property = fc.property(
    fc.array(message),
    fc.boolean(),
    sizes,
    (messages, isMasked, cuts) => {
      const frames = messages.flatMap(({ opcode, pieces, ping }) => [
        ...pieces.map((piece, n) => ({
          isFinal: n === pieces.length - 1,
          opcode: n === 0 ? opcode : OPCODE.continuation,
          payload: Buffer.from(piece),
        })),
        ...(ping ? [{ isFinal: true, opcode: OPCODE.ping, payload: Buffer.from("p") }] : []),
      ]);
      const bytes = Buffer.concat(
        frames.map((frame) => encode(frame, isMasked ? MASK : undefined)),
      );
      const reader = createFrameReader(isMasked);
      const parts: FramePart[] = [];
      for (let at = 0, n = 0; at < bytes.length; n += 1) {
        const size = cuts[n % cuts.length] ?? 1;
        parts.push(...reader.push(bytes.subarray(at, at + size)));
        at += size;
      }
      assert.deepEqual(framesOf(parts), { frames, bad: undefined });
    },
  );
  fc.assert(property);
});

test("any bytes are read to an end, in time that grows with their number", () => {
  const property = fc.property(
    fc.uint8Array({ maxLength: 400 }),
    fc.boolean(),
    (bytes, isMasked) => {
      const parts = createFrameReader(isMasked).push(Buffer.from(bytes));
      assert.ok(parts.length <= 3 * bytes.length);
      const bad = parts.findIndex(({ kind }) => kind === "bad");
      assert.ok(bad === -1 || bad === parts.length - 1);
    },
  );
  fc.assert(property);
});

test("a frame of any length has a head that is read again", () => {
  const property = fc.property(fc.maxSafeNat(), (length) => {
    const head = encodeFrameHead({ isFinal: true, opcode: OPCODE.binary, length });
    const [part] = createFrameReader(false).push(head);
    assert.deepEqual(part, {
      kind: "head",
      head: { isFinal: true, opcode: OPCODE.binary, length },
    });
  });
  fc.assert(property);
});

test("a close never says more than a control frame may", () => {
  assert.equal(closePayload(1008, "x".repeat(400)).length, 125);
  assert.deepEqual(closePayload(1000, "bye"), Buffer.from("03e8627965", "hex"));
});
