/**
 * The framers of MySQL: packets, greetings, answers of servers at every size of chunk, and bytes that are none.
 */
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, privateDecrypt, constants } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import {
  MYSQL_CAN,
  mysqlError,
  mysqlOk,
  mysqlPacket,
  MysqlPacketReader,
  MysqlReplyScanner,
  nativeProof,
  readMysqlAnswer,
  readMysqlGreeting,
  sealedPassword,
  sha2Proof,
  writeMysqlAnswer,
  writeMysqlGreeting,
  type MysqlReplyKind,
} from "../index.ts";

test("packets come out as they were put in, however they are cut", () => {
  const property = fc.property(
    fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
    fc.integer({ min: 1, max: 50 }),
    (payloads, size) => {
      const bytes = Buffer.concat(payloads.map((one, at) => mysqlPacket(at, Buffer.from(one))));
      const reader = new MysqlPacketReader(1000);
      const found: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        reader.push(bytes.subarray(at, at + size));
        for (let one = reader.next(); one !== undefined; one = reader.next()) {
          assert.equal(one.sequence, found.length);
          found.push(Buffer.from(one.payload));
        }
      }
      assert.deepEqual(
        found,
        payloads.map((one) => Buffer.from(one)),
      );
    },
  );
  fc.assert(property, { seed: 286, numRuns: 300 });
});

test("a packet that is too long is refused before its bytes come", () => {
  const reader = new MysqlPacketReader(1000);
  reader.push(Buffer.from([0xff, 0xff, 0xff, 0]));
  assert.throws(() => reader.next(), { code: "mysql.packet" });
});

const SCRAMBLE = Buffer.from("abcdefghijklmnopqrst");

test("a greeting and its answer are read as they were written", () => {
  const capabilities = MYSQL_CAN.protocol41 | MYSQL_CAN.pluginAuth | MYSQL_CAN.secureConnection;
  const bytes = writeMysqlGreeting({
    version: "10.11.6-MariaDB",
    thread: 7,
    scramble: SCRAMBLE,
    capabilities,
  });
  const greeting = readMysqlGreeting(bytes.subarray(4));
  assert.deepEqual(greeting, {
    version: "10.11.6-MariaDB",
    scramble: SCRAMBLE,
    capabilities,
    plugin: "mysql_native_password",
  });
  const login = { user: "me", proof: Buffer.alloc(20, 1), plugin: "mysql_native_password" };
  const answer = readMysqlAnswer(
    writeMysqlAnswer({ sequence: 1, capabilities, login }).subarray(4),
  );
  assert.deepEqual(answer, {
    capabilities,
    asksForTls: false,
    proof: login.proof,
    database: undefined,
    plugin: login.plugin,
  });
  const asks = readMysqlAnswer(
    writeMysqlAnswer({ sequence: 1, capabilities: capabilities | MYSQL_CAN.tls }).subarray(4),
  );
  assert.equal(asks.asksForTls, true);
});

test("whatever bytes come, greetings and answers end, and only with their own fault", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
    for (const read of [readMysqlGreeting, readMysqlAnswer]) {
      for (const head of [Buffer.alloc(0), Buffer.from([10]), Buffer.from([0, 2, 0, 0])]) {
        try {
          read(Buffer.concat([head, bytes]));
        } catch (error) {
          assert.equal((error as { code?: string }).code, "mysql.packet");
        }
      }
    }
  });
  fc.assert(property, { seed: 287, numRuns: 3000 });
});

test("passwords are proved as the server checks them", () => {
  const sum = (kind: string, ...parts: Buffer[]) =>
    parts.reduce((h, p) => h.update(p), createHash(kind)).digest();
  const xor = (a: Buffer, b: Buffer) => Buffer.from(a.map((byte, at) => byte ^ (b[at] ?? 0)));
  // The server knows SHA1(SHA1(p)), and from the proof gets SHA1(p), which it hashes once more.
  const twice = sum("sha1", sum("sha1", Buffer.from("secret")));
  const once = xor(nativeProof("secret", SCRAMBLE), sum("sha1", SCRAMBLE, twice));
  assert.deepEqual(sum("sha1", once), twice);
  const twice2 = sum("sha256", sum("sha256", Buffer.from("secret")));
  const once2 = xor(sha2Proof("secret", SCRAMBLE), sum("sha256", twice2, SCRAMBLE));
  assert.deepEqual(sum("sha256", once2), twice2);
  assert.equal(nativeProof("", SCRAMBLE).length + sha2Proof("", SCRAMBLE).length, 0);
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const sealed = sealedPassword(
    "secret",
    SCRAMBLE,
    publicKey.export({ type: "spki", format: "pem" }).toString(),
  );
  const opened = privateDecrypt(
    { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING },
    sealed,
  );
  assert.equal(xor(opened, SCRAMBLE).toString(), "secret\0");
});

const packet = (sequence: number, ...bytes: number[]) => mysqlPacket(sequence, Buffer.from(bytes));
const EOF = (sequence: number, status = 2) => packet(sequence, 0xfe, 0, 0, status, 0);
const COLUMN = (sequence: number) =>
  mysqlPacket(sequence, Buffer.from("\x03def\0\0\0\x01a\0\x0c????????????", "latin1"));

