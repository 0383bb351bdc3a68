import assert from "node:assert/strict";
import { test } from "node:test";
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import fc from "fast-check";
import { createBodyWatch } from "./body-watch.ts";
import { ask, HOST, site, worldOf } from "./http-test-kit.ts";

const LOGIN = Buffer.from('{"id":1,"method":"mining.subscribe","params":[]}\n');

const CODINGS: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
  ["identity", (bytes) => bytes],
  ["gzip", (bytes) => gzipSync(bytes)],
  ["X-Gzip", (bytes) => gzipSync(bytes)],
  ["deflate", (bytes) => deflateSync(bytes)],
  ["deflate", (bytes) => deflateRawSync(bytes)],
  ["br", (bytes) => brotliCompressSync(bytes)],
  ["zstd", (bytes) => zstdCompressSync(bytes)],
  ["zstd", (bytes) => zstdFrame(bytes, 23)],
  ["gzip, br", (bytes) => brotliCompressSync(gzipSync(bytes))],
];
for (const [coding, encode] of CODINGS) {
  test(`INV-6: mining under ${coding} is seen, however the body is cut`, async () => {
    const property = fc.asyncProperty(fc.integer({ min: 1, max: 40 }), async (size) => {
      const watch = createBodyWatch(["Content-Encoding", coding]);
      const bytes = encode(LOGIN);
      let hit: unknown;
      for (let at = 0; at < bytes.length && hit === undefined; at += size) {
        hit = await watch.push(bytes.subarray(at, at + size));
      }
      assert.ok(hit !== undefined);
    });
    await fc.assert(property, { numRuns: 12 });
  });
}

/** A frame with one raw block (RFC 8878, 3.1.1) to be decoded in a window of 2^`log` bytes. */
function zstdFrame(bytes: Buffer, log: number): Buffer {
  const head = Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, 0, 0, 0);
  head.writeUIntLE((bytes.length << 3) | 1, 6, 3);
  return Buffer.concat([head, bytes]);
}

const PASS: readonly (readonly [string, string, Buffer])[] = [
  ["other JSON", "gzip", gzipSync('{"method":"login"}')],
  ["bytes that are not what they say", "gzip", Buffer.from("not gzip at all")],
  ["a coding that nobody knows", "x-secret", LOGIN.map((byte) => byte ^ 1) as Buffer],
  ["nothing", "gzip", Buffer.alloc(0)],
  ["a window of 128 MiB", "zstd", zstdFrame(LOGIN, 27)],
];
for (const [why, coding, bytes] of PASS) {
  test(`passes: ${why}`, async () => {
    const watch = createBodyWatch(["content-encoding", coding]);
    assert.equal(await watch.push(bytes), undefined);
    assert.equal(await watch.push(bytes), undefined);
  });
}

test("a bomb is not unpacked", async () => {
  const bomb = gzipSync(gzipSync(Buffer.alloc(200_000_000)));
  const before = process.memoryUsage.rss();
  const watch = createBodyWatch(["content-encoding", "gzip, gzip"]);
  assert.equal(await watch.push(bomb), undefined);
  assert.ok(process.memoryUsage.rss() - before < 64 << 20);
});

test("INV-6: a compressed login is cut before it leaves, whole or streamed", async (t) => {
  const seen: string[] = [];
  const it = await worldOf(
    t,
    site((request) => {
      request.on("data", (chunk: Buffer) => seen.push(chunk.toString("latin1")));
    }),
  );
  const body = gzipSync(LOGIN).toString("latin1");
  const head = `POST / HTTP/1.1\r\n${HOST}Content-Encoding: gzip\r\n`;
  await ask(it, `${head}Content-Length: ${body.length}\r\n\r\n${body}`);
  const size = body.length.toString(16);
  await ask(it, `${head}Transfer-Encoding: chunked\r\n\r\n${size}\r\n${body}\r\n`);
  assert.deepEqual(
    it.findings.map((finding) => finding.kind),
    ["mining", "mining"],
  );
  assert.deepEqual(seen, []);
});
