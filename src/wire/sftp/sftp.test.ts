/**
 * SFTP packets: what is written is read again, and nothing else is read.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SFTP_PACKET_BYTES_MAX, SftpFrames } from "./frames.ts";
import { readSftpRequest, sftpRequestPacket, type SftpAsk } from "./request.ts";
import {
  attrsPacket,
  handlePacket,
  initPacket,
  readSftpResponse,
  readVersion,
  statusPacket,
  versionPacket,
} from "./response.ts";

const path = fc
  .string({ unit: "grapheme", maxLength: 60 })
  .filter((text) => text.isWellFormed() && !text.includes("\0"));
const handle = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 20,
});
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const attributes = fc.record(
  { size: fc.integer({ min: 0, max: 2 ** 48 }), mode: uint32 },
  { requiredKeys: [], noNullPrototype: true },
);
const asks: fc.Arbitrary<SftpAsk> = fc.oneof(
  fc.record({
    kind: fc.constant("open" as const),
    path,
    flags: fc.integer({ min: 0, max: 63 }),
    attributes,
  }),
  fc.record({
    kind: fc.constantFrom(
      "close" as const,
      "fstat" as const,
      "readdir" as const,
      "fstatvfs" as const,
      "fsync" as const,
    ),
    handle,
  }) as fc.Arbitrary<SftpAsk>,
  fc.record({
    kind: fc.constant("read" as const),
    handle,
    offset: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    length: uint32,
  }),
  fc.record({
    kind: fc.constant("write" as const),
    handle,
    offset: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    data: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  }),
  fc.record({
    kind: fc.constantFrom(
      "lstat" as const,
      "stat" as const,
      "opendir" as const,
      "remove" as const,
      "rmdir" as const,
      "realpath" as const,
      "readlink" as const,
      "statvfs" as const,
      "expand-path" as const,
    ),
    path,
  }) as fc.Arbitrary<SftpAsk>,
  fc.record({
    kind: fc.constantFrom("mkdir" as const, "setstat" as const, "lsetstat" as const),
    path,
    attributes,
  }) as fc.Arbitrary<SftpAsk>,
  fc.record({ kind: fc.constant("fsetstat" as const), handle, attributes }),
  fc.record({ kind: fc.constant("rename" as const), path, to: path, isReplacing: fc.boolean() }),
  fc.record({
    kind: fc.constantFrom("symlink" as const, "hardlink" as const),
    path,
    to: path,
  }) as fc.Arbitrary<SftpAsk>,
  fc.constant({ kind: "limits" as const }),
);

test("every request that is written is read again as it was, and with one byte more or less it is none", () => {
  fc.assert(
    fc.property(asks, uint32, (ask, id) => {
      const packet = sftpRequestPacket(id, ask).subarray(4);
      assert.deepEqual(readSftpRequest(packet), { ...ask, id });
      assert.equal(readSftpRequest(Buffer.concat([packet, Buffer.from([0])])), undefined);
      assert.equal(readSftpRequest(packet.subarray(0, -1)), undefined);
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test("any bytes are read as a request, an answer, or as none; never more than there is", () => {
  const any = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .tuple(fc.constantFrom(3, 6, 9, 18, 20, 101, 102, 104, 200), fc.uint8Array({ maxLength: 80 }))
      .map(([type, rest]) => Uint8Array.from([type, ...rest])),
  );
  fc.assert(
    fc.property(any, (bytes) => {
      const packet = Buffer.from(bytes);
      readSftpResponse(packet);
      readVersion(packet);
      const request = readSftpRequest(packet);
      if (request === undefined || request.kind === "extended") return;
      // What is sent on is what was read: the very same, whoever reads it.
      const { id, ...ask } = request;
      assert.deepEqual(readSftpRequest(sftpRequestPacket(id, ask as SftpAsk).subarray(4)), request);
    }),
    { seed: 2, numRuns: 5000 },
  );
});

test("packets come out whole, however the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(asks, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 50 })),
      (list, cuts) => {
        const packets = list.map((ask, id) => sftpRequestPacket(id, ask));
        const stream = Buffer.concat(packets);
        const frames = new SftpFrames();
        const out: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const length = cuts[turn % Math.max(1, cuts.length)] ?? stream.length;
          out.push(...frames.push(stream.subarray(at, at + length)));
          at += length;
        }
        assert.deepEqual(
          out,
          packets.map((packet) => packet.subarray(4)),
        );
        assert.equal(frames.pending, 0);
      },
    ),
    { seed: 3, numRuns: 500 },
  );
});

test("a packet that announces more than anybody sends, or nothing, is refused (wire.sftp)", () => {
  for (const length of [0, SFTP_PACKET_BYTES_MAX + 1, 0xffff_ffff]) {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(length);
    assert.throws(() => new SftpFrames().push(head), { code: "wire.sftp" });
  }
});

test("answers and versions are read as they were written", () => {
  assert.deepEqual(readSftpResponse(statusPacket(7, 3, "no").subarray(4)), {
    id: 7,
    kind: "status",
    code: 3,
    message: "no",
  });
  assert.deepEqual(readSftpResponse(handlePacket(8, "\xff\x00").subarray(4)), {
    id: 8,
    kind: "handle",
    handle: "\xff\x00",
  });
  assert.deepEqual(readSftpResponse(attrsPacket(9, { size: 5, mode: 0o100644 }).subarray(4)), {
    id: 9,
    kind: "attrs",
    attributes: { size: 5, mode: 0o100644 },
  });
  const version = readVersion(versionPacket([["limits@openssh.com", "1"]]).subarray(4));
  assert.deepEqual(
    [version?.version, [...(version?.extensions ?? [])]],
    [3, [["limits@openssh.com", "1"]]],
  );
  assert.equal(readVersion(initPacket().subarray(4)), undefined);
});
