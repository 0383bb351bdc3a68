import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FLUSH, packet, PacketReader, PKT_CONTENT_MAX } from "./pkt-line.ts";
import { tryRead, Unreadable } from "./unreadable.ts";

test("packets come back as they were written, one after another", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (contents) => {
      const reader = new PacketReader(Buffer.concat([...contents.map(packet), FLUSH]));
      for (const content of contents) assert.deepEqual(reader.take(), Buffer.from(content));
      assert.equal(reader.take(), "flush");
      assert.ok(reader.isAtEnd);
    }),
  );
});

const WRONG = [
  ["0003", "a length that is none"],
  ["fff1", "a length above the most"],
  ["+004", "a sign is no digit"],
  ["00 4", "nor is a space"],
  ["0x04", "nor a prefix"],
] as const;
for (const [bytes, why] of WRONG) {
  test(`${bytes} is no packet: ${why}`, () => {
    assert.throws(() => new PacketReader(Buffer.from(`${bytes}x`)).next(), Unreadable);
  });
}

test("the longest packet is read, and a longer one is not written", () => {
  const longest = Buffer.alloc(PKT_CONTENT_MAX);
  assert.deepEqual(new PacketReader(packet(longest)).take(), longest);
  assert.throws(() => packet(Buffer.alloc(PKT_CONTENT_MAX + 1)), RangeError);
});

test("fuzz: any bytes are packets, unreadable, or not all here", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const reader = new PacketReader(bytes);
      tryRead(() => {
        for (let n = 0; n <= bytes.length; n += 1) {
          const before = reader.offset;
          if (reader.next() === undefined) return;
          assert.ok(reader.offset >= before + 4);
        }
        assert.fail("it ends");
      });
    }),
  );
});