const REPLIES: readonly (readonly [
  name: string,
  kind: MysqlReplyKind,
  bytes: Buffer,
  rows: number,
])[] = [
  ["OK", "query", mysqlOk(1, 2), 0],
  ["an error", "query", mysqlError(1, 1142, "42000", "no"), 0],
  ["an error of many words", "query", mysqlError(1, 1142, "42000", "no ".repeat(300)), 0],
  [
    "rows",
    "query",
    Buffer.concat([packet(1, 1), COLUMN(2), EOF(3), packet(4, 1, 65), packet(5, 0xfb), EOF(6)]),
    2,
  ],
  ["no rows", "query", Buffer.concat([packet(1, 1), COLUMN(2), EOF(3), EOF(4)]), 0],
  [
    "a row that begins like an end",
    "query",
    Buffer.concat([
      packet(1, 1),
      COLUMN(2),
      EOF(3),
      mysqlPacket(
        4,
        Buffer.concat([Buffer.from([0xfe, 0, 0, 0, 1, 0, 0, 0, 0]), Buffer.alloc(50)]),
      ),
      EOF(5),
    ]),
    1,
  ],
  [
    "rows that end in an error",
    "query",
    Buffer.concat([
      packet(1, 1),
      COLUMN(2),
      EOF(3),
      packet(4, 1, 65),
      mysqlError(5, 1, "HY000", "x"),
    ]),
    1,
  ],
  [
    "two answers",
    "query",
    Buffer.concat([
      packet(1, 1),
      COLUMN(2),
      EOF(3, 10),
      packet(4, 1, 65),
      EOF(5, 10),
      mysqlOk(6, 2),
    ]),
    1,
  ],
  [
    "prepared",
    "prepare",
    Buffer.concat([
      packet(1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0),
      COLUMN(2),
      EOF(3),
      COLUMN(4),
      EOF(5),
    ]),
    0,
  ],
  ["prepared without anything", "prepare", packet(1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0],
  ["columns", "list", Buffer.concat([COLUMN(1), COLUMN(2), EOF(3)]), 0],
  ["one", "one", mysqlOk(1, 3), 0],
];
for (const [name, kind, bytes, rows] of REPLIES) {
  test(`a reply ends where it ends: ${name}`, () => {
    for (let size = 1; size <= bytes.length; size += 1) {
      const scanner = new MysqlReplyScanner();
      scanner.begin(kind);
      let rest: Buffer = Buffer.alloc(0);
      let isDone = false;
      for (let at = 0; at < bytes.length; at += size) {
        rest = Buffer.concat([rest, bytes.subarray(at, at + size)]);
        const { end, isWhole } = scanner.scan(rest, 0);
        rest = rest.subarray(end);
        assert.equal(isDone, false);
        isDone = isWhole;
      }
      assert.ok(isDone && rest.length === 0, `in chunks of ${size}`);
      assert.equal(scanner.rows, rows);
    }
  });
}

test("a server that asks for a file of the client is cut off before the client hears of it", () => {
  const asks = mysqlPacket(1, Buffer.from("\xfb/etc/passwd", "latin1"));
  for (const kind of ["query", "one", "prepare"] as const) {
    const scanner = new MysqlReplyScanner();
    scanner.begin(kind);
    assert.equal(
      scanner.scan(asks.subarray(0, 4), 0).end,
      0,
      "nothing goes on that was not looked at",
    );
    assert.throws(() => scanner.scan(asks, 0), { code: "mysql.packet" });
  }
});

test("what nobody asked is refused, also behind an answer", () => {
  const scanner = new MysqlReplyScanner();
  assert.throws(() => scanner.scan(mysqlOk(1, 2), 0), { code: "mysql.packet" });
  scanner.begin("one");
  const both = Buffer.concat([mysqlOk(1, 2), mysqlOk(2, 2)]);
  const { end, isWhole } = scanner.scan(both, 0);
  assert.ok(isWhole);
  assert.throws(() => scanner.scan(both, end), { code: "mysql.packet" });
});

test("rows beyond the limit are not the client's, and the reply still ends", () => {
  const bytes = Buffer.concat([
    packet(1, 1),
    COLUMN(2),
    EOF(3),
    packet(4, 1, 65),
    packet(5, 1, 66),
    packet(6, 1, 67),
    EOF(7),
  ]);
  const scanner = new MysqlReplyScanner();
  scanner.begin("query", 2);
  const first = scanner.scan(bytes, 0);
  assert.ok(first.isOverLimit);
  assert.equal(scanner.sequence, 6);
  scanner.lift();
  assert.ok(scanner.scan(bytes, first.end).isWhole);
});

test("whatever bytes come, the scanner of replies ends, and only with its own fault", () => {
  const piece = fc.oneof(
    fc
      .uint8Array({ minLength: 0, maxLength: 12 })
      .map((bytes) => mysqlPacket(1, Buffer.from(bytes))),
    fc.constantFrom(
      EOF(1),
      EOF(1, 10),
      COLUMN(1),
      mysqlOk(1, 2),
      mysqlOk(1, 10),
      packet(1, 1),
      packet(1, 2),
    ),
    fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
  );
  const kind = fc.constantFrom<MysqlReplyKind>("query", "prepare", "list", "one");
  const property = fc.property(
    fc.array(piece, { maxLength: 12 }),
    kind,
    fc.integer({ min: 1, max: 40 }),
    (pieces, what, size) => {
      const bytes = Buffer.concat(pieces);
      const scanner = new MysqlReplyScanner();
      scanner.begin(what);
      let rest: Buffer = Buffer.alloc(0);
      try {
        for (let at = 0; at < bytes.length; at += size) {
          rest = Buffer.concat([rest, bytes.subarray(at, at + size)]);
          const { end, isWhole } = scanner.scan(rest, 0);
          assert.ok(end <= rest.length);
          rest = rest.subarray(end);
          if (isWhole) return;
          assert.ok(rest.length < 133, "only the beginning of a packet is kept");
        }
      } catch (error) {
        assert.equal((error as { code?: string }).code, "mysql.packet");
      }
    },
  );
  fc.assert(property, { seed: 288, numRuns: 3000 });
});
