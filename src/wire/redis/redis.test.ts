/**
 * The framers of Redis: commands and replies, at every size of chunk, and bytes that are neither.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  encodeRedisCommand,
  encodeRedisError,
  RedisCommandFramer,
  RedisReplyScanner,
} from "../index.ts";

const BYTES_MAX = 1000;

function commandsOf(bytes: Buffer, size: number): string[][] {
  const framer = new RedisCommandFramer(BYTES_MAX);
  const found: string[][] = [];
  for (let at = 0; at < bytes.length; at += size) {
    framer.push(bytes.subarray(at, at + size));
    for (let words = framer.next(); words !== undefined; words = framer.next()) {
      found.push(words.map((word) => word.toString("latin1")));
    }
  }
  return found;
}

const words = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 });

test("commands come out as they were put in, however they are cut", () => {
  const property = fc.property(
    fc.array(words, { maxLength: 5 }),
    fc.integer({ min: 1, max: 60 }),
    (commands, size) => {
      const buffers = commands.map((one) => one.map((word) => Buffer.from(word)));
      const bytes = Buffer.concat(buffers.map((one) => encodeRedisCommand(one)));
      const expected = buffers.map((one) => one.map((word) => word.toString("latin1")));
      assert.deepEqual(commandsOf(bytes, size), expected);
    },
  );
  fc.assert(property, { seed: 285, numRuns: 500 });
});

const NO_COMMANDS = [
  ["PING\r\n", "inline"],
  ["GET / HTTP/1.1\r\n\r\n", "HTTP"],
  ["*0\r\n", "no words"],
  ["*-1\r\n", "null"],
  ["*+1\r\n$4\r\nPING\r\n", "a sign"],
  ["*01\r\n$4\r\nPING\r\n", "a leading zero"],
  ["* 1\r\n$4\r\nPING\r\n", "a space"],
  ["*1\n$4\nPING\n", "bare line feeds"],
  ["*1\r\n$-1\r\n", "a null word"],
  ["*1\r\n$4\r\nPINGxx", "a word that goes on"],
  ["*1\r\n:4\r\n", "a word that is a number"],
  ["*1\r\n+PING\r\n", "a word that is a line"],
  ["*1\r\n*1\r\n", "arrays in arrays"],
  ["*99999999999999\r\n", "a count that is too long"],
  ["*100000\r\n", "too many words"],
  ["*1\r\n$1001\r\n", "too many bytes"],
  ["*2\r\n$600\r\n" + "x".repeat(600) + "\r\n$600\r\n", "too many bytes together"],
] as const;
for (const [text, why] of NO_COMMANDS) {
  test(`no command: ${why}`, () => {
    for (const size of [1, 3, 10_000]) {
      assert.throws(() => commandsOf(Buffer.from(text), size), { code: "redis.command" });
    }
  });
}

test("whatever bytes come, the framer of commands ends, and only with its own fault", () => {
  const odd = fc.array(
    fc.constantFrom("*", "$", "\r\n", "\r", "\n", "1", "3", "-1", "0", "GET", "\0"),
  );
  const property = fc.property(odd, fc.integer({ min: 1, max: 7 }), (pieces, size) => {
    try {
      commandsOf(Buffer.from(pieces.join("")), size);
    } catch (error) {
      assert.equal((error as { code?: string }).code, "redis.command");
    }
  });
  fc.assert(property, { seed: 286, numRuns: 3000 });
});

/** Where the replies in `bytes` end, by what begins them. */
function repliesOf(bytes: Buffer, size: number): [string, string, string][] {
  const scanner = new RedisReplyScanner();
  const found: [string, string, string][] = [];
  let from = 0;
  for (let start = 0; start < bytes.length; start += size) {
    const chunk = bytes.subarray(start, start + size);
    for (let at = 0; at < chunk.length;) {
      const { end, isWhole } = scanner.scan(chunk, at);
      at = end;
      if (!isWhole) continue;
      found.push([scanner.type, scanner.word, bytes.toString("latin1", from, start + end)]);
      from = start + end;
    }
  }
  return found;
}

const REPLIES: readonly (readonly [text: string, type: string, word: string])[] = [
  ["+OK\r\n", "+", ""],
  ["-ERR no\r\n", "-", ""],
  [":-12\r\n", ":", ""],
  ["$5\r\nhello\r\n", "$", ""],
  ["$4\r\n\r\n\r\n\r\n", "$", ""],
  ["$0\r\n\r\n", "$", ""],
  ["$-1\r\n", "$", ""],
  ["*-1\r\n", "*", ""],
  ["*0\r\n", "*", ""],
  ["*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n", "*", "message"],
  ["*2\r\n*1\r\n$7\r\nmessage\r\n$7\r\nmessage\r\n", "*", ""],
  ["*2\r\n:1\r\n$7\r\nmessage\r\n", "*", ""],
  [">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n", ">", "subscribe"],
  ["%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n", "%", ""],
  ["~2\r\n#t\r\n,1.5\r\n", "~", ""],
  ["|1\r\n+ttl\r\n:3\r\n$1\r\nx\r\n", "$", ""],
  ["*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n:2\r\n", "*", ""],
  ["!5\r\nERR x\r\n", "!", ""],
  ["=7\r\ntxt:abc\r\n", "=", ""],
  ["(12345678901234567890\r\n", "(", ""],
  ["_\r\n", "_", ""],
];

test("every reply ends where it ends, at every size of chunk", () => {
  const bytes = Buffer.from(REPLIES.map(([text]) => text).join(""));
  for (let size = 1; size < 40; size += 1) {
    const expected = REPLIES.map(([text, type, word]) => [type, word, text]);
    assert.deepEqual(repliesOf(bytes, size), expected, `in chunks of ${size}`);
  }
});

for (const text of [
  "HTTP/1.1 200 OK\r\n",
  "+a\nb\r\n",
  "+a\rb\r\n",
  "$x\r\n",
  "$-2\r\n",
  "$?\r\n",
  "*?\r\n",
  "$3\r\nabcd\r\n",
  "$03\r\nabc\r\n",
  "%-1\r\n",
  "*1\r\n".repeat(200),
  `$${"1".repeat(40)}\r\n`,
  "\r\n",
]) {
  test(`no reply: ${JSON.stringify(text.slice(0, 30))}`, () => {
    for (const size of [1, 10_000]) {
      assert.throws(() => repliesOf(Buffer.from(text), size), { code: "redis.reply" });
    }
  });
}

test("whatever bytes come, the scanner of replies ends, and only with its own fault", () => {
  const piece = fc.constantFrom(..."+-:_#,($!=*~>%|\r\n012".split(""), "\r\n", "-1", "$1\r\na\r\n");
  const property = fc.property(fc.array(piece, { maxLength: 60 }), fc.nat(6), (pieces, size) => {
    try {
      repliesOf(Buffer.from(pieces.join("")), size + 1);
    } catch (error) {
      assert.equal((error as { code?: string }).code, "redis.reply");
    }
  });
  fc.assert(property, { seed: 287, numRuns: 3000 });
});

test("reading takes time by its length, not by its square", () => {
  const bytes = encodeRedisCommand([Buffer.alloc(4 << 20, "x")]);
  const framer = new RedisCommandFramer(8 << 20);
  const start = performance.now();
  for (let at = 0; at < bytes.length; at += 16) {
    framer.push(bytes.subarray(at, at + 16));
    framer.next();
  }
  assert.ok(performance.now() - start < 3000);
});

test("an error of ours is one line", () => {
  assert.equal(encodeRedisError("ERR", "a\r\n+OK\r\nb").toString(), "-ERR a +OK b\r\n");
});
